/* A model: a list of layers, the layout of its flat parameter vector, and its initial weights.
 *
 * Plain host data, the same on every rank, built once. The flat vector holds the parameters
 * grouped by (lr_mult, decay_mult, frozen), in layer order inside a group. Each begins on a 64-byte
 * boundary, which device libraries want; the floats between them are 0 in every vector. */
#ifndef GYRE_MODEL_H
#define GYRE_MODEL_H

#include "gyre/settings.h"
#include "gyre/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum {
    GYRE_LAYER_CONV,
    GYRE_LAYER_LINEAR,
    GYRE_LAYER_NORM,
    GYRE_LAYER_RELU,
    GYRE_LAYER_POOL,
    GYRE_LAYER_LRN,
    GYRE_LAYER_SHORTCUT
} gyre_layer_kind;

typedef struct {
    gyre_layer_kind kind;
    char name[40];      /* "layer1.0.conv1" */
    int input;          /* index of the layer whose output it reads; -1: the images */
    int residual;       /* NORM: index of the layer whose output is added; -1: none */
    int h, w, c;        /* of its output */
    int r, stride, pad; /* window of CONV, POOL and LRN; stride of SHORTCUT */
    bool relu;          /* on the output; of LRN, on its input */
    bool max, ceil;
    float alpha, beta; /* LRN */
    int weight, bias;  /* indices of parameters (gamma and beta of NORM); -1: none */
    size_t moments;    /* NORM: offset of its (mean, variance) pair in the buffers vector */
} gyre_layer;

typedef enum { GYRE_INIT_ZERO, GYRE_INIT_ONE, GYRE_INIT_NORMAL, GYRE_INIT_UNIFORM } gyre_init;

typedef struct {
    char name[48];        /* "layer1.0.conv1.weight" */
    int dims[4];          /* conv (k, r, r, c); linear (out, in), in = (h, w, c) flat; else (n) */
    int rank;             /* number of dims */
    size_t offset, count; /* in the flat vector, floats */
    float lr_mult, decay_mult;
    gyre_init init;
    double spread; /* standard deviation, or half width of the uniform distribution */
    bool frozen;
} gyre_param;

typedef struct {
    size_t offset, count; /* in the flat vector */
    float lr_mult, decay_mult;
    bool frozen; /* frozen parameters get no gradient and no update */
} gyre_param_group;

typedef struct {
    char name[40];
    int h, w, c, classes; /* of the input images */
    int layer_count, param_count, group_count;
    gyre_layer *layers; /* the last one gives the logits (n, classes) */
    gyre_param *params;
    gyre_param_group *groups;
    size_t parameters; /* floats in the flat vector, alignment included */
    size_t count;      /* parameters of the model, for people */
    size_t buffers;    /* floats of running statistics, (mean(c), variance(c)) per NORM layer */
    bool norm_frozen;
} gyre_model;

/* Names and one-line descriptions of the zoo, for help and error messages; NULL past the end. */
const char *gyre_model_name(int index);
const char *gyre_model_words(int index);

/* Builds settings->name for images (h, w, c) and `classes`. Errors: GYRE_EUSAGE naming the nearest
 * model, a size that the model cannot take, or a freeze name that matches nothing. */
gyre_status gyre_model_open(const gyre_model_settings *settings, int h, int w, int c, int classes,
                            gyre_model **out);
void gyre_model_close(gyre_model *m);

/* Initial parameters and running statistics: pure functions of (seed, parameter name, index). */
void gyre_model_init(const gyre_model *m, uint64_t seed, float *parameters, float *buffers);

#endif
