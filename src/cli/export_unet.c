/* The config.json beside the weights of a U-Net, in the folder that diffusers' from_pretrained
 * reads. */
#include "export_unet.h"

#include "cli.h"
#include "gyre/file.h"
#include "gyre/json.h"
#include "gyre/overwrite.h"
#include "gyre/version.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* diffusers does not read what begins with "_". */
static const char start[] = "{\n    \"_gyre_version\": ";

bool export_is_folder(const char *output) {
    struct stat st;
    if (output == NULL || output[0] == '\0') return false;
    return output[strlen(output) - 1] == '/' || (stat(output, &st) == 0 && S_ISDIR(st.st_mode));
}

static gyre_status make_folder(const char *path) {
    struct stat st;
    if (mkdir(path, 0777) == 0 || (stat(path, &st) == 0 && S_ISDIR(st.st_mode))) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "the folder '%s' cannot be made: its parent must be there", path);
}

gyre_status export_unet_open(const char *folder, export_unet *out) {
    out->weights = gyre_path_join(folder, "diffusion_pytorch_model.safetensors");
    out->config = gyre_path_join(folder, "config.json");
    if (out->weights == NULL || out->config == NULL) {
        return gyre_no_memory("the path '%s'", folder);
    }
    GYRE_TRY(make_folder(folder));
    return gyre_overwrite_check_signed(out->config);
}

void export_unet_close(export_unet *u) {
    free(u->weights);
    free(u->config);
}

/* A field on each line, with the version in front. Frees `config`. */
static gyre_status text_of(char *config, char **out) {
    gyre_json_value *v = NULL;
    char *rows = NULL;
    gyre_status status = gyre_json_parse(config, "config", &v);
    free(config);
    if (status == GYRE_OK) rows = gyre_json_print_rows(v);
    gyre_json_close(v);
    GYRE_TRY(status);
    const size_t room = rows == NULL ? 0 : strlen(rows) + sizeof start + sizeof GYRE_VERSION + 16;
    *out = rows == NULL ? NULL : malloc(room);
    if (*out != NULL) snprintf(*out, room, "%s\"%s\",%s", start, GYRE_VERSION, rows + 1);
    free(rows);
    return *out != NULL ? GYRE_OK : gyre_no_memory("a config");
}

gyre_status export_unet_write(const export_unet *u, const gyre_trained *t) {
    char *config = NULL, *text = NULL;
    GYRE_TRY(gyre_model_unet(t->model, &config));
    if (config == NULL) {
        return gyre_fail(GYRE_EUSAGE,
                         "a folder, as -o names one, is for U-Nets of diffusers, and the network "
                         "of '%s' is another one; name a file",
                         t->checkpoint);
    }
    GYRE_TRY(text_of(config, &text));
    size_t size = strlen(text);
    gyre_status status = gyre_overwrite_sign_json(&text, &size);
    if (status == GYRE_OK) status = gyre_file_write_atomic(u->config, text, size);
    free(text);
    if (status == GYRE_OK) cli_print_path(u->config);
    return status;
}
