/* Forward and backward: a loop over the nodes each. */
#include "lane.h"

static gyre_act slot(const net_pass *p, int index) {
    return index < 0 ? NULL : p->lane->slots[index];
}

static gyre_act output_of(const net_pass *p, int node) {
    return node < 0 ? p->lane->images : slot(p, p->net->plan.nodes[node].y);
}

static node_call call_of(const net_pass *p, int i) {
    const gyre_weights *w = p->net->weights;
    const gyre_model *m = w->model;
    node_call c = node_call_of(m, i, w->backend, p->n);
    c.queue = p->queue;
    c.train = p->train;
    for (int k = 0; k < c.node->input_count; k++) c.x[k] = output_of(p, c.node->inputs[k]);
    c.y = output_of(p, i);
    for (int k = 0; k < GYRE_NODE_PARAMS; k++) c.w[k] = weights_param(w, c.node->params[k]);
    c.packed = w->packed[i];
    c.constants = w->constants[i];
    c.targets = p->lane->targets;
    c.saved = p->lane->saved[i];
    c.running = gyre_f32_at(w->buffers, c.node->statistics);
    c.draws = p->net->draw;
    c.first = p->first;
    if (p->train) c.moments = gyre_f32_at(p->leaf, gyre_leaf_moments(m) + c.node->statistics);
    return c;
}

static void add_loss(const net_pass *p, int i, node_call *c) {
    c->class_weights = p->net->weights->class_weights;
    c->mixed = p->mixed;
    c->scale = p->scale;
    c->stats = p->stats;
    if (!p->train && c->model->bands > 0) c->bands = gyre_f32_at(p->stats, GYRE_LOSS_SUMS);
    if (p->train) c->dx[0] = slot(p, p->net->plan.nodes[i].dx[0]);
}

static gyre_status node_forward(const net_pass *p, int i) {
    node_call c = call_of(p, i);
    if (c.node->type->is_loss) add_loss(p, i, &c);
    double begun = pass_begin(p, c.node->name);
    GYRE_TRY(c.node->type->forward(&c));
    pass_end(p, i, GYRE_PASS_FORWARD, begun);
    return GYRE_OK;
}

gyre_status pass_outputs(const net_pass *p) {
    for (int i = 0; i < p->net->weights->model->node_count - 1; i++) GYRE_TRY(node_forward(p, i));
    return GYRE_OK;
}

gyre_status pass_loss(const net_pass *p) {
    return node_forward(p, p->net->weights->model->node_count - 1);
}

gyre_status pass_forward(const net_pass *p) {
    GYRE_TRY(pass_outputs(p));
    return pass_loss(p);
}

/* ---- parameters that several nodes use */

/* Floats that the node needs besides the leaf, each parameter on a 64-byte boundary. */
static size_t shared_floats(const gyre_model *m, const net_plan *plan, int i) {
    size_t floats = 0;
    for (int k = 0; k < GYRE_NODE_PARAMS; k++) {
        if (plan->nodes[i].adds[k])
            floats += node_align_floats(m->params[m->nodes[i].params[k]].count);
    }
    return floats;
}

size_t pass_shared_size(const gyre_model *m, const net_plan *plan) {
    size_t most = 0;
    for (int i = 0; i < m->node_count; i++) {
        size_t floats = shared_floats(m, plan, i);
        if (floats > most) most = floats;
    }
    return most;
}

/* Where the gradients go: into the leaf; beside it, where a later node has left its own there. */
static void point_gradients(const net_pass *p, int i, node_call *c) {
    const gyre_model *m = p->net->weights->model;
    size_t at = 0;
    for (int k = 0; k < GYRE_NODE_PARAMS; k++) {
        if (c->node->params[k] < 0) continue;
        const gyre_param *param = &m->params[c->node->params[k]];
        c->dw[k] = gyre_f32_at(p->leaf, param->offset);
        if (!p->net->plan.nodes[i].adds[k]) continue;
        c->dw[k] = gyre_f32_at(p->lane->shared, at);
        at += node_align_floats(param->count);
    }
}

static gyre_status add_shared(const net_pass *p, int i, const node_call *c) {
    const gyre_model *m = p->net->weights->model;
    for (int k = 0; k < GYRE_NODE_PARAMS; k++) {
        if (!p->net->plan.nodes[i].adds[k]) continue;
        const gyre_param *param = &m->params[c->node->params[k]];
        gyre_f32 sum = gyre_f32_at(p->leaf, param->offset);
        GYRE_TRY(c->ops->add(p->queue, param->count, sum, c->dw[k], sum));
    }
    return GYRE_OK;
}

/* ---- backward */

/* Adds the gradients of the inputs to what later readers of the same outputs left. */
static gyre_status add_to_totals(const net_pass *p, int i, const node_call *c) {
    const node_plan *plan = &p->net->plan.nodes[i];
    for (int k = 0; k < c->node->input_count; k++) {
        if (plan->dx_total[k] < 0) continue;
        size_t n = (size_t)p->n * node_elements(c->in[k]);
        GYRE_TRY(c->ops->accumulate(p->queue, n, c->dx[k], slot(p, plan->dx_total[k])));
    }
    return GYRE_OK;
}

static bool has_dx(const node_call *c) {
    for (int k = 0; k < c->node->input_count; k++) {
        if (c->dx[k] != NULL) return true;
    }
    return false;
}

static gyre_status node_backward(const net_pass *p, int i) {
    const node_plan *plan = &p->net->plan.nodes[i];
    node_call c = call_of(p, i);
    const gyre_node_type *type = c.node->type;
    c.learns = plan->learns;
    c.dy = slot(p, plan->dy);
    for (int k = 0; k < c.node->input_count; k++) c.dx[k] = slot(p, plan->dx[k]);
    point_gradients(p, i, &c);
    if (type->dw != NULL) {
        double begun = pass_begin(p, p->net->marks[i]);
        GYRE_TRY(type->dw(&c));
        pass_end(p, i, GYRE_PASS_DW, begun);
    }
    if (type->dw == NULL || has_dx(&c)) {
        double begun = pass_begin(p, p->net->marks[i]);
        GYRE_TRY(type->dx(&c));
        GYRE_TRY(add_to_totals(p, i, &c));
        pass_end(p, i, GYRE_PASS_DX, begun);
    }
    return add_shared(p, i, &c);
}

/* Backward is through with `node` and all behind it. */
static gyre_status passed(const net_pass *p, int node) {
    const gyre_backend_ops *ops = p->net->weights->backend->ops;
    for (int i = 0; i < p->net->zero_count; i++) {
        const leaf_zero *z = &p->net->zeros[i];
        if (z->node != node) continue;
        GYRE_TRY(ops->fill(p->queue, z->count, 0, gyre_f32_at(p->leaf, z->offset)));
    }
    if (p->listener == NULL) return GYRE_OK;
    return p->listener->passed(p->listener->context, p->queue, node);
}

gyre_status pass_backward(const net_pass *p) {
    const gyre_model *m = p->net->weights->model;
    GYRE_TRY(passed(p, m->node_count));
    for (int i = m->node_count - 1; i >= 0; i--) {
        bool wanted = p->net->plan.nodes[i].wanted && !m->nodes[i].type->is_loss;
        if (wanted) GYRE_TRY(node_backward(p, i));
        GYRE_TRY(passed(p, i));
    }
    return GYRE_OK;
}
