/* Networks as JSON, changed where the coverage of the reader grows (clang's libFuzzer): `make
 * fuzz-guided`. What is refused has a message; what is taken is printed and taken again. */
#include "network.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    gyre_model *m = NULL;
    char *text = malloc(size + 1);
    if (text == NULL) return 0;
    if (size > 0) memcpy(text, data, size);
    text[size] = '\0';
    const gyre_model_settings settings = {.layers = text};
    if (gyre_model_open(&settings, 32, 32, 3, 10, &m) == GYRE_OK) {
        check_printed(m);
        gyre_model_close(m);
    } else if (gyre_error_text()[0] == '\0') {
        abort();
    }
    free(text);
    return 0;
}
