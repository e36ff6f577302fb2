/* The graph that is being written: operators, constants, and the values between them. Private to
 * src/onnx/write. */
#ifndef GYRE_ONNX_WRITE_GRAPH_H
#define GYRE_ONNX_WRITE_GRAPH_H

#include "gyre/onnx_write.h"
#include "gyre/wire.h"
#include <stdbool.h>

enum { GRAPH_NAME = GYRE_TORCH_NAME_SIZE + 16 };

/* A tensor of the graph. */
typedef struct {
    char name[GRAPH_NAME];
    bool flat; /* (N, c), else (N, c, h, w) */
} graph_value;

typedef struct {
    const gyre_onnx_network *network;
    gyre_wire nodes, constants;
    bool *written;    /* (parameters) it is among the constants */
    const char *node; /* of the network, which names what is written now */
    int count;        /* values of this node so far */
} graph;

/* An attribute of an operator; a list of them ends with a NULL name. */
typedef struct {
    const char *name;
    enum { GRAPH_INTEGER, GRAPH_FLOAT, GRAPH_TEXT, GRAPH_INTEGERS } kind;
    double number;
    const char *text;
    const int64_t *integers;
    int count;
} graph_attribute;

#define GRAPH_ATTRIBUTES(...) ((const graph_attribute[]){__VA_ARGS__, {.name = NULL}})
#define GRAPH_INT(label, value)                                                                    \
    { .name = label, .kind = GRAPH_INTEGER, .number = (value) }
#define GRAPH_REAL(label, value)                                                                   \
    { .name = label, .kind = GRAPH_FLOAT, .number = (value) }
#define GRAPH_WORD(label, value)                                                                   \
    { .name = label, .kind = GRAPH_TEXT, .text = (value) }
#define GRAPH_LIST(label, values, n)                                                               \
    { .name = label, .kind = GRAPH_INTEGERS, .integers = (values), .count = (n) }

/* What follows belongs to this node. */
void graph_begin_node(graph *g, const char *name);

/* An operator with up to 5 inputs; NULL: left out. The value has the first one's rank. */
graph_value graph_operator(graph *g, const char *operator, const graph_value * const * inputs,
                           int count, const graph_attribute *attributes);
graph_value graph_unary(graph *g, const char *operator, graph_value x,
                        const graph_attribute *attributes);
graph_value graph_binary(graph *g, const char *operator, graph_value x, graph_value y);
/* x and one number: Mul, Add, Div, Pow. */
graph_value graph_with(graph *g, const char *operator, graph_value x, float number);

graph_value graph_floats(graph *g, const float *values, const int64_t *dims, int ndim);
graph_value graph_integers(graph *g, const int64_t *values, int count);
/* A parameter of the network, with `ndim` axes: 1 as a vector, 3 as (c, 1, 1). `own_order`: a
 * linear layer's inputs stay in the order of gyre. */
graph_value graph_parameter(graph *g, int param, int ndim, bool own_order);
/* A running statistic: number `which` of the node that has them at `offset` of the buffers. */
graph_value graph_statistic(graph *g, int node, int which);

/* The same of numbers for each channel that are no weights, with `ndim` axes: NODE/WHAT. */
graph_value graph_constants(graph *g, int node, int which, int ndim);

/* The same numbers with the other rank, where they have not the wanted one. A flat value is of one
 * pixel. */
graph_value graph_flat(graph *g, graph_value x);
graph_value graph_picture(graph *g, graph_value x);

#endif
