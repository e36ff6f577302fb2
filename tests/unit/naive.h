/* A model's loss in double precision by plain loops, straight from its list of nodes: the reference
 * that finite differences are taken of. Images come as numbers. Included after cmocka. */
#ifndef GYRE_TESTS_NAIVE_H
#define GYRE_TESTS_NAIVE_H

#include "../../src/model/node.h"
#include "gyre/random.h"
#include "naive_activation.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    const gyre_model *m;
    int n;
    bool train; /* batch norm by this batch's statistics; else by the running ones */
    double **y; /* outputs by node */
    const double *images, *parameters, *buffers;
    const int32_t *labels;
} naive;

typedef struct {
    int h, w, c;
    const double *x;
} naive_input;

static naive_input naive_input_of(const naive *t, int node) {
    node_size size = node_output(t->m, node);
    return (naive_input){size.h, size.w, size.c, node < 0 ? t->images : t->y[node]};
}

static int naive_int(const gyre_node *l, const char *option) {
    return (int)node_option_value(l, option);
}

static const double *naive_param(const naive *t, int index) {
    return index < 0 ? NULL : t->parameters + t->m->params[index].offset;
}

/* A number of a norm's weight or bias; `otherwise` where it has none. */
static double naive_part(const naive *t, const gyre_node *l, int which, int c, double otherwise) {
    return l->params[which] < 0 ? otherwise : naive_param(t, l->params[which])[c];
}

static void naive_conv(const naive *t, const gyre_node *l, naive_input in, double *y) {
    const double *weight = naive_param(t, l->params[0]), *bias = naive_param(t, l->params[1]);
    int size[2], stride[2], dilation[2], pad[2], groups = naive_int(l, "groups");
    for (int i = 0; i < 2; i++) {
        size[i] = (int)node_option_number(l, "size", i);
        stride[i] = (int)node_option_number(l, "stride", i);
        dilation[i] = (int)node_option_number(l, "dilation", i);
        pad[i] = (int)node_option_number(l, "pad", i);
    }
    int taps = size[0] * size[1], part = in.c / groups;
    for (int at = 0; at < t->n * l->h * l->w; at++) {
        int ox = at % l->w, oy = at / l->w % l->h, image = at / l->w / l->h;
        for (int k = 0; k < l->c; k++) {
            double sum = bias == NULL ? 0 : bias[k];
            for (int i = 0; i < taps; i++) {
                int iy = oy * stride[0] - pad[0] + i / size[1] * dilation[0];
                int ix = ox * stride[1] - pad[1] + i % size[1] * dilation[1];
                if (iy < 0 || ix < 0 || iy >= in.h || ix >= in.w) continue;
                const double *x = in.x + ((image * in.h + iy) * in.w + ix) * in.c;
                const double *w = weight + (k * taps + i) * part;
                x += k / (l->c / groups) * part;
                for (int c = 0; c < part; c++) sum += x[c] * w[c];
            }
            y[at * l->c + k] = sum;
        }
    }
}

static void naive_linear(const naive *t, const gyre_node *l, naive_input in, double *y) {
    const double *weight = naive_param(t, l->params[0]), *bias = naive_param(t, l->params[1]);
    int size = in.h * in.w * in.c;
    for (int at = 0; at < t->n * l->c; at++) {
        double sum = bias == NULL ? 0 : bias[at % l->c];
        const double *x = in.x + at / l->c * size, *w = weight + at % l->c * size;
        for (int i = 0; i < size; i++) sum += x[i] * w[i];
        y[at] = sum;
    }
}

static void naive_norm(const naive *t, const gyre_node *l, naive_input in, double *y) {
    int rows = t->n * l->h * l->w;
    for (int c = 0; c < l->c; c++) {
        double mean = 0, variance = 0;
        for (int i = 0; i < rows; i++) mean += in.x[i * l->c + c] / rows;
        for (int i = 0; i < rows; i++) {
            double d = in.x[i * l->c + c] - mean;
            variance += d * d / rows;
        }
        if (!t->train || naive_int(l, "frozen")) {
            mean = t->buffers[l->statistics + (size_t)c];
            variance = t->buffers[l->statistics + (size_t)(l->c + c)];
        }
        double scale = naive_part(t, l, 0, c, 1) / sqrt(variance + 1e-5);
        double shift = naive_part(t, l, 1, c, 0);
        for (int i = 0; i < rows; i++) {
            int at = i * l->c + c;
            y[at] = (in.x[at] - mean) * scale + shift;
            if (l->input_count == 2) y[at] += t->y[l->inputs[1]][at];
        }
    }
}

