/* Plays forward and backward once, to find out which buffers are alive at the same time. */
#include "plan.h"

#include "node.h"
#include <stdlib.h>

typedef struct {
    const gyre_model *m;
    net_plan *plan;
    bool *busy;       /* per slot */
    int *pending;     /* per node: slot of the gradient written so far, -1: none */
    int *last_reader; /* per node: the last that reads its output */
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

static bool used_later(const gyre_model *m, int node, int param) {
    for (int i = node + 1; param >= 0 && i < m->node_count; i++) {
        if (node_uses(&m->nodes[i], param)) return true;
    }
    return false;
}

static void plan_needs(planner *p) {
    node_plan *plans = p->plan->nodes;
    for (int i = 0; i < p->m->node_count; i++) {
        const gyre_node *n = &p->m->nodes[i];
        plans[i] = (node_plan){.y = -1, .dy = -1};
        for (int k = 0; k < GYRE_NODE_INPUTS; k++) plans[i].dx[k] = plans[i].dx_total[k] = -1;
        for (int k = 0; k < GYRE_NODE_PARAMS; k++) {
            plans[i].learns = plans[i].learns || trainable(p->m, n->params[k]);
            plans[i].adds[k] = used_later(p->m, i, n->params[k]);
        }
        plans[i].wanted = plans[i].learns;
        for (int k = 0; k < n->input_count; k++) {
            if (n->inputs[k] >= 0 && plans[n->inputs[k]].wanted) plans[i].wanted = true;
        }
    }
}

/* Does backward read the output of node `i`? */
static bool is_kept(const planner *p, int i) {
    const gyre_model *m = p->m;
    if (p->plan->nodes[i].wanted && m->nodes[i].type->keeps_y) return true;
    for (int r = i + 1; r <= p->last_reader[i]; r++) {
        const gyre_node *n = &m->nodes[r];
        if (!p->plan->nodes[r].wanted || !n->type->keeps_x) continue;
        for (int k = 0; k < n->input_count; k++) {
            if (n->inputs[k] == i) return true;
        }
    }
    return false;
}

/* Node `i` was the last reader of what it read? Then that slot is free again. */
static void give_inputs(planner *p, int i, bool train) {
    const gyre_node *n = &p->m->nodes[i];
    for (int k = 0; k < n->input_count; k++) {
        int from = n->inputs[k];
        if (from < 0 || p->last_reader[from] != i || (train && is_kept(p, from))) continue;
        give(p, p->plan->nodes[from].y);
    }
}

static void plan_outputs(planner *p, bool train) {
    const gyre_model *m = p->m;
    for (int i = 0; i < m->node_count; i++) {
        for (int k = 0; k < m->nodes[i].input_count; k++) {
            if (m->nodes[i].inputs[k] >= 0) p->last_reader[m->nodes[i].inputs[k]] = i;
        }
    }
    for (int i = 0; i < m->node_count; i++) {
        if (m->nodes[i].type->is_loss) continue; /* its input is the model's output, and stays */
        p->plan->nodes[i].y = take(p, node_elements(node_output(m, i)));
        give_inputs(p, i, train);
    }
}

/* The gradient of node `of` was written to `slot`: it is that gradient's slot, or (a second
 * reader's share) must be added to it, which frees `slot`. Returns the slot to add to, or -1. */
static int deliver(planner *p, int of, int slot, int *free_later) {
    if (p->pending[of] < 0) {
        p->pending[of] = slot;
        return -1;
    }
    *free_later = slot;
    return p->pending[of];
}

static bool is_wanted(const planner *p, int node) {
    return node >= 0 && p->plan->nodes[node].wanted;
}

static void plan_gradient(planner *p, int i) {
    const gyre_node *n = &p->m->nodes[i];
    node_plan *plan = &p->plan->nodes[i];
    int spare[GYRE_NODE_INPUTS] = {-1, -1, -1};
    bool over_dy = n->type->dx_may_be_dy;
    plan->dy = p->pending[i];
    for (int k = n->input_count - 1; k >= 0; k--) {
        bool in_place = k == 0 && over_dy;
        if (!in_place && !is_wanted(p, n->inputs[k])) continue;
        plan->dx[k] = in_place ? plan->dy : take(p, node_elements(node_output(p->m, n->inputs[k])));
        if (!is_wanted(p, n->inputs[k])) continue;
        plan->dx_total[k] = deliver(p, n->inputs[k], plan->dx[k], &spare[k]);
    }
    if (!over_dy || !is_wanted(p, n->inputs[0])) give(p, plan->dy);
    for (int k = 0; k < n->input_count; k++) give(p, spare[k]);
}

static void plan_gradients(planner *p) {
    for (int i = 0; i < p->m->node_count; i++) p->pending[i] = -1;
    for (int i = p->m->node_count - 1; i >= 0; i--) {
        if (p->plan->nodes[i].wanted) plan_gradient(p, i);
    }
}

gyre_status plan_open(const gyre_model *m, bool train, net_plan *out) {
    gyre_status status = GYRE_OK;
    size_t nodes = (size_t)m->node_count;
    size_t slots = (1 + GYRE_NODE_INPUTS) * nodes; /* no plan needs more */
    planner p = {.m = m, .plan = out};
    *out = (net_plan){0};
    out->nodes = calloc(nodes, sizeof *out->nodes);
    out->slots = calloc(slots, sizeof *out->slots);
    p.busy = calloc(slots, sizeof *p.busy);
    p.pending = calloc(nodes, sizeof *p.pending);
    p.last_reader = calloc(nodes, sizeof *p.last_reader);
    if (!out->nodes || !out->slots || !p.busy || !p.pending || !p.last_reader) {
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

gyre_status gyre_model_activations(const gyre_model *m, size_t *out) {
    net_plan plan;
    GYRE_TRY(plan_open(m, true, &plan));
    *out = 0;
    for (int i = 0; i < plan.slot_count; i++) *out += plan.slots[i];
    plan_close(&plan);
    return GYRE_OK;
}

void plan_close(net_plan *p) {
    free(p->nodes);
    free(p->slots);
    *p = (net_plan){0};
}
