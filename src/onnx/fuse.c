/* Fusing: a layer takes over what the one behind it does, and all that read that one read it. */
#include "fuse.h"

#include "needed.h"
#include <stdlib.h>
#include <string.h>

static bool has(const onnx_layer *l, const char *option) {
    return cJSON_GetObjectItemCaseSensitive(l->options, option) != NULL;
}

/* All that read layer `old` read `by` from now on. */
static void replace(onnx_import *m, int *places, int old, int by) {
    places[old] = by;
    m->layers.list[by].uses = m->layers.list[old].uses;
}

/* ---- biases */

typedef struct {
    const Onnx__TensorProto **list; /* of the needed layers' weights, sorted */
    size_t count;
} tensors;

static int compare(const void *a, const void *b) {
    const uintptr_t x = *(const uintptr_t *)a, y = *(const uintptr_t *)b;
    return (x > y) - (x < y);
}

static tensors tensors_of(onnx_import *m) {
    tensors t = {0};
    size_t all = 0;
    for (int i = 0; i < m->layers.count; i++) all += (size_t)m->layers.list[i].weight_count;
    t.list = onnx_take(&m->work, all + 1, sizeof *t.list);
    for (int i = 0; t.list != NULL && i < m->layers.count; i++) {
        const onnx_layer *l = &m->layers.list[i];
        for (int k = 0; l->needed && k < l->weight_count; k++)
            t.list[t.count++] = l->weights[k].constant->tensor;
    }
    if (t.list != NULL) qsort((void *)t.list, t.count, sizeof *t.list, compare);
    return t;
}

/* How many of the layers have the tensor. */
static size_t users_of(const tensors *t, const Onnx__TensorProto *tensor) {
    size_t low = 0, high = t->count, users = 0;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if ((uintptr_t)t->list[middle] < (uintptr_t)tensor)
            low = middle + 1;
        else
            high = middle;
    }
    while (low + users < t->count && t->list[low + users] == tensor) users++;
    return users;
}

/* A sum behind a layer without a bias, which nothing else reads. Where other layers have the same
 * weight and not the same bias, it stays apart, so that they share the weight. */
static void fuse_bias(onnx_import *m, const tensors *t, int *places, int place) {
    const onnx_layer *l = &m->layers.list[place];
    const int at = l->inputs[0];
    onnx_layer *before = onnx_layer_at(m, at);
    const onnx_constant *weight = before == NULL ? NULL : onnx_layer_find_weight(before, "weight");
    onnx_constant *bias = l->weights[0].constant;
    const bool takes = onnx_layer_is(before, "conv") || onnx_layer_is(before, "linear") ||
                       (before != NULL && before->plain);
    if (!takes || weight == NULL || before->uses != 1 || has(before, "relu")) return;
    if (onnx_layer_find_weight(before, "bias") != NULL ||
        bias->count != (size_t)before->size[ONNX_AXIS_C])
        return;
    if (weight->tensor != NULL && users_of(t, weight->tensor) != users_of(t, bias->tensor)) return;
    onnx_layer_weight(before, "bias", bias);
    replace(m, places, place, at);
}

/* ---- activations and sums */

static void fuse_relu(onnx_import *m, int *places, int place) {
    int at = m->layers.list[place].inputs[0];
    onnx_layer *before = onnx_layer_at(m, at);
    bool takes = onnx_layer_is(before, "conv") || onnx_layer_is(before, "linear") ||
                 onnx_layer_is(before, "batch_norm");
    if (!takes || before->uses != 1 || has(before, "relu")) return;
    onnx_option_flag(&m->work, before, "relu", true);
    replace(m, places, place, at);
}

static void fuse_silu(onnx_import *m, int *places, int place) {
    int at = m->layers.list[place].inputs[0];
    onnx_layer *before = onnx_layer_at(m, at);
    if (!onnx_layer_is(before, "group_norm") || before->uses != 1 || has(before, "silu")) return;
    onnx_option_flag(&m->work, before, "silu", true);
    replace(m, places, place, at);
}

/* A batch norm that is read by the sum alone, and comes behind what it is added to. */
static bool takes_sum(const onnx_import *m, int place, int other) {
    const onnx_layer *l = onnx_layer_at(m, place), *o = onnx_layer_at(m, other);
    if (!onnx_layer_is(l, "batch_norm") || l->uses != 1 || l->input_count != 1 || has(l, "relu"))
        return false;
    return other < place && o != NULL && memcmp(&l->size[1], &o->size[1], 3 * sizeof *l->size) == 0;
}

static void fuse_sum(onnx_import *m, int *places, int place) {
    const onnx_layer *sum = &m->layers.list[place];
    for (int k = 0; k < 2 && sum->input_count == 2; k++) {
        int at = sum->inputs[k], other = sum->inputs[1 - k];
        if (!takes_sum(m, at, other)) continue;
        onnx_layer *norm = onnx_layer_at(m, at);
        norm->inputs[norm->input_count++] = other;
        replace(m, places, place, at);
        return;
    }
}

void onnx_fuse(onnx_import *m) {
    int *places = onnx_take(&m->work, (size_t)m->layers.count, sizeof *places);
    const tensors t = tensors_of(m);
    if (places == NULL || t.list == NULL) return;
    for (int i = 0; i < m->layers.count; i++) {
        onnx_layer *l = &m->layers.list[i];
        places[i] = i;
        for (int k = 0; k < l->input_count; k++) {
            if (l->inputs[k] >= 0) l->inputs[k] = places[l->inputs[k]];
        }
        if (!l->needed) continue;
        if (onnx_layer_is(l, "bias")) fuse_bias(m, &t, places, i);
        if (onnx_layer_is(l, "add")) fuse_sum(m, places, i);
        if (onnx_layer_is(l, "relu")) fuse_relu(m, places, i);
        if (onnx_layer_is(l, "silu")) fuse_silu(m, places, i);
    }
    m->output = places[m->output];
    onnx_needed_mark(m);
}
