/* Numbers that follow from the nodes' options, on the device from the opening of the weights on. */
#include "lane.h"

#include <stdlib.h>

static size_t constants_of(const gyre_model *m, int i) {
    const gyre_node *n = &m->nodes[i];
    return n->type->constants_size == NULL ? 0 : n->type->constants_size(m, n);
}

static gyre_status send_constants(gyre_weights *w, int i) {
    const gyre_node *n = &w->model->nodes[i];
    size_t count = constants_of(w->model, i);
    float *values = malloc(gyre_size_of(count, sizeof *values));
    if (values == NULL) return gyre_no_memory("node %s", n->name);
    gyre_status status = n->type->constants(w->model, n, values);
    if (status == GYRE_OK) {
        status = w->backend->ops->upload(w->backend->main, w->constants[i], values, count);
    }
    free(values);
    return status;
}

gyre_status weights_constants(gyre_weights *w) {
    const gyre_model *m = w->model;
    size_t total = 0;
    w->constants = calloc((size_t)m->node_count, sizeof *w->constants);
    if (w->constants == NULL) return gyre_no_memory("the weights of %s", m->name);
    for (int i = 0; i < m->node_count; i++) total += node_align_floats(constants_of(m, i));
    if (total == 0) return GYRE_OK;
    GYRE_TRY(gyre_fail_in("constants of nodes (fewer channels, or steps of noise, need less)",
                          w->backend->ops->alloc(w->backend, gyre_size_of(total, sizeof(float)),
                                                 &w->constants_memory)));
    size_t at = 0;
    for (int i = 0; i < m->node_count; i++) {
        if (constants_of(m, i) == 0) continue;
        w->constants[i] = gyre_f32_at((gyre_f32)(void *)w->constants_memory, at);
        GYRE_TRY(send_constants(w, i));
        at += node_align_floats(constants_of(m, i));
    }
    return GYRE_OK;
}
