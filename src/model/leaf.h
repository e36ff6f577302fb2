/* What a leaf is made of. Internal to src/model. */
#ifndef GYRE_MODEL_LEAF_H
#define GYRE_MODEL_LEAF_H

#include "gyre/net.h"

/* A part that is written as a whole. Pieces come in the order of the vector; what lies between them
 * (alignment) is 0. */
typedef struct {
    size_t offset, count;
    int group; /* of parameters; group_count for moments and stats */
    int node;  /* whose backward completes it; node_count: complete before backward */
    bool zero; /* no node writes its gradient: frozen parameters, unused moments */
} leaf_piece;

/* free() the result. */
gyre_status leaf_pieces(const gyre_model *m, leaf_piece **out, int *count);

#endif
