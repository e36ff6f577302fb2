/* Normalisation: batch, layer, group, and local response. */
#include "nodes.h"

#include <stdlib.h>

/* A vector of one number. */
static graph_value filled(nodes_call *c, int count, float number) {
    const int64_t dims[] = {count};
    float *numbers = calloc((size_t)count + 1, sizeof *numbers);
    if (numbers == NULL) {
        c->g->constants.failed = true;
        return c->x[0];
    }
    for (int i = 0; i < count; i++) numbers[i] = number;
    const graph_value v = graph_floats(c->g, numbers, dims, 1);
    free(numbers);
    return v;
}

/* A norm's weight (0) or bias (1), or the number in its place. */
static graph_value part(nodes_call *c, int which) {
    const int param = c->node->params[which];
    return param < 0 ? filled(c, c->node->c, which == 0) : graph_parameter(c->g, param, 1, false);
}

static graph_value batch_norm(nodes_call *c) {
    const graph_value scale = part(c, 0), bias = part(c, 1);
    const graph_value mean = graph_statistic(c->g, c->index, 0);
    const graph_value variance = graph_statistic(c->g, c->index, 1);
    const graph_attribute attributes[] = {
        GRAPH_REAL("epsilon", gyre_node_option(c->node, "eps", 0)),
        GRAPH_REAL("momentum", 1 - gyre_node_option(c->node, "momentum", 0)), /* of the old */
        {.name = NULL}};
    graph_value y = graph_operator(
        c->g, "BatchNormalization",
        (const graph_value *const[]){&c->x[0], &scale, &bias, &mean, &variance}, 5, attributes);
    if (c->node->input_count > 1) {
        const graph_value other = c->x[1];
        y = graph_binary(c->g, "Add", y,
                         y.flat ? graph_flat(c->g, other) : graph_picture(c->g, other));
    }
    return nodes_relu_of(c, y);
}

/* Over the channels of each pixel, which have to be last. */
static graph_value layer_norm(nodes_call *c) {
    static const int64_t last[] = {0, 2, 3, 1}, first[] = {0, 3, 1, 2};
    const bool with_bias = c->node->params[1] >= 0;
    const graph_value scale = part(c, 0);
    graph_value bias = {0};
    if (with_bias) bias = part(c, 1);
    const graph_attribute attributes[] = {
        GRAPH_INT("axis", -1),
        GRAPH_REAL("epsilon", gyre_node_option(c->node, "eps", 0)),
        {.name = NULL}};
    graph_value x = c->x[0];
    if (!x.flat)
        x = graph_unary(c->g, "Transpose", x, GRAPH_ATTRIBUTES(GRAPH_LIST("perm", last, 4)));
    graph_value y =
        graph_operator(c->g, "LayerNormalization", (const graph_value *const[]){&x, &scale, &bias},
                       with_bias ? 3 : 2, attributes);
    if (y.flat) return y;
    return graph_unary(c->g, "Transpose", y, GRAPH_ATTRIBUTES(GRAPH_LIST("perm", first, 4)));
}

/* Instance norm of the groups as if they were channels, then factor and bias of each channel. */
static graph_value group_norm(nodes_call *c) {
    static const char *const operators[] = {"Mul", "Add"};
    const int groups = nodes_option(c, "groups", 0);
    const int64_t apart[] = {0, groups, -1},
                  together[] = {0, c->in[0][2], c->in[0][0], c->in[0][1]};
    const graph_attribute eps[] = {GRAPH_REAL("epsilon", gyre_node_option(c->node, "eps", 0)),
                                   {.name = NULL}};
    const graph_value one = filled(c, groups, 1), zero = filled(c, groups, 0);
    const graph_value x =
        graph_binary(c->g, "Reshape", graph_picture(c->g, c->x[0]), graph_integers(c->g, apart, 3));
    graph_value y = graph_operator(c->g, "InstanceNormalization",
                                   (const graph_value *const[]){&x, &one, &zero}, 3, eps);
    y = graph_binary(c->g, "Reshape", y, graph_integers(c->g, together, 4));
    for (int i = 0; i < 2; i++) {
        const int param = c->node->params[i];
        if (param < 0) continue;
        y = graph_binary(c->g, operators[i], y, graph_parameter(c->g, param, 3, false));
    }
    if (nodes_option(c, "silu", 0) != 0) y = nodes_silu_of(c, y);
    return y;
}

/* x / (k + alpha mean)^beta */
static graph_value divide(nodes_call *c, graph_value x, graph_value mean, float k) {
    const graph_value share = graph_with(c->g, "Mul", mean, nodes_real(c, "alpha"));
    const graph_value sum = graph_with(c->g, "Add", share, k);
    return graph_binary(c->g, "Div", x, graph_with(c->g, "Pow", sum, nodes_real(c, "beta")));
}

/* Within a channel: the mean of squares over a window, whose pixels outside the picture are 0. */
static graph_value lrn(nodes_call *c) {
    const int size = nodes_option(c, "size", 0), reach = size / 2;
    const int64_t window[] = {size, size}, pads[] = {reach, reach, reach, reach};
    const graph_attribute attributes[] = {GRAPH_LIST("kernel_shape", window, 2),
                                          GRAPH_LIST("pads", pads, 4),
                                          GRAPH_INT("count_include_pad", 1),
                                          {.name = NULL}};
    const graph_value x = nodes_relu_of(c, graph_picture(c->g, c->x[0]));
    const graph_value square = graph_binary(c->g, "Mul", x, x);
    return divide(c, x, graph_unary(c->g, "AveragePool", square, attributes), 1);
}

/* ONNX's LRN has its larger half behind the channel, gyre and PyTorch have it in front: a window of
 * an even size is a pool over channels, with zeros around them. */
static graph_value channel_lrn(nodes_call *c) {
    const int size = nodes_option(c, "size", 0);
    const graph_value x = graph_picture(c->g, c->x[0]);
    if (size % 2 == 1) {
        const graph_attribute attributes[] = {GRAPH_INT("size", size),
                                              GRAPH_REAL("alpha", nodes_real(c, "alpha")),
                                              GRAPH_REAL("beta", nodes_real(c, "beta")),
                                              GRAPH_REAL("bias", nodes_real(c, "k")),
                                              {.name = NULL}};
        return graph_unary(c->g, "LRN", x, attributes);
    }
    const int64_t axes[] = {1}, window[] = {size, 1, 1};
    const int64_t pads[] = {size / 2, 0, 0, (size - 1) / 2, 0, 0};
    const graph_attribute attributes[] = {GRAPH_LIST("kernel_shape", window, 3),
                                          GRAPH_LIST("pads", pads, 6),
                                          GRAPH_INT("count_include_pad", 1),
                                          {.name = NULL}};
    const graph_value one = graph_integers(c->g, axes, 1);
    const graph_value square =
        graph_binary(c->g, "Unsqueeze", graph_binary(c->g, "Mul", x, x), one);
    const graph_value mean = graph_unary(c->g, "AveragePool", square, attributes);
    return divide(c, x, graph_binary(c->g, "Squeeze", mean, one), nodes_real(c, "k"));
}

const nodes_row nodes_norms[] = {{"batch_norm", batch_norm},   {"layer_norm", layer_norm},
                                 {"group_norm", group_norm},   {"lrn", lrn},
                                 {"channel_lrn", channel_lrn}, {0}};
