/* The gradient of a whole net against finite differences of a naive double-precision forward pass.
 *
 * For each parameter tensor, the derivative along random directions: one number that depends on
 * every element and its place. Central differences in double with a step of 1e-6 are good to about
 * 1e-9; the net's own rounding (f32, sums of some thousand terms) is a few 1e-6 of the gradient's
 * norm. So 1e-4 of |gradient| |direction| / sqrt(elements), with a floor for tensors whose gradient
 * is 0 by construction, leaves room for neither a wrong term nor a wrong place.
 * A ReLU or maximum that switches within the step makes the two one-sided differences unlike; such
 * a direction is drawn anew. Included after cmocka. */
#ifndef GYRE_TESTS_GRADIENT_RIG_H
#define GYRE_TESTS_GRADIENT_RIG_H

#include "naive.h"
#include "rig.h"

typedef struct {
    rig r;
    naive reference;
    double *images, *parameters, *buffers;
} check;

static double loss_along(check *c, const gyre_param *p, const double *direction, double step) {
    double *w = c->parameters + p->offset;
    for (size_t i = 0; i < p->count; i++) w[i] += step * direction[i];
    double loss = naive_loss(&c->reference, c->r.labels, c->r.o.smoothing);
    for (size_t i = 0; i < p->count; i++) {
        w[i] = (double)c->r.parameters[p->offset + i];
    }
    return loss;
}

/* Directions of +-1. Returns false when something switched within the step. */
static bool holds(check *c, const gyre_param *p, const float *gradient, double at, uint64_t draw) {
    gyre_random draws = gyre_random_open(draw, GYRE_RANDOM_TEST, p->offset, 0);
    double *direction = malloc(p->count * sizeof *direction), expected = 0, norm = 0;
    for (size_t i = 0; i < p->count; i++) {
        double g = (double)gradient[p->offset + i];
        direction[i] = gyre_random_below(&draws, 2) ? 1 : -1;
        expected += g * direction[i];
        norm += g * g;
    }
    const double step = 1e-6;
    double up = (loss_along(c, p, direction, step) - at) / step;
    double down = (at - loss_along(c, p, direction, -step)) / step;
    free(direction);
    double scale = fmax(sqrt(norm), 1e-3), found = (up + down) / 2;
    if (fabs(up - down) > 1e-3 * scale) return false;
    if (!(fabs(found - expected) <= 1e-4 * scale)) {
        fail_msg("%s %s: finite differences give %.9g, the net %.9g, its gradient's norm is %.3g",
                 c->r.model->name, p->name, found, expected, sqrt(norm));
    }
    return true;
}

static void spread_out(check *c) {
    gyre_random draws = gyre_random_open(9, GYRE_RANDOM_TEST, 0, 0);
    for (int i = 0; i < c->r.model->param_count; i++) { /* no zero bias, no scale of 1 */
        const gyre_param *p = &c->r.model->params[i];
        for (size_t k = 0; k < p->count; k++) {
            double shift = p->ndim == 1 ? 0.4 * gyre_random_uniform(&draws) - 0.2 : 0;
            c->r.parameters[p->offset + k] += (float)shift;
        }
    }
    for (size_t i = 0; i < c->r.model->buffers; i++) {
        c->r.buffers[i] += (float)(0.4 * gyre_random_uniform(&draws));
    }
}

static inline void check_gradient(rig_options o) {
    check c = {.r = rig_open(o)};
    gyre_model *m = c.r.model;
    if (strncmp(o.name, "cifar10_", 8) == 0) { /* their own start is so small that all is 0 */
        for (size_t i = 0; i < m->parameters; i++) c.r.parameters[i] *= i < 2400 ? 500.0f : 3.0f;
    }
    rig_scale_lrn(m, 2 / 5e-5); /* Caffe's is for images of 0..255 */
    spread_out(&c);
    rig_upload(&c.r);
    size_t pixels = (size_t)(o.n * o.size * o.size * o.channels);
    c.images = malloc(pixels * sizeof *c.images);
    c.parameters = malloc(m->parameters * sizeof *c.parameters);
    c.buffers = malloc((m->buffers + 1) * sizeof *c.buffers);
    for (size_t i = 0; i < pixels; i++) c.images[i] = (c.r.images[i] - 128) / 64.0;
    for (size_t i = 0; i < m->parameters; i++) c.parameters[i] = (double)c.r.parameters[i];
    for (size_t i = 0; i < m->buffers; i++) c.buffers[i] = (double)c.r.buffers[i];
    naive_open(&c.reference, m, o.n);
    c.reference.train = !o.norm_frozen;
    c.reference.images = c.images;
    c.reference.parameters = c.parameters;
    c.reference.buffers = c.buffers;
    c.reference.labels = c.r.labels;
    float *leaf = rig_leaf(&c.r);
    double at = naive_loss(&c.reference, c.r.labels, o.smoothing);
    assert_true(fabs((double)leaf[gyre_leaf_stats(m)] - at) <= 1e-5 * at);
    for (int i = 0; i < m->param_count; i++) {
        uint64_t draw = 0;
        for (int kept = 0; kept < 2; kept++, draw++) {
            while (!holds(&c, &m->params[i], leaf, at, draw)) assert_true(++draw < 8);
        }
    }
    free(leaf);
    naive_close(&c.reference);
    free(c.images);
    free(c.parameters);
    free(c.buffers);
    rig_close(&c.r);
}

static inline rig_options options(const char *name, int size, int channels, int n) {
    return (rig_options){.name = name,
                         .size = size,
                         .channels = channels,
                         .classes = 10,
                         .n = n,
                         .shards = 1,
                         .lanes = 1};
}

#endif
