/* How each type of node is written. Private to src/onnx/write. */
#ifndef GYRE_ONNX_WRITE_NODES_H
#define GYRE_ONNX_WRITE_NODES_H

#include "graph.h"

/* A node at work: sizes are those of one sample. */
typedef struct {
    graph *g;
    int index;
    const gyre_node *node;
    graph_value x[GYRE_NODE_INPUTS];
    int in[GYRE_NODE_INPUTS][3]; /* h, w, c of the inputs */
} nodes_call;

/* Number i of an option. */
static inline int nodes_option(const nodes_call *c, const char *name, int i) {
    return (int)gyre_node_option(c->node, name, i);
}
static inline float nodes_real(const nodes_call *c, const char *name) {
    return (float)gyre_node_option(c->node, name, 0);
}
/* y times its sigmoid. */
graph_value nodes_silu_of(nodes_call *c, graph_value y);
static inline graph_value nodes_relu_of(const nodes_call *c, graph_value y) {
    return nodes_option(c, "relu", 0) != 0 ? graph_unary(c->g, "Relu", y, NULL) : y;
}

typedef struct {
    const char *type;
    graph_value (*write)(nodes_call *c);
} nodes_row;

/* Each ends with a NULL type. */
extern const nodes_row nodes_layers[], nodes_norms[], nodes_activations[], nodes_pools[],
    nodes_attention[], nodes_others[];

#endif
