/* A leaf's parts: [gradient | batch-norm moments | loss, right], each on a 64-byte boundary. */
#include "leaf.h"

#include "node.h"

#include <stdlib.h>

size_t gyre_leaf_moments(const gyre_model *m) {
    return node_align_floats(m->parameters);
}

size_t gyre_leaf_stats(const gyre_model *m) {
    return gyre_leaf_moments(m) + node_align_floats(m->buffers);
}

size_t gyre_leaf_size(const gyre_model *m) {
    return gyre_leaf_stats(m) + 16;
}

/* The first node that uses a parameter: backward comes to it last. */
static int first_user(const gyre_model *m, int param) {
    int i = 0;
    while (!node_uses(&m->nodes[i], param)) i++;
    return i;
}

/* Appends the pieces of a group: each parameter, or the frozen ones as a whole, since the nodes
 * they belong to may write into them and so they are cleared after the last of those. */
static int add_group(const gyre_model *m, int g, leaf_piece *pieces, int count) {
    const gyre_param_group *group = &m->groups[g];
    leaf_piece frozen = {group->offset, group->count, g, m->node_count, true};
    for (int i = 0; i < m->param_count; i++) {
        const gyre_param *p = &m->params[i];
        if (p->offset < group->offset || p->offset >= group->offset + group->count) continue;
        int node = first_user(m, i);
        if (node < frozen.node) frozen.node = node;
        if (!group->frozen) {
            pieces[count++] = (leaf_piece){p->offset, p->count, g, node, false};
        }
    }
    if (group->frozen) pieces[count++] = frozen;
    return count;
}

gyre_status leaf_pieces(const gyre_model *m, leaf_piece **out, int *count) {
    int n = 0, nodes = m->node_count, rest = m->group_count;
    leaf_piece *pieces = calloc((size_t)m->param_count + 2, sizeof *pieces);
    if (pieces == NULL) return gyre_no_memory("the parts of a gradient");
    for (int g = 0; g < m->group_count; g++) n = add_group(m, g, pieces, n);
    if (m->buffers > 0) {
        size_t moments = gyre_leaf_moments(m);
        pieces[n++] = (leaf_piece){moments, m->buffers, rest, nodes, m->norm_frozen};
    }
    pieces[n++] = (leaf_piece){gyre_leaf_stats(m), 2, rest, nodes, false};
    *out = pieces;
    *count = n;
    return GYRE_OK;
}
