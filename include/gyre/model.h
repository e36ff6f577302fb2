/* A model: a list of nodes, the layout of its flat parameter vector, and its initial weights.
 *
 * Plain host data, the same on every rank, built once. The flat vector holds the parameters
 * grouped by (lr_mult, decay_mult, frozen, until), in node order inside a group. Each begins on a
 * 64-byte boundary, which device libraries need; the floats between them are 0 in every vector. */
#ifndef GYRE_MODEL_H
#define GYRE_MODEL_H

#include "gyre/contexts.h"
#include "gyre/metric.h"
#include "gyre/settings.h"
#include "gyre/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

enum {
    GYRE_NODE_INPUTS = 3,
    GYRE_NODE_PARAMS = 4,
    GYRE_NODE_NAME_SIZE = 128 /* of nodes and parameters, with the NUL */
};

/* What the nodes of one kind have in common: src/model/node.h. */
typedef struct gyre_node_type gyre_node_type;

typedef struct {
    const gyre_node_type *type;
    char name[GYRE_NODE_NAME_SIZE]; /* "layer1.0.conv1" */
    int inputs[GYRE_NODE_INPUTS]; /* nodes whose outputs it reads, all before it; -1: the images */
    int input_count;
    int h, w, c;                  /* of its output; all 0 for a loss */
    int params[GYRE_NODE_PARAMS]; /* indices; -1: none */
    size_t statistics;   /* offset of its running statistics in the buffers vector, if it has any */
    void *options;       /* the type's struct; NULL: it has none */
    unsigned by_classes; /* a bit for each option, by its place, that is the number of classes */
} gyre_node;

typedef enum {
    GYRE_INIT_ZERO,
    GYRE_INIT_ONE,
    GYRE_INIT_NORMAL,
    GYRE_INIT_UNIFORM,
    GYRE_INIT_WHITEN, /* filters made from training images */
    GYRE_INIT_DIRAC, /* filter i passes channel i on, as far as there are channels; the rest UNIFORM
                      */
    GYRE_INIT_CONSTANT
} gyre_init;

/* What a parameter or running statistic is in PyTorch's network, where that does not follow from
 * its node. */
typedef struct {
    char *name;    /* owned; NULL: as its node says */
    bool computed; /* it is none, but was computed from parameters there: it does not go back */
    bool shaped;   /* it has another shape there than its node says: */
    int dims[4];
    int ndim; /* 0: of a single number */
} gyre_torch_param;

/* A parameter belongs to the node that named it; later nodes may use it as well. */
typedef struct {
    char name[GYRE_NODE_NAME_SIZE]; /* "layer1.0.conv1.weight" */
    int dims[4];                    /* conv (k, r, r, c); linear (out, in); else (n) */
    int ndim;
    int picture[3];       /* (h, w, c) whose values are the last dim, in this order, or all of it,
                           * and in PyTorch's network (c, h, w); h 0: none */
    bool torch_hwc;       /* PyTorch's network has the picture's values in this order, too */
    size_t offset, count; /* in the flat vector, floats */
    float lr_mult, decay_mult;
    float node_lr_mult, node_decay_mult; /* as the network says, without optimizer.groups */
    int64_t until; /* updates that it learns in, from the run's first one on; 0: in all */
    gyre_init init;
    double
        spread; /* of NORMAL the deviation, of UNIFORM and DIRAC the half width, or the CONSTANT */
    double fan_in, fan_out; /* of weights that sum; of a bias fan_in alone; else 0 */
    bool own_init;          /* of the rest: begins otherwise than its node type says */
    bool frozen;
    bool dense;      /* a convolution of 1 x 1 that is a linear layer in PyTorch's network */
    bool transposed; /* (in, out) in PyTorch's network, whose rows are in the order of the last dim
                      */
    gyre_torch_param torch;
} gyre_param;

typedef struct {
    size_t offset, count; /* in the flat vector */
    float lr_mult, decay_mult;
    bool frozen;   /* frozen parameters get no gradient and no update */
    int64_t until; /* nor do others from this update on; 0: they always do */
} gyre_param_group;

/* Running averages of what a node saw in training, which evaluation uses. */
typedef struct {
    char name[GYRE_NODE_NAME_SIZE]; /* "layer1.0.bn1.running_mean" */
    int node;
    size_t offset, count; /* in the buffers vector */
    float initial;
    float momentum; /* weight of each step's */
    bool frozen;    /* stays as it is */
    gyre_torch_param torch;
} gyre_statistic;