/* Layer norm or group norm of `count` elements, rows of `width` from x[first] on. */
static void naive_standardise(const naive *t, const gyre_node *l, const double *x, int first,
                              int count, int width, double *y) {
    double mean = 0, squares = 0;
    for (int i = 0; i < count; i++) mean += x[first + i / width * l->c + i % width] / count;
    for (int i = 0; i < count; i++) {
        squares += pow(x[first + i / width * l->c + i % width] - mean, 2);
    }
    double scale = 1 / sqrt(squares / count + node_option_value(l, "eps"));
    for (int i = 0; i < count; i++) {
        int at = first + i / width * l->c + i % width;
        double weight = naive_part(t, l, 0, at % l->c, 1);
        y[at] = (x[at] - mean) * scale * weight + naive_part(t, l, 1, at % l->c, 0);
    }
}

static void naive_layer_norm(const naive *t, const gyre_node *l, naive_input in, double *y) {
    for (int i = 0; i < t->n * l->h * l->w; i++) {
        naive_standardise(t, l, in.x, i * l->c, l->c, l->c, y);
    }
}

static void naive_group_norm(const naive *t, const gyre_node *l, naive_input in, double *y) {
    int groups = naive_int(l, "groups"), width = l->c / groups, pixels = l->h * l->w;
    for (int i = 0; i < t->n * groups; i++) {
        int first = i / groups * pixels * l->c + i % groups * width;
        naive_standardise(t, l, in.x, first, pixels * width, width, y);
    }
    int all = t->n * pixels * l->c;
    for (int i = 0; i < all && node_option_value(l, "silu") != 0; i++) y[i] /= 1 + exp(-y[i]);
}

static void naive_pool(const naive *t, const gyre_node *l, naive_input in, double *y) {
    int all = naive_int(l, "global"), size[2], stride[2], pad[2];
    for (int i = 0; i < 2; i++) {
        size[i] = (int)node_option_number(l, "size", i);
        stride[i] = (int)node_option_number(l, "stride", i);
        pad[i] = (int)node_option_number(l, "pad", i);
    }
    int r = all ? in.h : size[0], s = all ? in.w : size[1];
    bool max = strcmp(l->type->name, "max_pool") == 0;
    for (int at = 0; at < t->n * l->h * l->w * l->c; at++) {
        int c = at % l->c, ox = at / l->c % l->w, oy = at / l->c / l->w % l->h;
        int image = at / l->c / l->w / l->h, cells = 0;
        double sum = 0, top = -INFINITY;
        for (int i = 0; i < r * s; i++) {
            int iy = oy * stride[0] + i / s - pad[0], ix = ox * stride[1] + i % s - pad[1];
            if (iy < 0 || ix < 0 || iy >= in.h || ix >= in.w) continue;
            double x = in.x[((image * in.h + iy) * in.w + ix) * in.c + c];
            sum += x;
            top = fmax(top, x);
            cells++;
        }
        y[at] = max ? top : sum / cells;
    }
}

static void naive_adaptive_pool(const naive *t, const gyre_node *l, naive_input in, double *y) {
    for (int at = 0; at < t->n * l->h * l->w * l->c; at++) {
        int c = at % l->c, ox = at / l->c % l->w, oy = at / l->c / l->w % l->h, cells = 0;
        int image = at / l->c / l->w / l->h;
        double sum = 0;
        for (int iy = oy * in.h / l->h; iy * l->h < (oy + 1) * in.h; iy++) {
            for (int ix = ox * in.w / l->w; ix * l->w < (ox + 1) * in.w; ix++) {
                sum += in.x[((image * in.h + iy) * in.w + ix) * in.c + c];
                cells++;
            }
        }
        y[at] = sum / cells;
    }
}

static void naive_lrn(const naive *t, const gyre_node *l, naive_input in, double *y) {
    int r = naive_int(l, "size");
    double alpha = node_option_value(l, "alpha"), beta = node_option_value(l, "beta");
    for (int at = 0; at < t->n * l->h * l->w * l->c; at++) {
        int c = at % l->c, ox = at / l->c % l->w, oy = at / l->c / l->w % l->h;
        int image = at / l->c / l->w / l->h;
        double sum = 0, floor_value = naive_int(l, "relu") ? 0 : -INFINITY;
        for (int i = 0; i < r * r; i++) {
            int iy = oy + i / r - r / 2, ix = ox + i % r - r / 2;
            if (iy < 0 || ix < 0 || iy >= in.h || ix >= in.w) continue;
            double x = fmax(floor_value, in.x[((image * in.h + iy) * in.w + ix) * in.c + c]);
            sum += x * x;
        }
        double s = 1 + alpha / (r * r) * sum;
        y[at] = fmax(floor_value, in.x[at]) * pow(s, -beta);
    }
}

