/* What a norm multiplies each channel by and adds to it: its weight and bias, or 1 and 0 in the
 * place of those that it does not have. Internal to src/model/nodes. */
#ifndef GYRE_MODEL_NODES_NORM_H
#define GYRE_MODEL_NODES_NORM_H

#include "../builder.h"

typedef struct {
    bool affine; /* false: it has neither */
    bool bias;   /* false: it has no bias */
} norm_parts;

/* Lines of an option table, for a struct with the member `parts`. */
#define NORM_OPTIONS(type)                                                                         \
    {"affine", OPTION_BOOL, offsetof(type, parts.affine), 0, 1, 1, NULL, NULL}, {                  \
        "bias", OPTION_BOOL, offsetof(type, parts.bias), 0, 1, 1, NULL, NULL                       \
    }
#define NORM_SUMMARY                                                                               \
    " Then each channel has a weight and a bias; with \"affine\" false neither, with \"bias\" "    \
    "false a weight alone."

/* The parameters that it has. */
void norm_define(builder *b, gyre_node *n, int channels, norm_parts parts);
/* The numbers in the place of others. */
size_t norm_constants_size(const gyre_model *m, const gyre_node *n);
gyre_status norm_constants(const gyre_model *m, const gyre_node *n, float *out);

/* All of (c); gradients that nobody asks for go to memory that nobody reads. */
typedef struct {
    gyre_f32 gamma, beta, dgamma, dbeta;
} norm_vectors;
/* Of a norm whose operation keeps `floats` for backward: bytes that it keeps in all. */
size_t norm_saved_size(const node_call *c, size_t floats);
norm_vectors norm_vectors_of(const node_call *c, size_t floats);

#endif
