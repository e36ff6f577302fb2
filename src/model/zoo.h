/* The table of models. */
#ifndef GYRE_MODEL_ZOO_H
#define GYRE_MODEL_ZOO_H

#include "builder.h"

typedef struct {
    const char *name, *summary;
    void (*build)(builder *b, int depth);
    int depth;
} zoo_entry;

extern const zoo_entry zoo_entries[]; /* ends with a NULL name */

/* As gyre_model_open, of this network: it need not be in the table. settings->name is not read.
 * NULL: of settings->layers. */
gyre_status zoo_model_open(const zoo_entry *entry, const gyre_model_settings *settings, int h,
                           int w, int c, int classes, gyre_model **out);

#endif