static void naive_channel_lrn(const naive *t, const gyre_node *l, naive_input in, double *y) {
    int size = naive_int(l, "size");
    double alpha = node_option_value(l, "alpha"), beta = node_option_value(l, "beta");
    for (int at = 0; at < t->n * l->h * l->w * l->c; at++) {
        int first = at % l->c - size / 2;
        double sum = 0;
        for (int j = first; j < first + size; j++) {
            double x = j >= 0 && j < l->c ? in.x[at / l->c * l->c + j] : 0;
            sum += x * x;
        }
        y[at] = in.x[at] * pow(node_option_value(l, "k") + alpha / size * sum, -beta);
    }
}

static void naive_shortcut(const naive *t, const gyre_node *l, naive_input in, double *y) {
    int stride = naive_int(l, "stride");
    int front = (l->c - in.c) / 2;
    for (int at = 0; at < t->n * l->h * l->w * l->c; at++) {
        int c = at % l->c - front, ox = at / l->c % l->w, oy = at / l->c / l->w % l->h;
        int image = at / l->c / l->w / l->h;
        bool inside = c >= 0 && c < in.c;
        int from = ((image * in.h + oy * stride) * in.w + ox * stride) * in.c + c;
        y[at] = inside ? in.x[from] : 0;
    }
}

static void naive_relu(const naive *t, const gyre_node *l, naive_input in, double *y) {
    for (int i = 0; i < t->n * l->h * l->w * l->c; i++) y[i] = fmax(0, in.x[i]);
}

static void naive_activation(const naive *t, const gyre_node *l, naive_input in, double *y) {
    const char *type = l->type->name;
    double slope = strcmp(type, "leaky_relu") == 0 ? node_option_value(l, "slope")
                   : strcmp(type, "elu") == 0      ? node_option_value(l, "alpha")
                                                   : 0;
    for (int i = 0; i < t->n * l->h * l->w * l->c; i++) {
        y[i] = naive_activated(l->type->name, slope, in.x[i]);
    }
}

#include "naive_attention.h"

static void naive_broadcast(const naive *t, const gyre_node *l, naive_input in, double *y) {
    bool multiply = strcmp(l->type->name, "mul") == 0;
    for (int i = 0; i < t->n * l->h * l->w * l->c; i++) {
        y[i] = in.x[i];
        for (int k = 1; k < l->input_count; k++) {
            naive_input z = naive_input_of(t, l->inputs[k]);
            int pixel = z.h * z.w == l->h * l->w ? i / l->c : i / l->c / l->h / l->w;
            double other = z.x[pixel * z.c + i % z.c];
            y[i] = multiply ? y[i] * other : y[i] + other;
        }
    }
}

static void naive_scale(const naive *t, const gyre_node *l, naive_input in, double *y) {
    const double *weight = naive_param(t, l->params[0]);
    const int count = naive_int(l, "by_channel") ? l->c : 1;
    const bool bias = strcmp(l->type->name, "bias") == 0;
    for (int i = 0; i < t->n * l->h * l->w * l->c; i++)
        y[i] = bias ? in.x[i] + weight[i % count] : in.x[i] * weight[i % count];
}

static void naive_affine(const naive *t, const gyre_node *l, naive_input in, double *y) {
    const double *own = t->buffers + l->statistics;
    double factor = node_option_value(l, "factor"), shift = node_option_value(l, "shift");
    for (int i = 0; i < t->n * l->h * l->w * l->c; i++) {
        if (naive_int(l, "by_channel")) {
            factor = own[i % l->c];
            shift = own[l->c + i % l->c];
        }
        y[i] = factor * in.x[i] + shift;
    }
}

static void naive_concat(const naive *t, const gyre_node *l, naive_input in, double *y) {
    (void)in;
    for (int i = 0; i < t->n * l->h * l->w * l->c; i++) {
        int k = 0, at = i % l->c;
        naive_input z = naive_input_of(t, l->inputs[0]);
        for (; at >= z.c; z = naive_input_of(t, l->inputs[++k])) at -= z.c;
        y[i] = z.x[i / l->c * z.c + at];
    }
}

static void naive_flatten(const naive *t, const gyre_node *l, naive_input in, double *y) {
    int pixels = in.h * in.w;
    for (int i = 0; i < t->n * l->c; i++) {
        int at = i % l->c,
            from = naive_int(l, "order") == 1 ? at % pixels * in.c + at / pixels : at;
        y[i] = in.x[i / l->c * l->c + from];
    }
}

static void naive_upsample(const naive *t, const gyre_node *l, naive_input in, double *y) {
    int factor = naive_int(l, "factor");
    for (int i = 0; i < t->n * l->h * l->w * l->c; i++) {
        int c = i % l->c, ox = i / l->c % l->w, line = i / l->c / l->w;
        y[i] = in.x[(line / factor * in.w + ox / factor) * in.c + c];
    }
}

