/* Parameters on the device, and the copies that the kernels read. */
#include "lane.h"

#include "node.h"
#include <stdlib.h>

/* Where the parameter begins that the node packs. */
static size_t first_param(const gyre_model *m, int node) {
    return m->params[m->nodes[node].params[0]].offset;
}

/* Bytes of each node's packed weights; 0 where they are a part of the whole. */
static gyre_status find_sizes(const gyre_weights *w, size_t *sizes) {
    const gyre_model *m = w->model;
    for (int i = 0; i < m->node_count && !w->backend->packs_plainly; i++) {
        const node_call c = node_call_of(m, i, w->backend, 1);
        if (c.node->type->packed_size == NULL) continue;
        sizes[i] = c.node->type->packed_size(&c);
        if (sizes[i] == 0) { /* the backend has recorded why */
            return gyre_fail(GYRE_EDEVICE, "layer %s: %s", m->nodes[i].name, gyre_error_text());
        }
    }
    return GYRE_OK;
}

/* Sizes first, then one allocation and a walking pointer. */
static gyre_status allocate(gyre_weights *w) {
    const gyre_model *m = w->model;
    size_t vectors[] = {m->parameters, m->buffers, (size_t)m->h * (size_t)m->w * (size_t)m->c,
                        (size_t)m->c, m->class_weights == NULL ? 0 : (size_t)m->classes};
    gyre_f32 *pointers[] = {&w->parameters, &w->buffers, &w->mean, &w->scale, &w->class_weights};
    enum { VECTORS = sizeof vectors / sizeof *vectors };
    const bool plain = w->backend->packs_plainly;
    size_t total = plain ? node_align_bytes(m->parameters * w->backend->act_size) : 0;
    w->packed = calloc((size_t)m->node_count, sizeof *w->packed);
    size_t *sizes = calloc((size_t)m->node_count, sizeof *sizes);
    gyre_status status = GYRE_OK;
    if (w->packed == NULL || sizes == NULL) {
        status = gyre_no_memory("the weights of %s", m->name);
        goto out;
    }
    for (int i = 0; i < VECTORS; i++) total += node_align_bytes(vectors[i] * sizeof(float));
    GYRE_GOTO(find_sizes(w, sizes));
    for (int i = 0; i < m->node_count; i++) total += node_align_bytes(sizes[i]);
    GYRE_GOTO(gyre_fail_in("parameters (fewer channels or outputs need less)",
                           w->backend->ops->alloc(w->backend, total, &w->memory)));
    char *at = (char *)w->memory;
    for (int i = 0; i < VECTORS; i++) {
        *pointers[i] = (gyre_f32)(void *)at;
        at += node_align_bytes(vectors[i] * sizeof(float));
    }
    if (plain) w->whole = (gyre_raw)(void *)at;
    for (int i = 0; i < m->node_count; i++) {
        if (plain && m->nodes[i].type->packed_size != NULL)
            w->packed[i] = (gyre_raw)(void *)(at + first_param(m, i) * w->backend->act_size);
        if (sizes[i] > 0) w->packed[i] = (gyre_raw)(void *)at;
        at += node_align_bytes(sizes[i]);
    }
    if (m->class_weights == NULL) w->class_weights = NULL;
out:
    free(sizes);
    return status;
}

gyre_status gyre_weights_open(const gyre_model *m, gyre_backend *b, const float *mean_image,
                              const float *scale, gyre_weights **out) {
    gyre_status status = GYRE_OK;
    gyre_weights *w = calloc(1, sizeof *w);
    if (w == NULL) return gyre_no_memory("the weights of %s", m->name);
    w->model = m;
    w->backend = b;
    GYRE_GOTO(allocate(w));
    GYRE_GOTO(weights_constants(w));
    GYRE_GOTO(
        b->ops->upload(b->main, w->mean, mean_image, (size_t)m->h * (size_t)m->w * (size_t)m->c));
    GYRE_GOTO(b->ops->upload(b->main, w->scale, scale, (size_t)m->c));
    if (m->class_weights != NULL) {
        GYRE_GOTO(b->ops->upload(b->main, w->class_weights, m->class_weights, (size_t)m->classes));
    }
out:
    if (status == GYRE_OK)
        *out = w;
    else
        gyre_weights_close(w);
    return status;
}

void gyre_weights_close(gyre_weights *w) {
    if (w == NULL) return;
    if (w->memory != NULL) w->backend->ops->release(w->backend, w->memory);
    if (w->constants_memory != NULL) w->backend->ops->release(w->backend, w->constants_memory);
    free(w->packed);
    free(w->constants);
    free(w);
}

/* On main alone: it takes well under a hundredth of a step, and no other lane then needs the
 * packing kernels. */
gyre_status gyre_weights_pack(gyre_weights *w) {
    const gyre_model *m = w->model;
    if (w->whole != NULL) {
        const gyre_linear_shape all = {1, (int)m->parameters, 1, false, false};
        return w->backend->ops->linear_pack(w->backend->main, &all, w->parameters, w->whole);
    }
    for (int i = 0; i < m->node_count; i++) {
        node_call c = node_call_of(m, i, w->backend, 1);
        if (c.node->type->pack == NULL) continue;
        c.queue = w->backend->main;
        c.packed = w->packed[i];
        for (int k = 0; k < GYRE_NODE_PARAMS; k++) c.w[k] = weights_param(w, c.node->params[k]);
        GYRE_TRY(c.node->type->pack(&c));
    }
    return GYRE_OK;
}
