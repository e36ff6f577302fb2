/* Convolutions and linear layers. */
#include "nodes.h"

#include <string.h>

static const gyre_param *weight_of(const nodes_call *c) {
    return &c->g->network->model->params[c->node->params[0]];
}

static graph_value transpose(nodes_call *c, graph_value x, const int64_t order[4]) {
    return graph_unary(c->g, "Transpose", x, GRAPH_ATTRIBUTES(GRAPH_LIST("perm", order, 4)));
}

/* The channels of each pixel times a matrix (in, out). */
static graph_value pixels(nodes_call *c) {
    static const int64_t last[] = {0, 2, 3, 1}, second[] = {0, 3, 1, 2};
    const graph_value x = transpose(c, graph_picture(c->g, c->x[0]), last);
    const graph_value w = graph_parameter(c->g, c->node->params[0], 2, false);
    graph_value y = graph_binary(c->g, "MatMul", x, w);
    if (c->node->params[1] >= 0) {
        y = graph_binary(c->g, "Add", y, graph_parameter(c->g, c->node->params[1], 1, false));
    }
    return nodes_relu_of(c, transpose(c, y, second));
}

static graph_value conv(nodes_call *c) {
    const int64_t pads[] = {nodes_option(c, "pad", 0), nodes_option(c, "pad", 1),
                            nodes_option(c, "pad", 2), nodes_option(c, "pad", 3)};
    const int64_t strides[] = {nodes_option(c, "stride", 0), nodes_option(c, "stride", 1)};
    const int64_t dilations[] = {nodes_option(c, "dilation", 0), nodes_option(c, "dilation", 1)};
    const int64_t size[] = {nodes_option(c, "size", 0), nodes_option(c, "size", 1)};
    const graph_attribute attributes[] = {GRAPH_LIST("kernel_shape", size, 2),
                                          GRAPH_LIST("strides", strides, 2),
                                          GRAPH_LIST("pads", pads, 4),
                                          GRAPH_LIST("dilations", dilations, 2),
                                          GRAPH_INT("group", nodes_option(c, "groups", 0)),
                                          {.name = NULL}};
    if (weight_of(c)->transposed) return pixels(c);
    const graph_value x = graph_picture(c->g, c->x[0]);
    const bool bias = c->node->params[1] >= 0;
    const graph_value w = graph_parameter(c->g, c->node->params[0], 4, false);
    graph_value b = {0};
    if (bias) b = graph_parameter(c->g, c->node->params[1], 1, false);
    return nodes_relu_of(c, graph_operator(c->g, "Conv", (const graph_value *const[]){&x, &w, &b},
                                           bias ? 3 : 2, attributes));
}

static bool reads_picture_of(const gyre_model *m, const gyre_node *n, const gyre_param *p) {
    const int from = n->inputs[0];
    const int size[] = {from < 0 ? m->h : m->nodes[from].h, from < 0 ? m->w : m->nodes[from].w,
                        from < 0 ? m->c : m->nodes[from].c};
    return size[0] * size[1] > 1 && memcmp(size, p->picture, sizeof size) == 0;
}

/* The weight is written in the order (c, h, w) of PyTorch's network: each layer that has it reads
 * the same picture. What is flat already has gyre's order, whatever it was flattened from, and so
 * has the weight then, for all layers that share it. */
static bool is_by_planes(const nodes_call *c) {
    const gyre_model *m = c->g->network->model;
    const int param = c->node->params[0];
    bool planes = !m->params[param].torch_hwc && !m->params[param].transposed;
    for (int i = 0; i < m->node_count && planes; i++) {
        if (m->nodes[i].params[0] == param)
            planes = reads_picture_of(m, &m->nodes[i], &m->params[param]);
    }
    return planes;
}

static graph_value linear(nodes_call *c) {
    static const int64_t last[] = {0, 2, 3, 1};
    const gyre_param *p = weight_of(c);
    const bool row = c->in[0][0] * c->in[0][1] == 1, planes = is_by_planes(c);
    const bool turned = !planes && !row && c->in[0][2] > 1;
    const graph_value x = graph_flat(c->g, turned ? transpose(c, c->x[0], last) : c->x[0]);
    const bool bias = c->node->params[1] >= 0;
    const graph_value w = graph_parameter(c->g, c->node->params[0], 2, !planes && !p->transposed);
    graph_value b = {0};
    if (bias) b = graph_parameter(c->g, c->node->params[1], 1, false);
    return nodes_relu_of(c, graph_operator(c->g, "Gemm", (const graph_value *const[]){&x, &w, &b},
                                           bias ? 3 : 2,
                                           GRAPH_ATTRIBUTES(GRAPH_INT("transB", !p->transposed))));
}

/* What several nodes share has the axes that all of them have: of pictures, or of rows. */
static void match_sharers(nodes_call *c) {
    const gyre_model *m = c->g->network->model;
    int users = 0, rows = 0;
    for (int i = 0; i < m->node_count; i++) {
        const bool uses = m->nodes[i].params[0] == c->node->params[0];
        users += uses;
        rows += uses && m->nodes[i].h * m->nodes[i].w == 1;
    }
    if (users > 1)
        c->x[0] = rows == users ? graph_flat(c->g, c->x[0]) : graph_picture(c->g, c->x[0]);
}

/* A number for each channel, or one. */
static graph_value learned(nodes_call *c, const char *operator) {
    const bool one = nodes_option(c, "by_channel", 1) == 0;
    if (!one) match_sharers(c);
    const int rank = one || c->x[0].flat ? 1 : 3;
    const graph_value w = graph_parameter(c->g, c->node->params[0], rank, false);
    return graph_binary(c->g, operator, c->x[0], w);
}

static graph_value scale(nodes_call *c) {
    return learned(c, "Mul");
}

static graph_value bias(nodes_call *c) {
    return learned(c, "Add");
}

/* Numbers that no training changes. Those for each channel have names that no parameter has. */
static graph_value affine(nodes_call *c) {
    static const char *const operators[] = {"Mul", "Add"}, *const names[] = {"factor", "shift"};
    const bool by_channel = nodes_option(c, "by_channel", 0) != 0;
    graph_value y = c->x[0];
    for (int i = 0; i < 2; i++) {
        const float number = nodes_real(c, names[i]);
        if (by_channel)
            y = graph_binary(c->g, operators[i], y,
                             graph_constants(c->g, c->index, i, y.flat ? 1 : 3));
        else if (number != (i == 0))
            y = graph_with(c->g, operators[i], y, number);
    }
    return y;
}

const nodes_row nodes_layers[] = {{"conv", conv}, {"linear", linear}, {"scale", scale},
                                  {"bias", bias}, {"affine", affine}, {0}};
