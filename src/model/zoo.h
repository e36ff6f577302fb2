/* The table of models. */
#ifndef GYRE_MODEL_ZOO_H
#define GYRE_MODEL_ZOO_H

#include "builder.h"

typedef struct {
    const char *name, *words;
    void (*build)(builder *b, int depth);
    int depth;
} zoo_entry;

extern const zoo_entry gyre_zoo[]; /* ends with a NULL name */

#endif
