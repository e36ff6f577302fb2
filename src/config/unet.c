/* model.config: a U-Net by diffusers' config.json, kept as text: of a path, until the config is
 * read to its end, then of the object that the file holds. What its fields say is read where the
 * network is built. */
#include "fields.h"

#include "gyre/file.h"
#include "gyre/json.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

gyre_status config_take_unet(const cJSON *value, const char *where, char **to) {
    const bool path = cJSON_IsString(value) && value->valuestring[0] != '\0';
    if (!path && !cJSON_IsObject(value)) {
        return gyre_fail(GYRE_EUSAGE,
                         "%s: expected the path of a config.json of diffusers, or the object that "
                         "is in it",
                         where);
    }
    char *text = gyre_json_print((const gyre_json_value *)value, false);
    if (text == NULL) return gyre_no_memory("the config");
    free(*to);
    *to = text;
    return GYRE_OK;
}

static bool is_folder(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* The file that the path names: of a folder, its config.json. */
static gyre_status find(const gyre_settings *s, const char *name, char **out) {
    *out = gyre_path_join(s->dir, name);
    if (*out != NULL && is_folder(*out)) {
        char *inside = gyre_path_join(*out, "config.json");
        free(*out);
        *out = inside;
    }
    return *out != NULL ? GYRE_OK : gyre_no_memory("the path '%s'", name);
}

static gyre_status read_file(gyre_settings *s, const char *name) {
    char *path = NULL;
    cJSON *tree = NULL;
    gyre_status status = GYRE_OK;
    GYRE_GOTO(find(s, name, &path));
    GYRE_GOTO(config_read_file(path, &tree));
    if (!cJSON_IsObject(tree)) {
        GYRE_GOTO(gyre_fail(GYRE_EUSAGE, "%s: expected an object, as diffusers' config.json is one",
                            path));
    }
    status = config_take_unet(tree, path, &s->model.unet);
out:
    cJSON_Delete(tree);
    free(path);
    return status;
}

gyre_status config_finish_unet(config_reader *r) {
    gyre_settings *s = r->settings;
    gyre_json_value *v = NULL;
    if (s->model.unet == NULL || s->model.unet[0] != '"') return GYRE_OK;
    GYRE_TRY(gyre_json_parse(s->model.unet, "model.config", &v));
    gyre_status status = gyre_fail_in("model.config", read_file(s, gyre_json_text(v)));
    gyre_json_close(v);
    return status;
}
