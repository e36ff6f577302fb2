/* Forward and backward: a loop over the layers each. */
#include "lane.h"
#include "shapes.h"

static gyre_act slot(const net_pass *p, int index) {
    return index < 0 ? NULL : p->lane->slots[index];
}

static gyre_act output_of(const net_pass *p, int layer) {
    return layer < 0 ? p->lane->images : slot(p, p->net->plan.layers[layer].y);
}

static gyre_f32 parameter(const net_pass *p, int index) {
    const gyre_weights *w = p->net->weights;
    return index < 0 ? NULL : gyre_f32_at(w->parameters, w->model->params[index].offset);
}

static gyre_f32 gradient(const net_pass *p, int index) {
    return index < 0 ? NULL : gyre_f32_at(p->leaf, p->net->weights->model->params[index].offset);
}

static gyre_status norm_forward(const net_pass *p, const gyre_layer *l, gyre_act x, gyre_raw saved_,
                                gyre_act y) {
    const gyre_weights *w = p->net->weights;
    const gyre_backend_ops *ops = w->backend->ops;
    gyre_norm_shape s = shape_of_norm(l, p->n);
    gyre_act residual = l->residual < 0 ? NULL : output_of(p, l->residual);
    gyre_f32 gamma = parameter(p, l->weight), beta = parameter(p, l->bias);
    gyre_f32 saved = (gyre_f32)(void *)saved_;
    if (p->train && !w->model->norm_frozen) {
        gyre_f32 moments = gyre_f32_at(p->leaf, gyre_leaf_moments(w->model) + l->moments);
        return ops->norm_train(p->queue, &s, x, residual, gamma, beta, saved, moments, y);
    }
    s.frozen = p->train;
    return ops->norm_eval(p->queue, &s, x, residual, gamma, beta,
                          gyre_f32_at(w->buffers, l->moments), saved, y);
}

static gyre_status layer_forward(const net_pass *p, int i) {
    const gyre_weights *w = p->net->weights;
    const gyre_model *m = w->model;
    const gyre_layer *l = &m->layers[i];
    const gyre_backend_ops *ops = w->backend->ops;
    gyre_queue *q = p->queue;
    gyre_act x = output_of(p, l->input), y = output_of(p, i);
    gyre_raw packed = w->packed[i], saved = p->lane->saved[i];
    gyre_f32 bias = parameter(p, l->bias);
    switch (l->kind) {
    case GYRE_LAYER_CONV: {
        gyre_conv_shape s = shape_of_conv(m, l, p->n);
        return ops->conv(q, &s, x, packed, bias, y);
    }
    case GYRE_LAYER_LINEAR: {
        gyre_linear_shape s = shape_of_linear(m, l, p->n);
        return ops->linear(q, &s, x, packed, bias, y);
    }
    case GYRE_LAYER_NORM: return norm_forward(p, l, x, saved, y);
    case GYRE_LAYER_RELU: return ops->relu(q, (size_t)p->n * layer_size(l), x, y);
    case GYRE_LAYER_POOL: {
        gyre_pool_shape s = shape_of_pool(m, l, p->n);
        return ops->pool(q, &s, x, saved, y);
    }
    case GYRE_LAYER_LRN: {
        gyre_lrn_shape s = shape_of_lrn(l, p->n);
        return ops->lrn(q, &s, x, y);
    }
    case GYRE_LAYER_SHORTCUT: {
        gyre_shortcut_shape s = shape_of_shortcut(m, l, p->n);
        return ops->shortcut(q, &s, x, y);
    }
    }
    return gyre_fail(GYRE_EDEVICE, "layer %s is of no known kind", l->name);
}

gyre_status pass_forward(const net_pass *p) {
    int count = p->net->weights->model->layer_count;
    for (int i = 0; i < count; i++) {
        double begun = part_begin(p, p->net->weights->model->layers[i].name);
        GYRE_TRY(layer_forward(p, i));
        part_end(p, i, GYRE_PASS_FORWARD, begun);
    }
    return GYRE_OK;
}

static gyre_status norm_backward(const net_pass *p, int i, gyre_act x, gyre_act y, gyre_act dy) {
    const gyre_model *m = p->net->weights->model;
    const gyre_layer *l = &m->layers[i];
    const layer_plan *plan = &p->net->plan.layers[i];
    gyre_norm_shape s = shape_of_norm(l, p->n);
    s.frozen = m->norm_frozen;
    s.add = plan->dresidual >= 0; /* the ReLU's mask is in y, so nothing else needs the addition */
    return p->net->weights->backend->ops->norm_dx(
        p->queue, &s, x, y, dy, parameter(p, l->weight), (gyre_f32)(void *)p->lane->saved[i],
        slot(p, plan->dx), slot(p, plan->dresidual), gradient(p, l->weight), gradient(p, l->bias));
}

/* Convolutions and linear layers: their ReLU is applied inside forward, and their dW apart from dX.
 */
static bool has_weights(const gyre_layer *l) {
    return l->kind == GYRE_LAYER_CONV || l->kind == GYRE_LAYER_LINEAR;
}

static gyre_status mask(const net_pass *p, int i) {
    gyre_act dy = slot(p, p->net->plan.layers[i].dy);
    return p->net->weights->backend->ops->relu_dx(
        p->queue, (size_t)p->n * layer_size(&p->net->weights->model->layers[i]), output_of(p, i),
        dy, dy);
}

