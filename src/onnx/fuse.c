/* Fusing: a layer takes over what the one behind it does, and all that read that one read it. */
#include "fuse.h"

#include "needed.h"
#include <string.h>

static bool has(const onnx_layer *l, const char *option) {
    return cJSON_GetObjectItemCaseSensitive(l->options, option) != NULL;
}

/* All that read layer `old` read `by` from now on. */
static void replace(onnx_import *m, int *places, int old, int by) {
    places[old] = by;
    m->layers.list[by].uses = m->layers.list[old].uses;
}

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
    if (places == NULL) return;
    for (int i = 0; i < m->layers.count; i++) {
        onnx_layer *l = &m->layers.list[i];
        places[i] = i;
        for (int k = 0; k < l->input_count; k++) {
            if (l->inputs[k] >= 0) l->inputs[k] = places[l->inputs[k]];
        }
        if (!l->needed) continue;
        if (onnx_layer_is(l, "add")) fuse_sum(m, places, i);
        if (onnx_layer_is(l, "relu")) fuse_relu(m, places, i);
        if (onnx_layer_is(l, "silu")) fuse_silu(m, places, i);
    }
    m->output = places[m->output];
    onnx_needed_mark(m);
}
