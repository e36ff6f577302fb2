/* A model's loss in double precision by plain loops, straight from its layer list: the reference
 * that finite differences are taken of. Images come as numbers. Included after cmocka. */
#ifndef GYRE_TESTS_NAIVE_H
#define GYRE_TESTS_NAIVE_H

#include "gyre/model.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const gyre_model *m;
    int n;
    bool train; /* batch norm by this batch's statistics; else by the running ones */
    double **y; /* outputs by layer */
    const double *images, *parameters, *buffers;
} naive;

typedef struct {
    int h, w, c;
    const double *x;
} naive_input;

static naive_input naive_input_of(const naive *t, const gyre_layer *l) {
    if (l->input < 0) return (naive_input){t->m->h, t->m->w, t->m->c, t->images};
    const gyre_layer *in = &t->m->layers[l->input];
    return (naive_input){in->h, in->w, in->c, t->y[l->input]};
}

static const double *naive_param(const naive *t, int index) {
    return index < 0 ? NULL : t->parameters + t->m->params[index].offset;
}

static void naive_conv(const naive *t, const gyre_layer *l, naive_input in, double *y) {
    const double *weight = naive_param(t, l->weight), *bias = naive_param(t, l->bias);
    for (int at = 0; at < t->n * l->h * l->w; at++) {
        int ox = at % l->w, oy = at / l->w % l->h, image = at / l->w / l->h;
        for (int k = 0; k < l->c; k++) {
            double sum = bias == NULL ? 0 : bias[k];
            for (int i = 0; i < l->r * l->r; i++) {
                int iy = oy * l->stride - l->pad + i / l->r,
                    ix = ox * l->stride - l->pad + i % l->r;
                if (iy < 0 || ix < 0 || iy >= in.h || ix >= in.w) continue;
                const double *x = in.x + ((image * in.h + iy) * in.w + ix) * in.c;
                const double *w = weight + (k * l->r * l->r + i) * in.c;
                for (int c = 0; c < in.c; c++) sum += x[c] * w[c];
            }
            y[at * l->c + k] = sum;
        }
    }
}

static void naive_linear(const naive *t, const gyre_layer *l, naive_input in, double *y) {
    const double *weight = naive_param(t, l->weight), *bias = naive_param(t, l->bias);
    int size = in.h * in.w * in.c;
    for (int at = 0; at < t->n * l->c; at++) {
        double sum = bias == NULL ? 0 : bias[at % l->c];
        const double *x = in.x + at / l->c * size, *w = weight + at % l->c * size;
        for (int i = 0; i < size; i++) sum += x[i] * w[i];
        y[at] = sum;
    }
}

static void naive_norm(const naive *t, const gyre_layer *l, naive_input in, double *y) {
    int rows = t->n * l->h * l->w;
    for (int c = 0; c < l->c; c++) {
        double mean = 0, variance = 0;
        for (int i = 0; i < rows; i++) mean += in.x[i * l->c + c] / rows;
        for (int i = 0; i < rows; i++) {
            double d = in.x[i * l->c + c] - mean;
            variance += d * d / rows;
        }
        if (!t->train) {
            mean = t->buffers[l->moments + (size_t)c];
            variance = t->buffers[l->moments + (size_t)(l->c + c)];
        }
        double scale = naive_param(t, l->weight)[c] / sqrt(variance + 1e-5);
        double shift = naive_param(t, l->bias)[c];
        for (int i = 0; i < rows; i++) {
            int at = i * l->c + c;
            y[at] = (in.x[at] - mean) * scale + shift;
            if (l->residual >= 0) y[at] += t->y[l->residual][at];
        }
    }
}

static void naive_pool(const naive *t, const gyre_layer *l, naive_input in, double *y) {
    for (int at = 0; at < t->n * l->h * l->w * l->c; at++) {
        int c = at % l->c, ox = at / l->c % l->w, oy = at / l->c / l->w % l->h;
        int image = at / l->c / l->w / l->h, cells = 0;
        double sum = 0, top = -INFINITY;
        for (int i = 0; i < l->r * l->r; i++) {
            int iy = oy * l->stride + i / l->r, ix = ox * l->stride + i % l->r;
            if (iy >= in.h || ix >= in.w) continue;
            double x = in.x[((image * in.h + iy) * in.w + ix) * in.c + c];
            sum += x;
            top = fmax(top, x);
            cells++;
        }
        y[at] = l->max ? top : sum / cells;
    }
}

