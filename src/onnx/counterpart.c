/* What weights are in PyTorch's network: its state_dict has them under their names in the file,
 * which need not be those that the node's name gives; and of computed ones it has none. Of the
 * copies that several nodes have of a tensor, one goes back under its name. */
#include "counterpart.h"

#include "gyre/settings.h"
#include <stdio.h>
#include <string.h>

/* As gyre calls it in a state_dict without more ado: gyre/state_dict.h. */
static const char *usual_name(onnx_import *m, const onnx_layer *l, const char *suffix) {
    char name[256];
    const bool whole =
        onnx_layer_is(l, "scale") || onnx_layer_is(l, "bias") || onnx_layer_is(l, "positions");
    snprintf(name, sizeof name, "%s%s%s", l->name, whole ? "" : ".", whole ? "" : suffix);
    return onnx_text(&m->work, name, strlen(name));
}

static cJSON *map_of(onnx_import *m, onnx_layer *l, const char *key) {
    cJSON *map = cJSON_GetObjectItemCaseSensitive(l->options, key);
    if (map == NULL) map = cJSON_AddObjectToObject(l->options, key);
    if (map == NULL) onnx_fail_memory(&m->work);
    return map;
}

/* NULL: it has none. */
static void set_name(onnx_import *m, onnx_layer *l, const char *suffix, const char *name) {
    cJSON *map = map_of(m, l, "names");
    cJSON *item = name == NULL ? cJSON_CreateNull() : cJSON_CreateString(name);
    if (map != NULL && item != NULL && cJSON_AddItemToObject(map, suffix, item)) return;
    cJSON_Delete(item);
    onnx_fail_memory(&m->work);
}

/* ---- shapes */

/* As gyre writes it into a state_dict without more ado: their number. */
static int usual_dims(const onnx_layer *l, const onnx_weight *w, int64_t dims[ONNX_RANK_MAX]) {
    const onnx_constant *k = w->constant;
    const bool first = strcmp(w->suffix, "weight") == 0;
    dims[0] = (int64_t)k->count;
    dims[1] = dims[2] = 1;
    if (onnx_layer_is(l, "scale") || onnx_layer_is(l, "bias")) return 3;
    if (onnx_layer_is(l, "positions")) {
        const int64_t planes[] = {k->dims[2], k->dims[0], k->dims[1]};
        const int64_t rows[] = {1, k->dims[0] * k->dims[1], k->dims[2]};
        memcpy(dims, k->planes ? planes : rows, sizeof planes);
        return 3;
    }
    if (!first || !(onnx_layer_is(l, "conv") || onnx_layer_is(l, "linear"))) return 1;
    const bool transposed = cJSON_GetObjectItemCaseSensitive(l->options, "transposed") != NULL;
    for (int i = 0; i < k->rank; i++) dims[i] = k->dims[transposed ? k->rank - 1 - i : i];
    return k->rank;
}

static void set_shape(onnx_import *m, onnx_layer *l, const onnx_weight *w) {
    const Onnx__TensorProto *t = w->constant->tensor;
    int64_t dims[ONNX_RANK_MAX];
    double sizes[4];
    const int rank = usual_dims(l, w, dims);
    if (t == NULL || t->n_dims > 4) return;
    if ((int)t->n_dims == rank && memcmp(t->dims, dims, (size_t)rank * sizeof *dims) == 0) return;
    for (size_t i = 0; i < t->n_dims; i++) sizes[i] = (double)t->dims[i];
    cJSON *map = map_of(m, l, "shapes"), *list = cJSON_CreateDoubleArray(sizes, (int)t->n_dims);
    if (map != NULL && list != NULL && cJSON_AddItemToObject(map, w->suffix, list)) return;
    cJSON_Delete(list);
    onnx_fail_memory(&m->work);
}

/* ---- in this order, so that a name goes to the node that is called so */

typedef enum { USUAL, OTHER, UNKNOWN, ROUNDS } round;

static bool is_short(onnx_import *m, const char *name) {
    if (strlen(name) < GYRE_TORCH_NAME_SIZE) return true;
    m->work.status = gyre_fail(GYRE_EIO,
                               "'%s': the name of a parameter, %.40s..., has %zu bytes; at most %d "
                               "were expected: rename it before the export",
                               m->work.file->path, name, strlen(name), GYRE_TORCH_NAME_SIZE - 1);
    return false;
}

static void name_weight(onnx_import *m, onnx_values *taken, onnx_layer *l, onnx_weight *w,
                        round now) {
    const char *from = onnx_computed_from(w->constant), *told = onnx_told_name(w->constant);
    const char *usual = usual_name(m, l, w->suffix);
    if (usual == NULL || w->named || (told != NULL && !is_short(m, told))) return;
    if (now == UNKNOWN && w->constant->untrained && told == NULL) { /* no parameter there */
        set_name(m, l, w->suffix, NULL);
        return;
    }
    if (now == UNKNOWN && (from != NULL || onnx_values_find(taken, usual) != NULL)) {
        if (from == NULL) from = usual;
        m->computed[0] = l->name;
        m->computed[1] = from;
        m->computed_count++;
        set_name(m, l, w->suffix, NULL);
        return;
    }
    if (now == UNKNOWN) onnx_values_add(taken, usual);
    if (from != NULL || now == UNKNOWN || told == NULL) return;
    if ((strcmp(told, usual) == 0) != (now == USUAL)) return;
    w->named = onnx_values_add(taken, told) != NULL;
    if (w->named && now == OTHER) set_name(m, l, w->suffix, told);
    if (w->named) set_shape(m, l, w);
}

/* A parameter, or a running statistic under a name. Numbers of the graph stay here. */
static bool goes_back(const onnx_weight *w) {
    const bool running = strncmp(w->suffix, "running_", 8) == 0;
    return running ? onnx_told_name(w->constant) != NULL : !onnx_is_statistic(w->suffix);
}

void onnx_counterparts(onnx_import *m) {
    onnx_values taken;
    onnx_values_open(&m->work, &taken, m->layers.count * ONNX_LAYER_WEIGHTS);
    for (round now = USUAL; now < ROUNDS; now++) {
        for (int i = 0; i < m->layers.count && m->work.status == GYRE_OK; i++) {
            onnx_layer *l = onnx_layer_at(m, i);
            for (int k = 0; l->needed && l->tied < 0 && k < l->weight_count; k++) {
                onnx_weight *w = &l->weights[k];
                if (goes_back(w)) name_weight(m, &taken, l, w, now);
            }
        }
    }
}
