/* Which node has a name: a hash table beside a list of nodes that grows. Internal to src/model. */
#ifndef GYRE_MODEL_NAMES_H
#define GYRE_MODEL_NAMES_H

#include "gyre/model.h"

typedef struct {
    int *slots;  /* 1 + the node's index; 0: free */
    size_t size; /* a power of two, more than twice the nodes */
} node_names;

/* -1 when there is none of this name. */
int node_names_find(const node_names *t, const gyre_model *m, const char *name);
/* Enters node `index`, whose name is new. */
gyre_status node_names_add(node_names *t, const gyre_model *m, int index);
void node_names_close(node_names *t);

#endif
