/* From the output back to the layers that make its channels: head(x) * 0.5, a mean over pixels, or
 * the sum of two heads have as many channels as the heads. */
#include "classes.h"

#include <string.h>

static bool has_option(const onnx_layer *l, const char *key) {
    return cJSON_GetObjectItemCaseSensitive(l->options, key) != NULL;
}

/* What says how many channels it makes; NULL: it makes none anew. */
static const char *key_of(const onnx_layer *l) {
    if (onnx_layer_is(l, "linear")) return "out";
    return onnx_layer_is(l, "conv") && !has_option(l, "groups") ? "channels" : NULL;
}

/* It has as many channels as each of its inputs, and no numbers of the file for each. */
static bool keeps_channels(const onnx_import *m, const onnx_layer *l) {
    static const char *const names[] = {"average_pool",
                                        "max_pool",
                                        "adaptive_average_pool",
                                        "upsample",
                                        "dropout",
                                        "add",
                                        "mul",
                                        "spatial_dropout",
                                        "scale",
                                        "bias",
                                        "stochastic_depth",
                                        "batch_norm",
                                        "relu",
                                        "relu6",
                                        "gelu",
                                        "mish",
                                        "gelu_tanh",
                                        "leaky_relu",
                                        "elu",
                                        "hardsigmoid",
                                        "hardswish",
                                        "layer_norm",
                                        "sigmoid",
                                        "silu",
                                        "tanh"};
    for (int k = 0; k < l->input_count; k++) {
        const onnx_layer *in = onnx_layer_at(m, l->inputs[k]);
        if (in == NULL || in->size[ONNX_AXIS_C] != l->size[ONNX_AXIS_C]) return false;
    }
    if (onnx_layer_is(l, "affine")) return !has_option(l, "by_channel");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (onnx_layer_is(l, names[i])) return true;
    }
    return false;
}

/* Marks all layers whose channels are the output's; false: something else makes some of them. */
static bool follow(const onnx_import *m, bool *marked) {
    marked[m->output] = true;
    for (int i = m->output; i >= 0; i--) {
        const onnx_layer *l = onnx_layer_at(m, i);
        if (!marked[i]) continue;
        if (key_of(l) != NULL && l->tied < 0) continue;
        if (!keeps_channels(m, l)) return false;
        for (int k = 0; k < l->input_count; k++) marked[l->inputs[k]] = true;
    }
    return true;
}

/* Another layer reads one of them, or has its parameters, and would not fit any more. */
static bool is_read_elsewhere(const onnx_import *m, const bool *marked) {
    for (int i = 0; i < m->layers.count; i++) {
        const onnx_layer *l = onnx_layer_at(m, i);
        if (!l->needed) continue;
        if (l->tied >= 0 && marked[l->tied]) return true;
        const bool makes = marked[i] && key_of(l) != NULL;
        for (int k = 0; k < l->input_count; k++) {
            const bool kept = l->inputs[k] >= 0 && marked[l->inputs[k]];
            if (kept && (makes || !marked[i])) return true;
        }
    }
    return false;
}

void onnx_classes_mark(onnx_import *m) {
    bool *marked = onnx_take(&m->work, (size_t)m->layers.count, sizeof *marked);
    if (marked == NULL || !follow(m, marked) || is_read_elsewhere(m, marked)) return;
    for (int i = 0; i < m->layers.count; i++) {
        onnx_layer *l = onnx_layer_at(m, i);
        const char *key = marked[i] ? key_of(l) : NULL;
        cJSON *classes = key == NULL ? NULL : cJSON_CreateString("classes");
        if (key != NULL && classes == NULL) onnx_fail_memory(&m->work);
        if (classes != NULL && !cJSON_ReplaceItemInObjectCaseSensitive(l->options, key, classes))
            cJSON_Delete(classes);
    }
}