#include "naive_draws.h"

#define NAIVE_ACTIVATION(KIND, name, reads, about) {#name, naive_activation},
static const struct {
    const char *type;
    void (*forward)(const naive *t, const gyre_node *l, naive_input in, double *y);
} naive_types[] = {{"conv", naive_conv},
                   {"linear", naive_linear},
                   {"batch_norm", naive_norm},
                   {"max_pool", naive_pool},
                   {"average_pool", naive_pool},
                   {"adaptive_average_pool", naive_adaptive_pool},
                   {"lrn", naive_lrn},
                   {"channel_lrn", naive_channel_lrn},
                   {"shortcut", naive_shortcut},
                   {"relu", naive_relu},
                   {"layer_norm", naive_layer_norm},
                   {"group_norm", naive_group_norm},
                   {"attention", naive_attention},
                   {"add", naive_broadcast},
                   {"mul", naive_broadcast},
                   {"geglu", naive_geglu},
                   {"positions", naive_positions},
                   {"scale", naive_scale},
                   {"bias", naive_scale},
                   {"affine", naive_affine},
                   {"concat", naive_concat},
                   {"flatten", naive_flatten},
                   {"upsample", naive_upsample},
                   {"latent", naive_latent},
                   {"diffuse", naive_diffuse},
                   {"time", naive_times},
                   {"embedding", naive_embedding},
                   {"context", naive_context},
                   {"dropout", naive_dropout},
                   {"spatial_dropout", naive_dropout},
                   {"stochastic_depth", naive_dropout},
                   GYRE_ACTIVATIONS(NAIVE_ACTIVATION)};

static void naive_node(const naive *t, int index) {
    const gyre_node *l = &t->m->nodes[index];
    size_t types = sizeof naive_types / sizeof naive_types[0];
    for (size_t k = 0; k < types; k++) { /* test_gradient.c checks that all types are there */
        if (strcmp(naive_types[k].type, l->type->name) != 0) continue;
        naive_types[k].forward(t, l, naive_input_of(t, l->inputs[0]), t->y[index]);
    }
    bool relu = node_option_value(l, "relu") == 1; /* of an LRN, y is >= 0 by then */
    for (int i = 0; relu && i < t->n * l->h * l->w * l->c; i++) {
        t->y[index][i] = fmax(0, t->y[index][i]);
    }
}

/* Mean over the batch of the mean over the classes of (z - one-hot)^2. */
static double naive_squared_error(const naive *t, const int32_t *labels) {
    int classes = t->m->classes;
    double loss = 0;
    for (int i = 0; i < t->n * classes; i++) {
        double d = t->y[gyre_model_output(t->m)][i] - (i % classes == labels[i / classes]);
        loss += d * d / (t->n * classes);
    }
    return loss;
}

/* Mean of the cross-entropy against (1 - s) one-hot + s / classes, times the classes' weights. */
static double naive_loss(const naive *t, const int32_t *labels, double smoothing) {
    int classes = t->m->classes;
    for (int i = 0; i < t->m->node_count - 1; i++) naive_node(t, i);
    const char *type = t->m->nodes[t->m->node_count - 1].type->name;
    if (strcmp(type, "one_hot_squared_error") == 0) return naive_squared_error(t, labels);
    if (strcmp(type, "denoise") == 0) return naive_denoise(t);
    double loss = 0;
    for (int i = 0; i < t->n; i++) {
        const double *z = t->y[gyre_model_output(t->m)] + i * classes;
        double sum = 0, top = z[0];
        for (int j = 0; j < classes; j++) top = fmax(top, z[j]);
        for (int j = 0; j < classes; j++) sum += exp(z[j] - top);
        for (int j = 0; j < classes; j++) {
            double target = smoothing / classes + (j == labels[i] ? 1 - smoothing : 0);
            if (t->m->class_weights != NULL) target *= (double)t->m->class_weights[j];
            loss -= target * (z[j] - top - log(sum)) / t->n;
        }
    }
    return loss;
}

static void naive_open(naive *t, const gyre_model *m, int n) {
    *t = (naive){.m = m, .n = n, .train = true};
    t->y = calloc((size_t)m->node_count, sizeof *t->y);
    for (int i = 0; i < m->node_count; i++) {
        t->y[i] = calloc((size_t)(n * m->nodes[i].h * m->nodes[i].w * m->nodes[i].c), 8);
    }
}

static void naive_close(naive *t) {
    for (int i = 0; i < t->m->node_count; i++) free(t->y[i]);
    free(t->y);
}

#endif