static void naive_lrn(const gyre_layer *l, naive_input in, int n, double *y) {
    for (int at = 0; at < n * l->h * l->w * l->c; at++) {
        int c = at % l->c, ox = at / l->c % l->w, oy = at / l->c / l->w % l->h;
        int image = at / l->c / l->w / l->h;
        double sum = 0, floor_value = l->relu ? 0 : -INFINITY;
        for (int i = 0; i < l->r * l->r; i++) {
            int iy = oy + i / l->r - l->r / 2, ix = ox + i % l->r - l->r / 2;
            if (iy < 0 || ix < 0 || iy >= in.h || ix >= in.w) continue;
            double x = fmax(floor_value, in.x[((image * in.h + iy) * in.w + ix) * in.c + c]);
            sum += x * x;
        }
        double s = 1 + (double)l->alpha / (l->r * l->r) * sum;
        y[at] = fmax(floor_value, in.x[at]) * pow(s, -(double)l->beta);
    }
}

static void naive_shortcut(const naive *t, const gyre_layer *l, naive_input in, double *y) {
    int front = (l->c - in.c) / 2;
    for (int at = 0; at < t->n * l->h * l->w * l->c; at++) {
        int c = at % l->c - front, ox = at / l->c % l->w, oy = at / l->c / l->w % l->h;
        int image = at / l->c / l->w / l->h;
        bool inside = c >= 0 && c < in.c;
        int from = ((image * in.h + oy * l->stride) * in.w + ox * l->stride) * in.c + c;
        y[at] = inside ? in.x[from] : 0;
    }
}

static void naive_layer(const naive *t, int index) {
    const gyre_layer *l = &t->m->layers[index];
    naive_input in = naive_input_of(t, l);
    double *y = t->y[index];
    int size = t->n * l->h * l->w * l->c;
    switch (l->kind) {
    case GYRE_LAYER_CONV: naive_conv(t, l, in, y); break;
    case GYRE_LAYER_LINEAR: naive_linear(t, l, in, y); break;
    case GYRE_LAYER_NORM: naive_norm(t, l, in, y); break;
    case GYRE_LAYER_POOL: naive_pool(t, l, in, y); break;
    case GYRE_LAYER_LRN: naive_lrn(l, in, t->n, y); break;
    case GYRE_LAYER_SHORTCUT: naive_shortcut(t, l, in, y); break;
    case GYRE_LAYER_RELU: memcpy(y, in.x, (size_t)size * sizeof *y); break;
    }
    bool relu = l->relu || l->kind == GYRE_LAYER_RELU; /* of an LRN, y is >= 0 by then */
    for (int i = 0; relu && i < size; i++) y[i] = fmax(0, y[i]);
}

/* Mean over the batch of the cross-entropy against (1 - s) one-hot + s / classes. */
static double naive_loss(const naive *t, const int32_t *labels, double smoothing) {
    int classes = t->m->classes;
    for (int i = 0; i < t->m->layer_count; i++) naive_layer(t, i);
    double loss = 0;
    for (int i = 0; i < t->n; i++) {
        const double *z = t->y[t->m->layer_count - 1] + i * classes;
        double sum = 0, top = z[0];
        for (int j = 0; j < classes; j++) top = fmax(top, z[j]);
        for (int j = 0; j < classes; j++) sum += exp(z[j] - top);
        for (int j = 0; j < classes; j++) {
            double target = smoothing / classes + (j == labels[i] ? 1 - smoothing : 0);
            loss -= target * (z[j] - top - log(sum)) / t->n;
        }
    }
    return loss;
}

static void naive_open(naive *t, const gyre_model *m, int n) {
    *t = (naive){.m = m, .n = n, .train = true};
    t->y = calloc((size_t)m->layer_count, sizeof *t->y);
    for (int i = 0; i < m->layer_count; i++) {
        t->y[i] = calloc((size_t)(n * m->layers[i].h * m->layers[i].w * m->layers[i].c), 8);
    }
}

static void naive_close(naive *t) {
    for (int i = 0; i < t->m->layer_count; i++) free(t->y[i]);
    free(t->y);
}

#endif
