/* Appends layers to a model: shapes follow from what a layer reads, parameters from the shapes. */
#include "builder.h"

#include "gyre/backend.h"
#include "gyre/size.h"
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *grow(builder *b, void *array, int count, int *room, size_t size) {
    if (count < *room) return array;
    int wider = *room == 0 ? 32 : 2 * *room;
    void *more = realloc(array, (size_t)wider * size);
    if (more == NULL) {
        b->status = gyre_no_memory("a model of %d layers", wider);
        return array;
    }
    *room = wider;
    return more;
}

static int add_param(builder *b, const char *layer, const char *what, int rank, const int *dims) {
    gyre_model *m = b->model;
    m->params = grow(b, m->params, m->param_count, &b->param_room, sizeof *m->params);
    if (b->status != GYRE_OK) return -1;
    gyre_param *p = &m->params[m->param_count];
    memset(p, 0, sizeof *p);
    snprintf(p->name, sizeof p->name, "%s.%s", layer, what);
    p->rank = rank;
    p->count = 1;
    for (int i = 0; i < rank; i++) {
        p->dims[i] = dims[i];
        p->count *= (size_t)dims[i];
    }
    p->lr_mult = 1;
    p->decay_mult = 1;
    return m->param_count++;
}

static gyre_layer *add_layer(builder *b, gyre_layer_kind kind, const char *name, int from) {
    gyre_model *m = b->model;
    m->layers = grow(b, m->layers, m->layer_count, &b->layer_room, sizeof *m->layers);
    if (b->status != GYRE_OK) return NULL;
    gyre_layer *l = &m->layers[m->layer_count++];
    memset(l, 0, sizeof *l);
    l->kind = kind;
    snprintf(l->name, sizeof l->name, "%s", name);
    l->input = from;
    l->residual = BUILDER_NONE;
    l->weight = l->bias = -1;
    l->stride = 1;
    return l;
}

typedef struct {
    int h, w, c;
} size3;

static size3 size_of(const gyre_model *m, int layer) {
    if (layer < 0) return (size3){m->h, m->w, m->c};
    return (size3){m->layers[layer].h, m->layers[layer].w, m->layers[layer].c};
}

static int finish(builder *b, gyre_layer *l) {
    if (b->status == GYRE_OK && (l->h < 1 || l->w < 1)) {
        b->status = gyre_fail(GYRE_EUSAGE,
                              "model.name: \"%s\" needs larger images than %dx%d: nothing is left "
                              "at layer %s",
                              b->model->name, b->model->h, b->model->w, l->name);
    }
    return b->model->layer_count - 1;
}

/* Weight and bias of a layer that sums over `fan_in` inputs. */
static void add_weights(builder *b, gyre_layer *l, int rank, const int *dims, int fan_in,
                        int fan_out, bool bias) {
    gyre_layer at = *l; /* params may move, layers do not */
    at.weight = add_param(b, l->name, "weight", rank, dims);
    if (bias) at.bias = add_param(b, l->name, "bias", 1, dims);
    if (b->status != GYRE_OK) return;
    gyre_param *w = &b->model->params[at.weight];
    w->init = b->init;
    w->decay_mult = b->weight_decay_mult;
    w->spread = b->spread_by_fan ? b->spread / sqrt(b->fan_out ? fan_out : fan_in) : b->spread;
    if (bias) {
        gyre_param *p = &b->model->params[at.bias];
        p->init = b->bias_init;
        p->spread = 1.0 / sqrt(fan_in);
        p->lr_mult = b->bias_lr_mult;
        p->decay_mult = b->bias_decay_mult;
    }
    *l = at;
}

int builder_conv(builder *b, const char *name, int from, conv_options o) {
    if (b->status != GYRE_OK) return -1;
    size3 in = size_of(b->model, from);
    gyre_layer *l = add_layer(b, GYRE_LAYER_CONV, name, from);
    if (l == NULL) return -1;
    l->r = o.r;
    l->stride = o.stride;
    l->pad = o.pad;
    l->relu = o.relu;
    l->c = o.channels;
    l->h = gyre_conv_out(in.h, o.r, o.stride, o.pad);
    l->w = gyre_conv_out(in.w, o.r, o.stride, o.pad);
    const int dims[] = {o.channels, o.r, o.r, in.c};
    add_weights(b, l, 4, dims, o.r * o.r * in.c, o.r * o.r * o.channels, o.bias);
    return finish(b, l);
}

/* The inputs of a linear layer: ints, though images may have more pixels. */
static gyre_status fan_of(const builder *b, const char *name, size3 in, int *out) {
    size_t all = gyre_size_of(gyre_size_of((size_t)in.h, (size_t)in.w), (size_t)in.c);
    char what[128];
    snprintf(what, sizeof what, "model.name: the inputs of layer %s of \"%s\" for images of %dx%d",
             name, b->model->name, b->model->h, b->model->w);
    return gyre_size_narrow(GYRE_EUSAGE, what, all, INT_MAX, out);
}

