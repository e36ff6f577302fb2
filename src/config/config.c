/* A config from file to settings and back to memory. */
#include "fields.h"

#include "gyre/file.h"
#include <stdlib.h>
#include <string.h>

static gyre_status begin(config_reader *r, const char *path) {
    r->settings = calloc(1, sizeof *r->settings);
    if (r->settings != NULL) {
        r->settings->dir = gyre_path_dir(path);
        r->settings->source = strdup(path);
    }
    if (r->settings == NULL || !r->settings->dir || !r->settings->source) {
        return gyre_no_memory("the config");
    }
    for (const config_field *f = config_fields; f->path != NULL; f++) {
        GYRE_TRY(config_field_reset(f, r->settings));
    }
    return GYRE_OK;
}

static gyre_status end(config_reader *r, const char *path, gyre_settings **out) {
    GYRE_TRY(config_take_stages(r));
    GYRE_TRY(config_finish(r, path));
    *out = r->settings;
    r->settings = NULL;
    return GYRE_OK;
}

gyre_status gyre_config_open(const char *path, char *const *sets, int set_count,
                             gyre_settings **out) {
    gyre_status status = GYRE_OK;
    cJSON *tree = NULL, **owned = calloc((size_t)set_count + 1, sizeof *owned);
    config_reader r = {0};
    if (owned == NULL) {
        status = gyre_no_memory("the config");
        goto out;
    }
    GYRE_GOTO(begin(&r, path));
    GYRE_GOTO(config_read_file(path, &tree));
    GYRE_GOTO(config_take_tree(&r, tree, path));
    for (int i = 0; i < set_count; i++) GYRE_GOTO(config_take_set(&r, sets[i], &owned[i]));
    status = end(&r, path, out);
out:
    for (int i = 0; owned != NULL && i < set_count; i++) cJSON_Delete(owned[i]);
    free(owned);
    cJSON_Delete(tree);
    gyre_config_close(r.settings);
    return status;
}

gyre_status gyre_config_build(const gyre_json_value *tree, const char *path,
                              const gyre_config_layer *layers, int layer_count,
                              gyre_settings **out) {
    gyre_status status = GYRE_OK;
    config_reader r = {0};
    GYRE_GOTO(begin(&r, path));
    GYRE_GOTO(config_take_tree(&r, (const cJSON *)tree, path));
    for (int i = 0; i < layer_count; i++) {
        GYRE_GOTO(config_take_layer(&r, (const cJSON *)layers[i].object, layers[i].where));
    }
    status = end(&r, path, out);
out:
    gyre_config_close(r.settings);
    return status;
}

void gyre_config_close(gyre_settings *s) {
    if (s == NULL) return;
    for (int i = 0; i < s->model.freeze_count; i++) free(s->model.freeze[i]);
    free(s->model.freeze);
    free(s->model.name);
    free(s->model.layers);
    free(s->model.unet);
    config_clear_groups(&s->model);
    config_clear_class_weights(&s->model);
    free(s->model.file);
    free(s->model.init_from);
    free(s->model.loss);
    free(s->data.path);
    free(s->output_dir);
    free(s->sample.seeds);
    free(s->sample.condition);
    free(s->schedule.stages);
    free(s->source);
    free(s->dir);
    free(s);
}