static gyre_status layer_dw(const net_pass *p, int i) {
    const gyre_model *m = p->net->weights->model;
    const gyre_layer *l = &m->layers[i];
    const gyre_backend_ops *ops = p->net->weights->backend->ops;
    gyre_act x = output_of(p, l->input), dy = slot(p, p->net->plan.layers[i].dy);
    gyre_f32 dw = gradient(p, l->weight), db = gradient(p, l->bias);
    if (l->kind == GYRE_LAYER_CONV) {
        gyre_conv_shape s = shape_of_conv(m, l, p->n);
        return ops->conv_dw(p->queue, &s, x, dy, dw, db);
    }
    gyre_linear_shape s = shape_of_linear(m, l, p->n);
    return ops->linear_dw(p->queue, &s, x, dy, dw, db);
}

static gyre_status layer_dx(const net_pass *p, int i) {
    const gyre_weights *w = p->net->weights;
    const gyre_model *m = w->model;
    const gyre_layer *l = &m->layers[i];
    const layer_plan *plan = &p->net->plan.layers[i];
    const gyre_backend_ops *ops = w->backend->ops;
    gyre_queue *q = p->queue;
    gyre_act x = output_of(p, l->input), y = output_of(p, i);
    gyre_act dy = slot(p, plan->dy), dx = slot(p, plan->dx);
    switch (l->kind) {
    case GYRE_LAYER_CONV: {
        gyre_conv_shape s = shape_of_conv(m, l, p->n);
        return ops->conv_dx(q, &s, dy, w->packed[i], dx);
    }
    case GYRE_LAYER_LINEAR: {
        gyre_linear_shape s = shape_of_linear(m, l, p->n);
        return ops->linear_dx(q, &s, dy, w->packed[i], dx);
    }
    case GYRE_LAYER_NORM: return norm_backward(p, i, x, y, dy);
    case GYRE_LAYER_RELU: return ops->relu_dx(q, (size_t)p->n * layer_size(l), y, dy, dx);
    case GYRE_LAYER_POOL: {
        gyre_pool_shape s = shape_of_pool(m, l, p->n);
        return ops->pool_dx(q, &s, dy, p->lane->saved[i], dx);
    }
    case GYRE_LAYER_LRN: {
        gyre_lrn_shape s = shape_of_lrn(l, p->n);
        return ops->lrn_dx(q, &s, x, dy, dx);
    }
    case GYRE_LAYER_SHORTCUT: {
        gyre_shortcut_shape s = shape_of_shortcut(m, l, p->n);
        return ops->shortcut_dx(q, &s, dy, dx);
    }
    }
    return GYRE_OK;
}

/* Adds a gradient to what an earlier reader of the same output left. */
static gyre_status add_to_total(const net_pass *p, int layer, int part, int total) {
    if (total < 0) return GYRE_OK;
    const gyre_weights *w = p->net->weights;
    size_t n = (size_t)p->n * layer_size(&w->model->layers[layer]);
    return w->backend->ops->accumulate(p->queue, n, slot(p, part), slot(p, total));
}

static gyre_status weights_backward(const net_pass *p, int i) {
    double begun = part_begin(p, p->net->marks[i]);
    if (p->net->weights->model->layers[i].relu) GYRE_TRY(mask(p, i));
    if (p->net->plan.layers[i].learns) GYRE_TRY(layer_dw(p, i));
    part_end(p, i, GYRE_PASS_DW, begun);
    return GYRE_OK;
}

static gyre_status input_backward(const net_pass *p, int i) {
    const gyre_layer *l = &p->net->weights->model->layers[i];
    const layer_plan *plan = &p->net->plan.layers[i];
    double begun = part_begin(p, p->net->marks[i]);
    GYRE_TRY(layer_dx(p, i));
    GYRE_TRY(add_to_total(p, l->input, plan->dx, plan->dx_total));
    GYRE_TRY(add_to_total(p, l->residual, plan->dresidual, plan->dresidual_total));
    part_end(p, i, GYRE_PASS_DX, begun);
    return GYRE_OK;
}

static gyre_status layer_backward(const net_pass *p, int i) {
    bool weights = has_weights(&p->net->weights->model->layers[i]);
    if (weights) GYRE_TRY(weights_backward(p, i));
    return weights && p->net->plan.layers[i].dx < 0 ? GYRE_OK : input_backward(p, i);
}

/* Backward is through with `layer` and all behind it. */
static gyre_status passed(const net_pass *p, int layer) {
    const gyre_backend_ops *ops = p->net->weights->backend->ops;
    for (int i = 0; i < p->net->zero_count; i++) {
        const leaf_zero *z = &p->net->zeros[i];
        if (z->layer != layer) continue;
        GYRE_TRY(ops->fill(p->queue, z->count, 0, gyre_f32_at(p->leaf, z->offset)));
    }
    if (p->listener == NULL) return GYRE_OK;
    return p->listener->passed(p->listener->context, p->queue, layer);
}

gyre_status pass_backward(const net_pass *p) {
    int count = p->net->weights->model->layer_count;
    GYRE_TRY(passed(p, count));
    for (int i = count - 1; i >= 0; i--) {
        if (p->net->plan.layers[i].wanted) GYRE_TRY(layer_backward(p, i));
        GYRE_TRY(passed(p, i));
    }
    return GYRE_OK;
}
