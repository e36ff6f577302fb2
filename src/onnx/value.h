/* The values of a graph by name: what inputs, initialisers and operators give. Internal to
 * src/onnx. */
#ifndef GYRE_ONNX_VALUE_H
#define GYRE_ONNX_VALUE_H

#include "constant.h"

enum { ONNX_IMAGES = -1 }; /* in place of a layer: the network's input */

/* x -> scale * x + shift for each channel of the images, and + image for each of their numbers. */
typedef struct {
    double *scale, *shift;
    double *step;        /* the last factor in scale */
    const double *image; /* (c, h, w); NULL: none */
} onnx_affine;
/* Both leave the same numbers of images of so many channels; NULL leaves them as they are. */
bool onnx_affine_same(const onnx_affine *a, const onnx_affine *b, int64_t channels);

typedef enum {
    ONNX_CONSTANT, /* `constant` */
    ONNX_PICTURE,  /* a layer's output, as `view` has it */
    ONNX_HALVES, /* a sequence: the halves of the channels of a layer's output, as `view` has it */
    ONNX_NOISE,  /* 1 with the probability `keep`, else 0, times `factor`; `view` is its shape */
    ONNX_UNKNOWN /* behind something that is not supported */
} onnx_kind;

typedef struct {
    const char *name;
    onnx_kind kind;
    onnx_constant *constant;
    int layer; /* ONNX_IMAGES: the images, as `affine` changes them (NULL: not at all) */
    onnx_view view;
    const onnx_affine *affine;
    double keep, factor; /* keep: < 0 before the comparison */
    double raised;       /* NOISE, before the comparison: a number that was added */
    bool constant_like;  /* UNKNOWN: no input decides it */
    bool forked; /* the images: several operators read them so, and the normalisation ends here */
    const Onnx__TensorProto *unread; /* UNKNOWN: a tensor of a type that gyre does not read */
} onnx_value;

typedef struct {
    onnx_value *list;
    int count, room;
    int *slots; /* places in the list + 1, by the hash of the name */
    int slot_count;
} onnx_values;

onnx_value *onnx_values_find(const onnx_values *v, const char *name); /* NULL: there is none */
/* A new value of this name, which has none yet. `room` of onnx_values_open() is enough for all, so
 * that values stay where they are. NULL: the name is taken. */
onnx_value *onnx_values_add(onnx_values *v, const char *name);
/* From the place `from` on, nobody finds them by their names; where they are used they stay. */
void onnx_values_forget(onnx_values *v, int from);
void onnx_values_open(onnx_work *w, onnx_values *v, int room);

#endif
