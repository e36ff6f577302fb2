/* model.file: a network from a file, JSON or ONNX, which becomes model.layers. */
#include "fields.h"

#include "gyre/file.h"
#include "gyre/json.h"
#include "gyre/onnx.h"
#include <stdlib.h>
#include <string.h>

static gyre_status read_json(const char *path, gyre_settings *s) {
    cJSON *tree = NULL;
    gyre_status status = config_read_file(path, &tree);
    if (status == GYRE_OK) status = config_take_network(tree, path, &s->model.layers);
    cJSON_Delete(tree);
    return status;
}

static bool is_given(const config_reader *r) {
    return r->given[config_field_find("data.augment.normalize") - config_fields];
}

/* The file's own weights are what the run begins with. */
static bool takes_weights(const gyre_settings *s) {
    return !s->model.init_fresh && s->model.init_from == NULL;
}

/* Weights for values as they are: new ones, or those of another file, need not be. */
static gyre_status take_raw(const config_reader *r, const char *path) {
    gyre_settings *s = r->settings;
    const gyre_normalize how = s->data.normalize;
    if (!takes_weights(s)) return GYRE_OK;
    if (!is_given(r)) s->data.normalize = GYRE_NORMALIZE_RAW;
    if (!is_given(r) || how == GYRE_NORMALIZE_RAW || how == GYRE_NORMALIZE_INIT_FROM)
        return GYRE_OK;
    return gyre_fail(
        GYRE_EUSAGE,
        "data.augment.normalize is another than \"raw\", for which the weights of '%s' "
        "were trained; leave the key out, or draw new weights by model.init \"fresh\"",
        path);
}

/* A mean image is too large for a config, and comes with the weights. */
static gyre_status take_mean_image(const config_reader *r, const char *path) {
    gyre_settings *s = r->settings;
    const bool given = is_given(r), weights = takes_weights(s);
    if (given && (!weights || s->data.normalize == GYRE_NORMALIZE_INIT_FROM)) return GYRE_OK;
    if (given) {
        return gyre_fail(GYRE_EUSAGE,
                         "data.augment.normalize is another than the network's, which subtracts a "
                         "mean image from its input itself; leave the key out, or export the "
                         "network without");
    }
    if (!weights) {
        return gyre_fail(GYRE_EUSAGE,
                         "the network subtracts a mean image from its input, which comes with the "
                         "weights of '%s', and those are not taken; give data.augment.normalize, "
                         "as \"mean_image\" for the dataset's own",
                         path);
    }
    s->data.normalize = GYRE_NORMALIZE_INIT_FROM;
    return GYRE_OK;
}

/* What the file does to its input is the config's normalisation. */
static gyre_status take_normalization(config_reader *r, const gyre_onnx *o, const char *path) {
    static const char key[] = "data.augment.normalize";
    gyre_settings *s = r->settings, theirs = *s;
    const config_field *f = config_field_find(key);
    cJSON *a = NULL, *b = NULL;
    if (o->raw) return take_raw(r, path);
    if (!o->normalized) return GYRE_OK;
    if (o->mean_image != NULL) return take_mean_image(r, path);
    theirs.data.normalize = GYRE_NORMALIZE_GIVEN;
    theirs.data.given = o->normalization;
    gyre_status status = config_field_get(f, s, &a);
    if (status == GYRE_OK) status = config_field_get(f, &theirs, &b);
    char *here = a == NULL ? NULL : cJSON_PrintUnformatted(a);
    char *there = b == NULL ? NULL : cJSON_PrintUnformatted(b);
    if (status == GYRE_OK && (here == NULL || there == NULL))
        status = gyre_no_memory("the network of '%s'", path);
    if (status == GYRE_OK && is_given(r) && strcmp(here, there) != 0)
        status = gyre_fail(GYRE_EUSAGE,
                           "%s is %.200s, but the network normalises its input itself, by %.200s; "
                           "leave the key out, or export the network without",
                           key, here, there);
    if (status == GYRE_OK) s->data = theirs.data;
    cJSON_Delete(a);
    cJSON_Delete(b);
    free(here);
    free(there);
    return status;
}

