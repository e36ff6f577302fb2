/* Sizes from the file's list of values, or from an operator's name; see guess.h. */
#include "guess.h"

#include "attribute.h"

#include <string.h>

#define SAMPLE_MAX ((int64_t)1 << 38)

/* Operators of one picture that change its numbers alone. */
static bool keeps_size(const char *op) {
    static const char *const names[] = {"Abs",
                                        "BatchNormalization",
                                        "Cast",
                                        "Celu",
                                        "Clip",
                                        "Dropout",
                                        "Elu",
                                        "Erf",
                                        "Exp",
                                        "Gelu",
                                        "HardSigmoid",
                                        "HardSwish",
                                        "LRN",
                                        "LayerNormalization",
                                        "LeakyRelu",
                                        "Log",
                                        "LogSoftmax",
                                        "Mish",
                                        "Neg",
                                        "PRelu",
                                        "Reciprocal",
                                        "Round",
                                        "Selu",
                                        "Sigmoid",
                                        "Softmax",
                                        "Softplus",
                                        "Softsign",
                                        "Sqrt",
                                        "ThresholdedRelu",
                                        "Tanh"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i], op) == 0) return true;
    }
    return false;
}

/* The shape that the file tells of a value; NULL: none. */
static const Onnx__TensorShapeProto *shape_of(const Onnx__GraphProto *g, const char *name) {
    for (size_t i = 0; i < g->n_value_info; i++) {
        const Onnx__ValueInfoProto *v = g->value_info[i];
        const Onnx__TypeProto *t = v->type;
        if (v->name == NULL || strcmp(v->name, name) != 0 || t == NULL) continue;
        bool tensor = t->value_case == ONNX__TYPE_PROTO__VALUE_TENSOR_TYPE;
        return tensor ? t->tensor_type->shape : NULL;
    }
    return NULL;
}

/* (N, C, H, W) or (N, C); false: it is another shape, or not known. */
static bool read_shape(const Onnx__TensorShapeProto *s, int64_t size[ONNX_AXES]) {
    if (s == NULL || (s->n_dim != 4 && s->n_dim != 2)) return false;
    int64_t all = 1;
    size[ONNX_AXIS_H] = size[ONNX_AXIS_W] = 1;
    for (size_t i = 1; i < s->n_dim; i++) {
        const Onnx__TensorShapeProto__Dimension *d = s->dim[i];
        bool known = d->value_case == ONNX__TENSOR_SHAPE_PROTO__DIMENSION__VALUE_DIM_VALUE;
        if (!known || d->dim_value < 1 || d->dim_value > INT16_MAX) return false;
        size[i] = d->dim_value;
        all *= size[i];
    }
    return all <= SAMPLE_MAX;
}

static const int64_t *size_of(const onnx_guess *g, const onnx_value *v) {
    return v->layer < 0 ? g->images : g->layers->list[v->layer].size;
}

/* A Concat of pictures along any axis. */
static bool join_sizes(const onnx_guess *g, int64_t size[ONNX_AXES]) {
    int64_t axis = onnx_integer(g->node, "axis", 1), all = 1;
    if (axis < 0) axis += ONNX_AXES;
    if (strcmp(g->node->op_type, "Concat") != 0 || axis < 1 || axis >= ONNX_AXES) return false;
    memset(size, 0, ONNX_AXES * sizeof *size);
    for (int k = 0; k < g->in_count; k++) {
        const onnx_value *v = g->in[k];
        if (v == NULL || v->kind != ONNX_PICTURE || v->view.rank != ONNX_AXES ||
            !onnx_view_is(&v->view, "NCHW")) {
            return false;
        }
        for (int i = 0; i < ONNX_AXES; i++) {
            const int64_t more = size_of(g, v)[i];
            size[i] = i == axis ? size[i] + more : more;
        }
    }
    for (int i = 1; i < ONNX_AXES; i++) {
        if (size[i] > INT32_MAX || all > SAMPLE_MAX / (size[i] + 1)) return false;
        all *= size[i];
    }
    return g->in_count > 0;
}

bool onnx_guess_output(const onnx_guess *g, const char *output, int64_t size[ONNX_AXES],
                       onnx_view *view) {
    const onnx_value *in = g->in_count > 0 ? g->in[0] : NULL;
    const Onnx__TensorShapeProto *s = shape_of(g->graph, output);
    const bool picture = in != NULL && in->kind == ONNX_PICTURE;
    /* axes in another order stay so behind the operator, and the list does not tell */
    const bool other =
        picture && !onnx_view_is(&in->view, "NCHW") && !onnx_view_is(&in->view, "NC");
    if (!other && read_shape(s, size)) {
        *view = onnx_view_of(s->n_dim == 4 ? "NCHW" : "NC", size);
        return true;
    }
    if (join_sizes(g, size)) {
        *view = onnx_view_of("NCHW", size);
        return true;
    }
    if (!picture || !keeps_size(g->node->op_type)) return false;
    memcpy(size, size_of(g, in), ONNX_AXES * sizeof *size);
    *view = in->view;
    return true;
}
