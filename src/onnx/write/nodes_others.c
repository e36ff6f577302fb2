/* Nodes that join values, move them, or do nothing outside training. */
#include "nodes.h"

#include <limits.h>

/* All inputs in one rank: flat where all of them are. */
static void match_ranks(nodes_call *c) {
    bool flat = true;
    for (int i = 0; i < c->node->input_count; i++) flat = flat && c->x[i].flat;
    for (int i = 0; i < c->node->input_count && !flat; i++) c->x[i] = graph_picture(c->g, c->x[i]);
}

static graph_value join(nodes_call *c, const char *operator) {
    match_ranks(c);
    graph_value y = c->x[0];
    for (int i = 1; i < c->node->input_count; i++) y = graph_binary(c->g, operator, y, c->x[i]);
    return y;
}

static graph_value add(nodes_call *c) {
    return join(c, "Add");
}
static graph_value mul(nodes_call *c) {
    return join(c, "Mul");
}

static graph_value concat(nodes_call *c) {
    const graph_value *inputs[GYRE_NODE_INPUTS];
    match_ranks(c);
    for (int i = 0; i < c->node->input_count; i++) inputs[i] = &c->x[i];
    return graph_operator(c->g, "Concat", inputs, c->node->input_count,
                          GRAPH_ATTRIBUTES(GRAPH_INT("axis", 1)));
}

static graph_value flatten(nodes_call *c) {
    static const int64_t last[] = {0, 2, 3, 1};
    enum { ORDER_HWC = 0 };
    const bool two_orders = c->in[0][0] * c->in[0][1] > 1 && c->in[0][2] > 1;
    graph_value x = c->x[0];
    if (two_orders && nodes_option(c, "order", 0) == ORDER_HWC) {
        x = graph_unary(c->g, "Transpose", x, GRAPH_ATTRIBUTES(GRAPH_LIST("perm", last, 4)));
    }
    return graph_flat(c->g, x);
}

static graph_value upsample(nodes_call *c) {
    const float factor = nodes_real(c, "factor"), scales[] = {1, 1, factor, factor};
    const int64_t dims[] = {4};
    const graph_value x = graph_picture(c->g, c->x[0]), by = graph_floats(c->g, scales, dims, 1);
    return graph_operator(
        c->g, "Resize", (const graph_value *const[]){&x, NULL, &by}, 3,
        GRAPH_ATTRIBUTES(GRAPH_WORD("mode", "nearest"), GRAPH_WORD("nearest_mode", "floor"),
                         GRAPH_WORD("coordinate_transformation_mode", "asymmetric")));
}

/* Every stride-th pixel, and new channels of zeros, half of them in front. */
static graph_value shortcut(nodes_call *c) {
    const int stride = nodes_option(c, "stride", 0), more = c->node->c - c->in[0][2];
    graph_value x = graph_picture(c->g, c->x[0]);
    if (stride > 1) {
        const int64_t begin[] = {0, 0}, end[] = {INT_MAX, INT_MAX}, axes[] = {2, 3};
        const graph_value from = graph_integers(c->g, begin, 2), to = graph_integers(c->g, end, 2);
        const graph_value which = graph_integers(c->g, axes, 2);
        const graph_value steps = graph_integers(c->g, (const int64_t[]){stride, stride}, 2);
        x = graph_operator(c->g, "Slice",
                           (const graph_value *const[]){&x, &from, &to, &which, &steps}, 5, NULL);
    }
    if (more > 0) {
        const int64_t pads[] = {0, more / 2, 0, 0, 0, more - more / 2, 0, 0};
        x = graph_binary(c->g, "Pad", x, graph_integers(c->g, pads, 8));
    }
    return x;
}

/* Dropout and its like pass everything outside training. */
static graph_value pass(nodes_call *c) {
    return c->x[0];
}

const nodes_row nodes_others[] = {{"add", add},
                                  {"mul", mul},
                                  {"concat", concat},
                                  {"flatten", flatten},
                                  {"upsample", upsample},
                                  {"shortcut", shortcut},
                                  {"dropout", pass},
                                  {"spatial_dropout", pass},
                                  {"stochastic_depth", pass},
                                  {0}};