typedef struct {
    char name[40];
    int h, w, c, classes; /* of the input; classes: or values of a position of the target */
    gyre_target target;
    int node_count, param_count, group_count, statistic_count;
    gyre_node *nodes; /* the last one is the loss; what it reads first, the logits (n, classes) */
    gyre_param *params;
    gyre_param_group *groups;
    gyre_statistic *statistics;
    size_t parameters;         /* floats in the flat vector, alignment included */
    size_t count;              /* parameters of the model, for people */
    size_t buffers;            /* floats of running statistics */
    const gyre_metric *metric; /* the first one of its loss */
    const char *loss;          /* as model.loss names it */
    bool mixes_labels;         /* its loss takes a share of each of two classes */
    float label_smoothing;     /* s: in training, targets are (1 - s) one-hot + s / classes */
    float *class_weights;      /* (classes), factors on the loss; NULL: all 1 */
    bool draws_in_evaluation;  /* a node of it does: each sample is evaluated some times */
    int bands;                 /* in which the loss adds up evaluations; 0: it has none */
    const gyre_contexts
        *contexts;    /* what nodes of type context read, not its own; NULL: not given */
    bool norm_frozen; /* all statistics stay, and normalisation uses them in training, too */
} gyre_model;

/* Names and one-line summaries of the networks, for help and error messages; NULL past the end. */
const char *gyre_model_name(int index);
const char *gyre_model_summary(int index);

/* Likewise the losses that settings->loss may name. */
const char *gyre_model_loss(int index);
const char *gyre_model_loss_summary(int index);

/* The types of nodes with their options, on a terminal and as docs/nodes.md. */
void gyre_node_types_help(FILE *out);
void gyre_node_types_help_markdown(FILE *out);

/* Nothing is asked of a network's noise but what is the default. */
bool gyre_denoise_is_usual(const gyre_denoise_settings *d);

/* Builds settings->layers, or else settings->unet, or else settings->name, for images (h, w, c) and
 * `classes`. Errors: GYRE_EUSAGE naming the nearest model or loss, a size that the model cannot
 * take, or a freeze name that matches nothing. */
gyre_status gyre_model_open(const gyre_model_settings *settings, int h, int w, int c, int classes,
                            gyre_model **out);
void gyre_model_close(gyre_model *m);

/* The network as settings->layers takes it, each node on a line; equal networks have equal texts.
 * free() it. */
gyre_status gyre_model_print(const gyre_model *m, char **out);

/* The same as the config.json of diffusers' UNet2DModel or UNet2DConditionModel, on one line, for a
 * network that has its nodes; NULL: it is another one. free() it. */
gyre_status gyre_model_unet(const gyre_model *m, char **out);

/* A node for people. */
typedef struct {
    const char *name, *type;
    int h, w, c;       /* of its output; all 0 for a loss */
    size_t parameters; /* its own */
    double flop;       /* of the forward pass of one sample: 2 for each multiply-add of weights */
    size_t bytes;      /* of its output for one sample, in f32 */
} gyre_node_summary;
gyre_node_summary gyre_model_node(const gyre_model *m, int index);

/* Values of outputs and gradients that training holds at once for each sample of a shard. */
gyre_status gyre_model_activations(const gyre_model *m, size_t *out);

/* Number i of an option of a node (docs/nodes.md), of a choice its place in the list; NAN: there is
 * none. */
double gyre_node_option(const gyre_node *n, const char *name, int i);

/* Are the contexts there, and of the size, that nodes of type context read? GYRE_EUSAGE. */
gyre_status gyre_model_check_contexts(const gyre_model *m);

/* Does the network tell a class for each sample? */
bool gyre_model_tells_label(const gyre_model *m);

/* The index of the node whose output is the model's, and how many values a sample has there. */
int gyre_model_output(const gyre_model *m);
size_t gyre_model_outputs(const gyre_model *m);
/* Likewise of the node that the outputs' node reads first, the features that they follow from; -1
 * and 0: it reads the images. */
int gyre_model_feature_node(const gyre_model *m);
size_t gyre_model_features(const gyre_model *m);

/* Initial parameters and running statistics: pure functions of (seed, parameter name, index). Those
 * that are made from images (GYRE_INIT_WHITEN) stay as they are. */
void gyre_model_init(const gyre_model *m, uint64_t seed, float *parameters, float *buffers);

#endif
