/* Weights: names, shapes and the order of axes. */
#include "weights.h"

#include "gyre/size.h"
#include "numbers.h"
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static gyre_status set_dims(const onnx_import *m, const onnx_layer *l, const onnx_constant *k,
                            bool first, gyre_onnx_weight *w) {
    bool conv = first && strcmp(l->type, "conv") == 0;
    bool linear = first && strcmp(l->type, "linear") == 0;
    int64_t dims[4] = {(int64_t)k->count};
    bool places = strcmp(l->type, "positions") == 0;
    w->ndim = conv ? 4 : places ? 3 : linear ? 2 : 1;
    for (int i = 0; places && i < 3; i++) dims[i] = k->dims[i];
    if (linear || conv) {
        bool filters = k->rank == 4;
        dims[0] = k->dims[0];
        dims[1] = filters ? k->dims[2] : linear ? k->dims[1] : 1;
        dims[2] = filters ? k->dims[3] : 1;
        dims[3] = k->dims[1];
    }
    for (int i = 0; i < w->ndim; i++) {
        if (dims[i] < 1 || dims[i] > INT_MAX) {
            return gyre_fail(GYRE_EIO, "'%s': dimension %d of %s is %lld, which cannot be",
                             m->work.file->path, i, w->name, (long long)dims[i]);
        }
        w->dims[i] = (int)dims[i];
    }
    return GYRE_OK;
}

static gyre_status add(onnx_import *m, const onnx_layer *l, int k, gyre_onnx_weight *w) {
    char name[160];
    onnx_constant *constant = l->weights[k].constant;
    struct gyre_onnx_source *source = onnx_take(&m->work, 1, sizeof *source);
    snprintf(name, sizeof name, "%s.%s", l->name, l->weights[k].suffix);
    w->name = onnx_text(&m->work, name, strlen(name));
    if (w->name == NULL || source == NULL) return m->work.status;
    *source = (struct gyre_onnx_source){constant, constant->rank == 4};
    w->source = source;
    w->count = constant->count;
    w->statistic = onnx_is_statistic(l->weights[k].suffix);
    bool first = strcmp(l->weights[k].suffix, "weight") == 0;
    w->chw = first && strcmp(l->type, "linear") == 0 &&
             cJSON_GetObjectItemCaseSensitive(l->options, "order") == NULL;
    source->filters = first && strcmp(l->type, "conv") == 0 && constant->rank == 4;
    return set_dims(m, l, constant, first, w);
}

gyre_status onnx_weights_list(onnx_import *m, const gyre_onnx_weight **out, int *count) {
    *count = 0;
    for (int i = 0; i < m->layers.count; i++) *count += onnx_layer_at(m, i)->weight_count;
    gyre_onnx_weight *list = onnx_take(&m->work, (size_t)*count + 1, sizeof *list);
    if (list == NULL) return m->work.status;
    *count = 0;
    for (int i = 0; i < m->layers.count; i++) {
        const onnx_layer *l = onnx_layer_at(m, i);
        for (int k = 0; l->needed && k < l->weight_count; k++) {
            bool shared = l->tied >= 0 && !onnx_is_statistic(l->weights[k].suffix);
            if (shared) continue;
            GYRE_TRY(add(m, l, k, &list[*count]));
            (*count)++;
        }
    }
    *out = list;
    return GYRE_OK;
}

/* Numbers in the order of the constant's own dimensions. */
static gyre_status read_constant(const onnx_import *m, const onnx_constant *k, float *out) {
    if (k->tensor != NULL) return onnx_numbers_floats(m->work.file, k->tensor, out);
    for (size_t i = 0; i < k->count; i++) out[i] = (float)k->values[k->uniform ? 0 : i];
    return GYRE_OK;
}

/* (a, b, c) as (a, c, b). */
static void exchange(const float *from, float *to, size_t a, size_t b, size_t c) {
    for (size_t i = 0; i < a; i++) {
        for (size_t j = 0; j < b; j++) {
            for (size_t k = 0; k < c; k++) to[(i * c + k) * b + j] = from[(i * b + j) * c + k];
        }
    }
}

gyre_status onnx_weights_read(const onnx_import *m, const gyre_onnx_weight *w, float *out) {
    const onnx_constant *k = w->source->constant;
    bool turned = k->transposed && k->tensor != NULL;
    if (!w->source->filters && !turned && !k->planes) return read_constant(m, k, out);
    float *stored = malloc(gyre_size_of(w->count, sizeof *stored));
    if (stored == NULL) return gyre_no_memory("the weights %s", w->name);
    gyre_status status = read_constant(m, k, stored);
    if (status == GYRE_OK && k->planes)
        exchange(stored, out, 1, (size_t)k->dims[2], (size_t)k->dims[0] * (size_t)k->dims[1]);
    else if (status == GYRE_OK && turned)
        exchange(stored, out, 1, (size_t)k->dims[1], (size_t)k->dims[0]);
    else if (status == GYRE_OK)
        exchange(stored, out, (size_t)k->dims[0], (size_t)k->dims[1],
                 (size_t)k->dims[2] * (size_t)k->dims[3]);
    free(stored);
    return status;
}

const char *onnx_weights_converted(const gyre_onnx_weight *list, int count) {
    for (int i = 0; i < count; i++) {
        const Onnx__TensorProto *t = list[i].source->constant->tensor;
        bool other = t != NULL && t->data_type != ONNX__TENSOR_PROTO__DATA_TYPE__FLOAT;
        if (other) return onnx_type_name(t->data_type);
    }
    return NULL;
}
