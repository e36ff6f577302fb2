/* Appends nodes to a model. A failure (too many nodes, an impossible size) is kept in the builder,
 * so that a list of nodes in C reads as a list. Internal to src/model. */
#ifndef GYRE_MODEL_BUILDER_H
#define GYRE_MODEL_BUILDER_H

#include "names.h"
#include "node.h"

enum { BUILDER_IMAGES = -1 };
#define BUILDER_INPUT "images" /* what a list of nodes calls them */
#define BUILDER_LOSS "loss" /* the name of the node that is added last */

struct builder {
    gyre_model *model;
    const gyre_model_settings *settings;
    gyre_status status;
    node_names names;
    int node_room, param_room, statistic_room;
    size_t bytes;                 /* of parameters, statistics and the activations of one sample */
    int shared[GYRE_NODE_PARAMS]; /* of the next node: 1 + the parameter it uses, 0: one of its own
                                   */
    /* how the following nodes are initialised and scaled */
    gyre_init init;
    double spread;      /* of NORMAL and UNIFORM */
    bool spread_by_fan; /* spread is a gain: deviation = spread / sqrt(fan) */
    bool fan_out;
    gyre_init bias_init; /* UNIFORM: half width 1 / sqrt(fan in), as PyTorch does */
    bool any_target;     /* settings->any_target: the loss makes the target that it needs */
    float bias_lr_mult, weight_decay_mult, bias_decay_mult;
};

/* A list of options for builder_node. */
#define BUILDER_OPTIONS(...) ((const node_value[]){__VA_ARGS__, {NULL, 0}})

/* Frees what the builder needed besides the model. */
void builder_close(builder *b);

/* Does a node of the type read so many inputs? */
gyre_status builder_check_inputs(const gyre_node_type *type, const char *name, int count);

/* Appends a node of `type` that reads `inputs`; returns its index. Options that are not given have
 * their default; `options` may be NULL. */
int builder_node(builder *b, const char *type, const char *name, const int *inputs, int input_count,
                 const node_value *options);
/* The same with one input. */
int builder_node_of(builder *b, const char *type, const char *name, int input,
                    const node_value *options);

/* The next node does not get a parameter `which` of its own, but uses that of `owner`. */
void builder_share(builder *b, int which, int owner);

/* Initialisation styles, each with its source. */
void builder_style_caffe(builder *b, double deviation); /* N(0, deviation), bias 0, bias lr x 2 */
void builder_style_xavier(builder *b);                  /* Caffe's xavier: uniform, 3 / fan in */
void builder_style_he(builder *b);                      /* N(0, 2 / fan out), bias 0 */
void builder_style_torch(builder *b);                   /* PyTorch's default of Linear and Conv2d */

/* ---- for the types' define functions; failures go into the builder */

/* What a node's first input is called. */
const char *builder_input_name(const builder *b, const gyre_node *n);
/* The output has the size of the first input. Itself the define of types without parameters. */
gyre_status builder_same_size(builder *b, gyre_node *n, const node_size *in);
/* Parameter 0, NODE.weight, of a node that sums over `fan_in` inputs, in the style of now. */
void builder_weight(builder *b, gyre_node *n, int ndim, const int *dims, double fan_in,
                    double fan_out);
/* Parameter `which`, NODE.WHAT, of `ndim` dimensions, which begins as N(0, deviation) whatever the
 * style. */
void builder_normal(builder *b, gyre_node *n, int which, const char *what, int ndim,
                    const int *dims, double deviation);
/* Parameter 1, NODE.bias, in the style of now. */
void builder_bias(builder *b, gyre_node *n, int count, double fan_in);
/* Parameter `which`, NODE.WHAT: a vector that begins as zeros or ones. */
void builder_vector(builder *b, gyre_node *n, int which, const char *what, int count,
                    gyre_init init);
/* The same, with `value` everywhere. */
void builder_constant(builder *b, gyre_node *n, int which, const char *what, int count,
                      double value);
/* Parameter 0, NODE.weight, of a node that looks up its rows: dims (rows, columns), N(0, 1) as
 * PyTorch's Embedding begins. */
void builder_table(builder *b, gyre_node *n, const int dims[2]);
/* NODE.WHAT in the buffers vector, behind those that the node has declared before. A frozen one
 * stays as it is: the node writes 0 where its moments would go. */
void builder_statistic(builder *b, gyre_node *n, const char *what, int count, float initial,
                       float momentum, bool frozen);

#endif
