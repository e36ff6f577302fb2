/* Attention, gated GELU and learned positions, in operators that every runtime has. */
#include "nodes.h"

#include <math.h>
#include <stdlib.h>

/* (N, heads, d, tokens) of (N, c, h, w) */
static graph_value heads_of(nodes_call *c, graph_value x) {
    const int heads = nodes_option(c, "heads", 0);
    const int64_t dims[] = {0, heads, c->node->c / heads, -1};
    return graph_binary(c->g, "Reshape", graph_picture(c->g, x), graph_integers(c->g, dims, 4));
}

static graph_value turned(nodes_call *c, graph_value x) {
    static const int64_t order[] = {0, 1, 3, 2};
    return graph_unary(c->g, "Transpose", x, GRAPH_ATTRIBUTES(GRAPH_LIST("perm", order, 4)));
}

/* Scores of keys behind the query's own place become -infinity. */
static graph_value masked(nodes_call *c, graph_value scores) {
    const int64_t tokens = (int64_t)c->node->h * c->node->w, dims[] = {tokens, tokens};
    float *mask = calloc((size_t)(tokens * tokens) + 1, sizeof *mask);
    if (mask == NULL) {
        c->g->nodes.failed = true;
        return scores;
    }
    for (int64_t i = 0; i < tokens; i++) {
        for (int64_t j = i + 1; j < tokens; j++) mask[i * tokens + j] = -INFINITY;
    }
    const graph_value constant = graph_floats(c->g, mask, dims, 2);
    free(mask);
    return graph_binary(c->g, "Add", scores, constant);
}

static graph_value attention(nodes_call *c) {
    const int64_t picture[] = {0, c->node->c, c->node->h, c->node->w};
    const float scale = (float)(1 / sqrt((double)(c->node->c / nodes_option(c, "heads", 0))));
    const graph_value query = graph_with(c->g, "Mul", turned(c, heads_of(c, c->x[0])), scale);
    graph_value p = graph_binary(c->g, "MatMul", query, heads_of(c, c->x[1]));
    if (nodes_option(c, "causal", 0) != 0) p = masked(c, p);
    p = graph_unary(c->g, "Softmax", p, GRAPH_ATTRIBUTES(GRAPH_INT("axis", -1)));
    const graph_value y = graph_binary(c->g, "MatMul", heads_of(c, c->x[2]), turned(c, p));
    return graph_binary(c->g, "Reshape", y, graph_integers(c->g, picture, 4));
}

static graph_value half(nodes_call *c, graph_value x, int begin) {
    static const int64_t channels[] = {1};
    const int64_t from[] = {begin}, to[] = {begin + c->node->c}, one[] = {1};
    const graph_value first = graph_integers(c->g, from, 1), end = graph_integers(c->g, to, 1);
    const graph_value axis = graph_integers(c->g, channels, 1);
    const graph_value step = graph_integers(c->g, one, 1);
    return graph_operator(c->g, "Slice",
                          (const graph_value *const[]){&x, &first, &end, &axis, &step}, 5, NULL);
}

/* GELU is b (1 + erf(b / sqrt(2))) / 2. */
static graph_value geglu(nodes_call *c) {
    const graph_value a = half(c, c->x[0], 0), b = half(c, c->x[0], c->node->c);
    const graph_value erf =
        graph_unary(c->g, "Erf", graph_with(c->g, "Mul", b, (float)sqrt(0.5)), NULL);
    const graph_value twice = graph_with(c->g, "Add", erf, 1);
    const graph_value gelu = graph_binary(c->g, "Mul", graph_with(c->g, "Mul", b, 0.5f), twice);
    return graph_binary(c->g, "Mul", a, gelu);
}

/* The parameter is (1, h w, c), or (c, h, w), as PyTorch's network has it, and is added to such
 * rows or planes: who reads the file sees it as it is. */
static graph_value positions(nodes_call *c) {
    static const int64_t last[] = {0, 2, 3, 1}, first[] = {0, 3, 1, 2};
    const gyre_node *n = c->node;
    const int64_t rows[] = {0, (int64_t)n->h * n->w, n->c}, pixels[] = {0, n->h, n->w, n->c};
    const graph_value w = graph_parameter(c->g, n->params[0], 3, false);
    graph_value x = graph_picture(c->g, c->x[0]);
    if (c->g->network->model->params[n->params[0]].picture[0] > 0)
        return graph_binary(c->g, "Add", x, w);
    x = graph_unary(c->g, "Transpose", x, GRAPH_ATTRIBUTES(GRAPH_LIST("perm", last, 4)));
    x = graph_binary(c->g, "Reshape", x, graph_integers(c->g, rows, 3));
    x = graph_binary(c->g, "Add", x, w);
    x = graph_binary(c->g, "Reshape", x, graph_integers(c->g, pixels, 4));
    return graph_unary(c->g, "Transpose", x, GRAPH_ATTRIBUTES(GRAPH_LIST("perm", first, 4)));
}

const nodes_row nodes_attention[] = {
    {"attention", attention}, {"geglu", geglu}, {"positions", positions}, {0}};
