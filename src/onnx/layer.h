/* The layers of the network in the making. Internal to src/onnx. */
#ifndef GYRE_ONNX_LAYER_H
#define GYRE_ONNX_LAYER_H

#include "value.h"
#include <cjson/cJSON.h>

enum {
    ONNX_LAYER_INPUTS = 3, /* as many as a node of gyre reads */
    ONNX_LAYER_WEIGHTS = 4 /* and has */
};

typedef struct {
    const char *suffix; /* "weight", "running_mean" */
    onnx_constant *constant;
    bool named; /* it goes back to PyTorch's network under the name that it has there */
} onnx_weight;

/* A node; or, without a type, a step: an operator that only patterns know. */
typedef struct {
    const char *type; /* of gyre's nodes; NULL: a step */
    const Onnx__NodeProto *from;
    int inputs[ONNX_LAYER_INPUTS], input_count;
    int64_t size[ONNX_AXES]; /* of its output; N is the file's */
    cJSON *options;
    onnx_weight weights[ONNX_LAYER_WEIGHTS];
    int weight_count;
    const char *name;
    int64_t pads[4];  /* of a step that pads: top, left, bottom, right */
    int64_t steps[2]; /* of a Slice: along height and width */
    int64_t heads;    /* of a step of attention, the product of queries and keys; 0 */
    int half;         /* of a step that takes a half of the channels: 1, 2; 0 */
    bool causal;      /* of a step of attention: it leaves out what comes behind a query's place */
    bool volume;      /* a step on (N, 1, C, H, W), whose pads are of channels */
    int stand_in;     /* of a step: the layer + 1 in its place as a node; 0: none */
    bool doubtful;    /* what it trains may be a buffer */
    bool fitted;      /* a pool whose windows may follow the size of the example: it may be, */
    bool adaptive;    /* or is, an adaptive one */
    bool follows;     /* the file computes what it multiplies by, or adds, of its parameter */
    const onnx_constant *made_of; /* its constant, which parameters decide; NULL: none do */
    bool plain;            /* a normalisation whose weight and bias may come as Mul and Add */
    bool fixed;            /* a norm of a bias alone: its weight stays 1 */
    bool number_first;     /* of a step: number - x, number / x */
    double number;         /* its constant operand; NaN: none, or one that is trained */
    double trained_number; /* an operand that is trained, of whose value patterns know nothing */
    const char *why;       /* it is not supported; NULL: its operator is no node */
    bool silent;           /* it is not supported because of what it reads */
    int uses;              /* by layers that the output needs, and by the output */
    bool needed;           /* by the output */
    int tied;              /* the layer whose parameters it uses; < 0: it has its own */
} onnx_layer;

typedef struct {
    onnx_layer *list;
    int count, room;
} onnx_layers;

/* A new layer, whose size is to be set; -1: out of memory. Inputs are places in the list,
 * or ONNX_IMAGES. */
int onnx_layers_add(onnx_work *w, onnx_layers *l, const char *type, const Onnx__NodeProto *from,
                    const int *inputs, int count);
void onnx_layers_close(onnx_layers *l);
/* It is a node of this type; NULL, the images, are none. */
bool onnx_layer_is(const onnx_layer *l, const char *type);

/* Options; those of a list are one number where all are the same. */
void onnx_option(onnx_work *w, onnx_layer *l, const char *key, double value);
void onnx_option_flag(onnx_work *w, onnx_layer *l, const char *key, bool value);
void onnx_option_text(onnx_work *w, onnx_layer *l, const char *key, const char *value);
void onnx_option_list(onnx_work *w, onnx_layer *l, const char *key, const int64_t *values,
                      int count);
void onnx_layer_weight(onnx_layer *l, const char *suffix, onnx_constant *constant);
/* NULL: it has none of this name. */
onnx_constant *onnx_layer_find_weight(const onnx_layer *l, const char *suffix);
/* It is no parameter: training does not change it by a gradient. */
bool onnx_is_statistic(const char *suffix);
/* The decimal with the fewest digits that is the same float. */
double onnx_short(double value);
/* The same for 1 - value, of which the file has the float. */
double onnx_short_complement(double value);

#endif
