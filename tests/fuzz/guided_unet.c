/* config.json of diffusers, changed where the coverage of the reader grows (clang's libFuzzer):
 * `make fuzz-guided READER=unet`. What is refused has a message; what is taken is printed as nodes,
 * and as a config.json that gives the same network. */
#include "network.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SIDE = 16, CHANNELS = 3, CLASSES = 10 };

static gyre_status open_unet(char *config, gyre_model **out) {
    const gyre_model_settings settings = {.unet = config};
    return gyre_model_open(&settings, SIDE, SIDE, CHANNELS, CLASSES, out);
}

static void check_config(const gyre_model *m) {
    char *config = NULL, *text = NULL, *again = NULL;
    gyre_model *other = NULL;
    if (gyre_model_unet(m, &config) != GYRE_OK || config == NULL) abort();
    if (open_unet(config, &other) != GYRE_OK || gyre_model_print(m, &text) != GYRE_OK ||
        gyre_model_print(other, &again) != GYRE_OK || strcmp(text, again) != 0) {
        fprintf(stderr, "%s\n%s\n", gyre_error_text(), config);
        abort();
    }
    gyre_model_close(other);
    free(config);
    free(text);
    free(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    gyre_model *m = NULL;
    char *text = malloc(size + 1);
    if (text == NULL) return 0;
    if (size > 0) memcpy(text, data, size);
    text[size] = '\0';
    if (open_unet(text, &m) == GYRE_OK) {
        check_printed(m);
        check_config(m);
        gyre_model_close(m);
    } else if (gyre_error_text()[0] == '\0') {
        abort();
    }
    free(text);
    return 0;
}