int builder_linear(builder *b, const char *name, int from, int out, bool relu) {
    if (b->status != GYRE_OK) return -1;
    size3 in = size_of(b->model, from);
    gyre_layer *l = add_layer(b, GYRE_LAYER_LINEAR, name, from);
    if (l == NULL) return -1;
    int fan = 0;
    b->status = fan_of(b, name, in, &fan);
    l->h = l->w = 1;
    l->c = out;
    l->relu = relu;
    const int dims[] = {out, fan};
    add_weights(b, l, 2, dims, fan, out, true);
    return finish(b, l);
}

int builder_norm(builder *b, const char *name, int from, int residual, bool relu) {
    if (b->status != GYRE_OK) return -1;
    size3 in = size_of(b->model, from);
    gyre_layer *l = add_layer(b, GYRE_LAYER_NORM, name, from);
    if (l == NULL) return -1;
    l->h = in.h;
    l->w = in.w;
    l->c = in.c;
    l->relu = relu;
    l->residual = residual;
    l->weight = add_param(b, name, "weight", 1, &in.c);
    l->bias = add_param(b, name, "bias", 1, &in.c);
    if (b->status != GYRE_OK) return -1;
    b->model->params[l->weight].init = GYRE_INIT_ONE;
    l->moments = b->model->buffers;
    b->model->buffers += 2 * (size_t)in.c;
    return finish(b, l);
}

int builder_relu(builder *b, const char *name, int from) {
    if (b->status != GYRE_OK) return -1;
    size3 in = size_of(b->model, from);
    gyre_layer *l = add_layer(b, GYRE_LAYER_RELU, name, from);
    if (l == NULL) return -1;
    l->h = in.h;
    l->w = in.w;
    l->c = in.c;
    return finish(b, l);
}

int builder_lrn(builder *b, const char *name, int from, lrn_options o) {
    if (b->status != GYRE_OK) return -1;
    size3 in = size_of(b->model, from);
    gyre_layer *l = add_layer(b, GYRE_LAYER_LRN, name, from);
    if (l == NULL) return -1;
    l->h = in.h;
    l->w = in.w;
    l->c = in.c;
    l->r = o.size;
    l->alpha = o.alpha;
    l->beta = o.beta;
    l->relu = o.relu;
    return finish(b, l);
}

int builder_pool(builder *b, const char *name, int from, pool_options o) {
    if (b->status != GYRE_OK) return -1;
    size3 in = size_of(b->model, from);
    gyre_layer *l = add_layer(b, GYRE_LAYER_POOL, name, from);
    if (l == NULL) return -1;
    l->h = gyre_pool_size(in.h, o.r, o.stride, o.pad, o.ceil);
    l->w = gyre_pool_size(in.w, o.r, o.stride, o.pad, o.ceil);
    l->c = in.c;
    l->max = o.max;
    l->r = o.r;
    l->stride = o.stride;
    l->pad = o.pad;
    l->ceil = o.ceil;
    return finish(b, l);
}

int builder_global_average(builder *b, const char *name, int from) {
    if (b->status != GYRE_OK) return -1;
    size3 in = size_of(b->model, from);
    if (in.h != in.w) {
        b->status = gyre_fail(GYRE_EUSAGE, "model.name: \"%s\" needs square images, found %dx%d",
                              b->model->name, b->model->h, b->model->w);
        return -1;
    }
    return builder_pool(b, name, from, (pool_options){.r = in.h, .stride = in.h});
}

int builder_shortcut(builder *b, const char *name, int from, int channels, int stride) {
    if (b->status != GYRE_OK) return -1;
    size3 in = size_of(b->model, from);
    gyre_layer *l = add_layer(b, GYRE_LAYER_SHORTCUT, name, from);
    if (l == NULL) return -1;
    l->h = gyre_shortcut_out(in.h, stride);
    l->w = gyre_shortcut_out(in.w, stride);
    l->c = channels;
    l->stride = stride;
    return finish(b, l);
}

void builder_style_caffe(builder *b, double deviation) {
    b->init = GYRE_INIT_NORMAL;
    b->spread = deviation;
    b->spread_by_fan = false;
    b->bias_init = GYRE_INIT_ZERO;
    b->bias_lr_mult = 2;
    b->weight_decay_mult = b->bias_decay_mult = 1;
}

void builder_style_xavier(builder *b) {
    builder_style_caffe(b, sqrt(3.0));
    b->init = GYRE_INIT_UNIFORM;
    b->spread_by_fan = true;
    b->fan_out = false;
}

void builder_style_he(builder *b) {
    builder_style_caffe(b, sqrt(2.0));
    b->spread_by_fan = true;
    b->fan_out = true;
    b->bias_lr_mult = 1;
}

void builder_style_torch(builder *b) {
    builder_style_xavier(b);
    b->spread = 1.0; /* kaiming_uniform with a = sqrt(5): half width 1 / sqrt(fan in) */
    b->bias_init = GYRE_INIT_UNIFORM;
    b->bias_lr_mult = 1;
}
