/* Plays forward and backward once, to find out which buffers are alive at the same time. */
#include "plan.h"

#include "shapes.h"
#include <stdlib.h>

typedef struct {
    const gyre_model *m;
    net_plan *plan;
    bool *busy;       /* per slot */
    int *pending;     /* per layer: slot of the gradient written so far, -1: none */
    int *last_reader; /* per layer: the last that reads its output */
} planner;

/* The smallest free slot with room for `size`; else the largest free one, which grows. */
static int take(planner *p, size_t size) {
    const size_t *slots = p->plan->slots;
    int best = -1;
    for (int i = 0; i < p->plan->slot_count; i++) {
        if (p->busy[i]) continue;
        bool better = best < 0 || (slots[best] < size ? slots[i] > slots[best]
                                                      : slots[i] >= size && slots[i] < slots[best]);
        if (better) best = i;
    }
    if (best < 0) best = p->plan->slot_count++;
    if (p->plan->slots[best] < size) p->plan->slots[best] = size;
    p->busy[best] = true;
    return best;
}

static void give(planner *p, int slot) {
    if (slot >= 0) p->busy[slot] = false;
}

static bool trainable(const gyre_model *m, int param) {
    return param >= 0 && !m->params[param].frozen;
}

static void plan_needs(planner *p) {
    layer_plan *plans = p->plan->layers;
    for (int i = 0; i < p->m->layer_count; i++) {
        const gyre_layer *l = &p->m->layers[i];
        plans[i] = (layer_plan){.dy = -1, .dx = -1, .dx_total = -1};
        plans[i].dresidual = plans[i].dresidual_total = -1;
        plans[i].learns = trainable(p->m, l->weight) || trainable(p->m, l->bias);
        plans[i].wanted = plans[i].learns || (l->input >= 0 && plans[l->input].wanted) ||
                          (l->residual >= 0 && plans[l->residual].wanted);
    }
}

/* Layer `i` was the last reader of what it read? Then that slot is free again. */
static void give_inputs(planner *p, int i) {
    const gyre_layer *l = &p->m->layers[i];
    const int read[] = {l->input, l->residual};
    for (int k = 0; k < 2; k++) {
        if (read[k] >= 0 && p->last_reader[read[k]] == i) give(p, p->plan->layers[read[k]].y);
    }
}

static void plan_outputs(planner *p, bool train) {
    const gyre_model *m = p->m;
    for (int i = 0; i < m->layer_count; i++) {
        if (m->layers[i].input >= 0) p->last_reader[m->layers[i].input] = i;
        if (m->layers[i].residual >= 0) p->last_reader[m->layers[i].residual] = i;
    }
    for (int i = 0; i < m->layer_count; i++) {
        p->plan->layers[i].y = take(p, layer_size(&m->layers[i]));
        if (!train) give_inputs(p, i);
    }
}

/* The gradient of layer `of` was written to `slot`: it is that gradient's slot, or (a second
 * reader's share) must be added to it, which frees `slot`. Returns the slot to add to, or -1. */
static int deliver(planner *p, int of, int slot, int *free_later) {
    if (p->pending[of] < 0) {
        p->pending[of] = slot;
        return -1;
    }
    *free_later = slot;
    return p->pending[of];
}

static void plan_gradient(planner *p, int i) {
    const gyre_layer *l = &p->m->layers[i];
    layer_plan *plan = &p->plan->layers[i], *plans = p->plan->layers;
    int spare_x = -1, spare_r = -1;
    bool in_place =
        l->kind == GYRE_LAYER_NORM || l->kind == GYRE_LAYER_RELU || l->kind == GYRE_LAYER_LRN;
    bool wants_x = l->input >= 0 && plans[l->input].wanted;
    plan->dy = p->pending[i];
    if (l->residual >= 0 && plans[l->residual].wanted) {
        plan->dresidual = take(p, layer_size(l));
        plan->dresidual_total = deliver(p, l->residual, plan->dresidual, &spare_r);
    }
    if (in_place) {
        plan->dx = plan->dy;
    } else if (wants_x) {
        plan->dx = take(p, layer_size(&p->m->layers[l->input]));
    }
    if (wants_x) plan->dx_total = deliver(p, l->input, plan->dx, &spare_x);
    if (!in_place || !wants_x) give(p, plan->dy);
    give(p, spare_x);
    give(p, spare_r);
}

static void plan_gradients(planner *p) {
    int last = p->m->layer_count - 1;
    for (int i = 0; i <= last; i++) p->pending[i] = -1;
    p->pending[last] = take(p, layer_size(&p->m->layers[last]));
    for (int i = last; i >= 0; i--) {
        if (p->plan->layers[i].wanted) plan_gradient(p, i);
    }
}

gyre_status plan_open(const gyre_model *m, bool train, net_plan *out) {
    gyre_status status = GYRE_OK;
    size_t layers = (size_t)m->layer_count, slots = 2 * layers + 4; /* no plan needs more */
    planner p = {.m = m, .plan = out};
    *out = (net_plan){0};
    out->layers = calloc(layers, sizeof *out->layers);
    out->slots = calloc(slots, sizeof *out->slots);
    p.busy = calloc(slots, sizeof *p.busy);
    p.pending = calloc(layers, sizeof *p.pending);
    p.last_reader = calloc(layers, sizeof *p.last_reader);
    if (!out->layers || !out->slots || !p.busy || !p.pending || !p.last_reader) {
        status = gyre_no_memory("planning a net");
        goto out;
    }
    plan_needs(&p);
    plan_outputs(&p, train);
    if (train) plan_gradients(&p);
out:
    free(p.busy);
    free(p.pending);
    free(p.last_reader);
    if (status != GYRE_OK) plan_close(out);
    return status;
}

void plan_close(net_plan *p) {
    free(p->layers);
    free(p->slots);
    *p = (net_plan){0};
}
