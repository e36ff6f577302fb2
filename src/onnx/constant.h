/* Tensors that no input decides: weights, and numbers that shapes and patterns are made of.
 * Internal to src/onnx. */
#ifndef GYRE_ONNX_CONSTANT_H
#define GYRE_ONNX_CONSTANT_H

#include "tensor.h"
#include "view.h"
#include "weight_name.h"
#include "work.h"

enum {
    ONNX_READ_MAX = 1 << 16, /* numbers of a constant that is computed with */
    ONNX_FOLLOWS_MAX = 8,    /* parameters that it is computed from */
    ONNX_SAMPLES = 2         /* of a constant per_sample */
};

typedef struct onnx_constant {
    bool integer; /* whole numbers and flags */
    int rank;
    int64_t dims[ONNX_RANK_MAX];
    size_t count;
    double *values;  /* NULL: not read yet */
    bool uniform;    /* values[0] is every number */
    bool per_sample; /* places of any number of samples: those of two, which onnx_constant_read()
                        does not give */
    const Onnx__TensorProto *tensor; /* of the file, whose numbers these are; NULL: computed */
    bool transposed;                 /* the tensor's two axes change places */
    bool planes;                     /* of dims (h, w, c); the tensor lies as (c, h, w) */
    const char *name;                /* of the tensor; NULL: computed */
    onnx_name_kind kind;             /* of the name */
    bool untrained;                  /* the file tells that it is no parameter */
    bool trained;                    /* or that it is one, or follows from one */
    const char *follows[ONNX_FOLLOWS_MAX]; /* parameters that it is computed from */
    int follows_count;
    struct onnx_constant *base; /* a parameter: it is times * base + plus; NULL: it is not */
    double times, plus;
} onnx_constant;

/* A tensor of the file, which is checked; NULL: the failure is in w->status. */
onnx_constant *onnx_constant_of(onnx_work *w, const Onnx__TensorProto *t, const char *name);
/* A new one for computed numbers (zeros); NULL: too many, which is no failure, or out of memory. */
onnx_constant *onnx_constant_make(onnx_work *w, int rank, const int64_t *dims, bool integer);
/* The same numbers in another shape, or under another name. */
onnx_constant *onnx_constant_copy(onnx_work *w, const onnx_constant *k);

/* Every number is `value`, be they as many as they may; NULL: out of memory. */
onnx_constant *onnx_constant_fill(onnx_work *w, int rank, const int64_t *dims, bool integer,
                                  double value);
/* Of two dimensions, which change places. */
onnx_constant *onnx_constant_transpose(onnx_work *w, onnx_constant *k);

/* Its name is that of a parameter or buffer in the network that was exported, and not one that an
 * exporter gave it. */
bool onnx_is_parameter(const onnx_constant *k);
/* An exporter gave it another name. */
bool onnx_is_lost(const onnx_constant *k);
/* The name of the parameter or buffer that it is there; NULL: an exporter gave it another. */
const char *onnx_told_name(const onnx_constant *k);
/* The parameter that it is, or is computed from; NULL: none. */
const char *onnx_parameter_of(const onnx_constant *k);
/* The parameters that it is, or is computed from, of which that is the first; NULL: no more. */
const char *onnx_parameter_at(const onnx_constant *k, int i);
/* Notes that it is computed from what the other one is made of; false: from too many. */
bool onnx_constant_follow(onnx_constant *k, const onnx_constant *from);
/* What it was computed from: a parameter, or its own name in a file of gyre's; NULL: it was not. */
const char *onnx_computed_from(const onnx_constant *k);
/* It stands in the network as numbers, and is no parameter that lost its name either. */
bool onnx_is_literal(const onnx_constant *k);

/* The numbers; NULL: too many, or of any number of samples (no failure), or the failure is in
 * w->status. */
const double *onnx_constant_read(onnx_work *w, onnx_constant *k);
/* A constant of one number, or of many that are all the same. */
bool onnx_constant_all(onnx_work *w, onnx_constant *k, double *out);

#endif