/* A softmax is a part of cross_entropy, and no other loss has one. */
static gyre_status check_softmax(const gyre_settings *s, const gyre_onnx *o, const char *path) {
    const char *loss = s->model.loss;
    if (o->softmax == NULL || loss == NULL || strcmp(loss, "cross_entropy") == 0) return GYRE_OK;
    return gyre_fail(
        GYRE_EUSAGE,
        "model.loss is \"%s\", but the network of '%s' ends in %s, which gyre has as a "
        "part of cross_entropy alone; take that loss, or export the network without",
        loss, path, o->softmax);
}

/* The network, and its weights unless new ones are asked for or others are named. */
static gyre_status take_onnx(config_reader *r, const gyre_onnx *o, const char *path) {
    gyre_settings *s = r->settings;
    gyre_json_value *tree = NULL;
    GYRE_TRY(check_softmax(s, o, path));
    GYRE_TRY(gyre_json_parse(o->layers, path, &tree));
    gyre_status status = config_take_network((const cJSON *)tree, path, &s->model.layers);
    gyre_json_close(tree);
    GYRE_TRY(status);
    GYRE_TRY(take_normalization(r, o, path));
    if (o->constants && s->model.init_fresh) {
        return gyre_fail(
            GYRE_EUSAGE,
            "model.init \"fresh\" takes no numbers of '%s', and its network has some that are none "
            "of "
            "its parameters: constants for each channel, or filters that are buffers; leave "
            "model.init out",
            path);
    }
    if (!takes_weights(s)) return GYRE_OK;
    s->model.init_from = strdup(s->model.file);
    return s->model.init_from != NULL ? GYRE_OK : gyre_no_memory("the path '%s'", path);
}

static gyre_status read_file(config_reader *r) {
    gyre_settings *s = r->settings;
    gyre_onnx *o = NULL;
    char *path = gyre_path_join(s->dir, s->model.file);
    if (path == NULL) return gyre_no_memory("the path '%s'", s->model.file);
    gyre_status status = GYRE_OK;
    if (gyre_onnx_recognise(path)) {
        status = gyre_onnx_open(path, &o);
        if (status == GYRE_OK) status = take_onnx(r, o, path);
        gyre_onnx_close(o);
    } else {
        status = read_json(path, s);
    }
    free(path);
    return status;
}

static gyre_status check_one_way(const gyre_model_settings *m, const char *where) {
    const char *found[] = {
        m->name != NULL ? "model.name" : NULL, m->layers != NULL ? "model.layers" : NULL,
        m->file != NULL ? "model.file" : NULL, m->unet != NULL ? "model.config" : NULL};
    const char *first = NULL;
    for (int i = 0; i < 4; i++) {
        if (found[i] != NULL && first != NULL) {
            return gyre_fail(GYRE_EUSAGE,
                             "%s: one of model.name, model.layers, model.file and model.config "
                             "was expected, found %s and %s; null takes one back",
                             where, first, found[i]);
        }
        if (found[i] != NULL) first = found[i];
    }
    return GYRE_OK;
}

gyre_status config_finish_network(config_reader *r, const char *where) {
    gyre_settings *s = r->settings;
    gyre_model_settings *m = &s->model;
    GYRE_TRY(check_one_way(m, where));
    if (m->init_fresh && m->init_from != NULL) {
        return gyre_fail(GYRE_EUSAGE,
                         "%s: model.init \"fresh\" draws weights, and model.init_from names a file "
                         "of them; leave one of them out",
                         where);
    }
    if (m->file != NULL) GYRE_TRY(gyre_fail_in("model.file", read_file(r)));
    free(m->file);
    m->file = NULL;
    if (s->data.normalize != GYRE_NORMALIZE_INIT_FROM || m->init_from != NULL) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "%s: data.augment.normalize is \"init_from\", but model.init_from names no "
                     "file; give one, or another normalisation",
                     where);
}
