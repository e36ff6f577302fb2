/* A hash table of the nodes' names with open addressing. */
#include "names.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* The slot of the name, or the free one where it would stand. */
static size_t slot_of(const node_names *t, const gyre_model *m, const char *name) {
    size_t at = XXH3_64bits(name, strlen(name)) & (t->size - 1);
    while (t->slots[at] != 0 && strcmp(m->nodes[t->slots[at] - 1].name, name) != 0) {
        at = (at + 1) & (t->size - 1);
    }
    return at;
}

int node_names_find(const node_names *t, const gyre_model *m, const char *name) {
    return t->size == 0 ? -1 : t->slots[slot_of(t, m, name)] - 1;
}

static gyre_status widen(node_names *t, const gyre_model *m, int count) {
    node_names wider = {.size = t->size == 0 ? 64 : 2 * t->size};
    wider.slots = calloc(wider.size, sizeof *wider.slots);
    if (wider.slots == NULL) return gyre_no_memory("the names of %d layers", count);
    for (int i = 0; i < count; i++) wider.slots[slot_of(&wider, m, m->nodes[i].name)] = 1 + i;
    free(t->slots);
    *t = wider;
    return GYRE_OK;
}

gyre_status node_names_add(node_names *t, const gyre_model *m, int index) {
    if (2 * ((size_t)index + 1) >= t->size) GYRE_TRY(widen(t, m, index));
    t->slots[slot_of(t, m, m->nodes[index].name)] = 1 + index;
    return GYRE_OK;
}

void node_names_close(node_names *t) {
    free(t->slots);
    *t = (node_names){0};
}
