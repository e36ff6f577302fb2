/* A network's arrays as PyTorch's state_dict has them: names, shapes and the order of numbers.
 *
 * Convolutions are (k, c, r, s) there and (k, r, s, c) here. A linear layer that reads a picture
 * reads it as (c, h, w) there and (h, w, c) here, unless its options tell otherwise. The factors of
 * a `scale` node are a parameter of a module there, NODE of shape (c, 1, 1), and so are the numbers
 * of a `positions` node, NODE of shape (1, h w, c). Everything else is the same, but for the
 * "names" and "shapes" of a node. */
#ifndef GYRE_STATE_DICT_H
#define GYRE_STATE_DICT_H

#include "gyre/model.h"

typedef struct {
    const char *name; /* the model's */
    int dims[4];
    int ndim;
    bool computed;                 /* it is no array there; the name is its node's */
    size_t rows, pixels, channels; /* `rows` matrices (pixels, channels) here, transposed there */
} gyre_state_array;

gyre_state_array gyre_state_of_param(const gyre_model *m, int param);
/* The same in the shape that its node's type has, whatever it has there. */
gyre_state_array gyre_state_of_type(const gyre_model *m, int param);
gyre_state_array gyre_state_of_statistic(const gyre_model *m, int statistic);

/* diffusers' attention once had other names: those files have `to_q.weight` as query.weight. *out
 * is the old name; false: the name has none. */
bool gyre_state_old_name(const char *name, char out[GYRE_NODE_NAME_SIZE]);

/* rows x pixels x channels numbers; `own` and `torch` are two vectors. */
void gyre_state_to_torch(const gyre_state_array *a, const float *own, float *torch);
void gyre_state_from_torch(const gyre_state_array *a, const float *torch, float *own);

#endif
