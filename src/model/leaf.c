/* A leaf's parts: [gradient | batch-norm moments | loss, right], each on a 64-byte boundary. */
#include "leaf.h"

#include <stdlib.h>

static size_t align(size_t floats) {
    return (floats + 15) / 16 * 16;
}

size_t gyre_leaf_moments(const gyre_model *m) {
    return align(m->parameters);
}

size_t gyre_leaf_stats(const gyre_model *m) {
    return gyre_leaf_moments(m) + align(m->buffers);
}

size_t gyre_leaf_size(const gyre_model *m) {
    return gyre_leaf_stats(m) + 16;
}

static int layer_of(const gyre_model *m, int param) {
    int i = 0;
    while (m->layers[i].weight != param && m->layers[i].bias != param) i++;
    return i;
}

/* Appends the pieces of a group: each parameter, or the frozen ones as a whole, since the layers
 * they belong to may write into them and so they are cleared after the last of those. */
static int add_group(const gyre_model *m, int g, leaf_piece *pieces, int count) {
    const gyre_param_group *group = &m->groups[g];
    leaf_piece frozen = {group->offset, group->count, g, m->layer_count, true};
    for (int i = 0; i < m->param_count; i++) {
        const gyre_param *p = &m->params[i];
        if (p->offset < group->offset || p->offset >= group->offset + group->count) continue;
        int layer = layer_of(m, i);
        if (layer < frozen.layer) frozen.layer = layer;
        if (!group->frozen) {
            pieces[count++] = (leaf_piece){p->offset, p->count, g, layer, false};
        }
    }
    if (group->frozen) pieces[count++] = frozen;
    return count;
}

gyre_status leaf_pieces(const gyre_model *m, leaf_piece **out, int *count) {
    int n = 0, layers = m->layer_count, rest = m->group_count;
    leaf_piece *pieces = calloc((size_t)m->param_count + 2, sizeof *pieces);
    if (pieces == NULL) return gyre_no_memory("the parts of a gradient");
    for (int g = 0; g < m->group_count; g++) n = add_group(m, g, pieces, n);
    if (m->buffers > 0) {
        size_t moments = gyre_leaf_moments(m);
        pieces[n++] = (leaf_piece){moments, m->buffers, rest, layers, m->norm_frozen};
    }
    pieces[n++] = (leaf_piece){gyre_leaf_stats(m), 2, rest, layers, false};
    *out = pieces;
    *count = n;
    return GYRE_OK;
}
