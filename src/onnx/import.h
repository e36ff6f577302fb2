/* An ONNX graph on its way to a network. Internal to src/onnx.
 *
 * The operators are taken in the file's order. Those on constants are computed, those that move
 * axes change a value's view (view.h), and every other one becomes a layer: a node of the network,
 * or a step, which is an operator that gyre has only as part of a pattern (Erf in GELU). Once the
 * whole pattern is there, its node takes the place of its steps. Layers that the output does not
 * need are dropped at the end; a step that it needs is not supported. */
#ifndef GYRE_ONNX_IMPORT_H
#define GYRE_ONNX_IMPORT_H

#include "layer.h"

enum {
    ONNX_CALL_INPUTS = 1024, /* of an operator */
    ONNX_CALL_OUTPUTS = 4,   /* that count: others are for training alone */
    ONNX_OPSET_MIN = 9,
    ONNX_OPSET_MAX = 28 /* the newest one whose operators were looked at */
};

typedef struct {
    onnx_work work;
    onnx_values values;
    onnx_values equal; /* outputs by what computes them */
    onnx_layers layers;
    int64_t opset;
    int64_t size[ONNX_AXES];   /* of the images; N is the file's, or stands for any */
    const onnx_affine *affine; /* of the images, as layers read them; NULL: none */
    bool affine_known;
    const char *fork;        /* the value that the normalisation ends with; NULL: not known */
    int output;              /* layer */
    const char *softmax;     /* the last operator, which is left out; NULL: it was another */
    bool folded;             /* batch norms lie in convolutions */
    const char *apart;       /* a tensor of two nodes, each of which has a copy; NULL: none */
    const char *averaged;    /* running statistics of two nodes, each of which has its own */
    const char *computed[2]; /* a weight that is none of PyTorch's network, and what it is from */
    int computed_count;
    const char *constant;   /* a parameter that is one here; NULL: none */
    const char *normaliser; /* a parameter, or a buffer, that the images are normalised by */
    double doubtful;        /* a number that may be of pixels of 0 to 1, or to 255; 0: none */
    bool marked;            /* the file tells of its parameters that they are, as dynamo's do */
    bool no_momentum;       /* a batch norm has none that training can use */
    int refused;            /* calls */
} onnx_import;

/* An operator at work. */
typedef struct {
    const Onnx__NodeProto *node;
    onnx_value *in[ONNX_CALL_INPUTS]; /* NULL: left out */
    int in_count;
    onnx_value *out[ONNX_CALL_OUTPUTS]; /* NULL: left out */
} onnx_call;

/* Takes one operator: gives its first output a value. Failures are in m->work.status. */
typedef void (*onnx_operator)(onnx_import *m, onnx_call *c);

bool onnx_call_is(const onnx_call *c, const char *op);
/* An input, or NULL where it is left out or is no constant. */
onnx_constant *onnx_constant_in(const onnx_call *c, int k);
/* Input k is what a layer can read: a layer's output, or the images. Else the call is refused. */
bool onnx_is_picture(onnx_import *m, onnx_call *c, int k);
/* The value is (N, C, H, W); else the call is refused, for this reason or a nearer one. */
bool onnx_is_planes(onnx_import *m, onnx_call *c, const onnx_value *v, const char *why);
/* Likewise that it is a constant; the other: or left out. */
bool onnx_is_weight(onnx_import *m, onnx_call *c, int k);
bool onnx_may_be_weight(onnx_import *m, onnx_call *c, int k);

/* Whether the values, should some of them be the images, are normalised as others read them; else
 * the operator is refused. */
bool onnx_may_read(onnx_import *m, onnx_call *c, onnx_value *const *in, int count);

/* A new layer of `count` inputs, which are pictures, with the size of the first; NULL: out of
 * memory. The first output is the layer's, with the view of the first input. The pointer holds
 * until the next layer is made. */
onnx_layer *onnx_give(onnx_import *m, onnx_call *c, const char *type, onnx_value *const *in,
                      int count);
/* A copy of the layer whose output `v` is, to give it one more weight. */
onnx_layer *onnx_copy_layer(onnx_import *m, onnx_call *c, onnx_value *v);
/* The same for a layer that writes (n, c, h, w). */
onnx_layer *onnx_give_sized(onnx_import *m, onnx_call *c, const char *type, onnx_value *in,
                            int64_t channels, int64_t h, int64_t w);
/* A new layer that reads the value and takes its place: all that read the value read the layer. */
onnx_layer *onnx_insert(onnx_import *m, onnx_call *c, const char *type, onnx_value *v);
/* The first output is the value itself, in another view. */
void onnx_give_view(onnx_call *c, const onnx_value *in, const onnx_view *view);
void onnx_give_same(onnx_call *c, const onnx_value *in);
void onnx_give_constant(onnx_call *c, onnx_constant *k);
/* A step; `number` NaN: it has no constant operand. */
onnx_layer *onnx_give_step(onnx_import *m, onnx_call *c, onnx_value *const *in, int count,
                           double number);
/* The operator is not supported; why: a clause, NULL where what it reads is the cause. */
void onnx_refuse(onnx_import *m, onnx_call *c, const char *why, ...)
    __attribute__((format(printf, 3, 4)));

/* The size of a value's layer, or of the images. */
const int64_t *onnx_size_of(const onnx_import *m, const onnx_value *v);
/* The output of a layer, or the images as layers read them, in the view of another value. */
onnx_value onnx_value_at(const onnx_import *m, int place, const onnx_value *like);
/* The layer of a value, NULL where it has none. */
onnx_layer *onnx_layer_of(const onnx_import *m, const onnx_value *v);
onnx_layer *onnx_layer_at(const onnx_import *m, int place); /* NULL for the images */

#endif
