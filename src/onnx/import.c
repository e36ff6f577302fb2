/* What all operators share: their inputs, and what they give. */
#include "import.h"

#include "guess.h"
#include <stdarg.h>
#include <stdio.h>

#include <string.h>

#define SAMPLE_MAX ((int64_t)1 << 38) /* values; gyre allows a network 2^40 bytes */

onnx_layer *onnx_layer_at(const onnx_import *m, int place) {
    return place < 0 ? NULL : &m->layers.list[place];
}

onnx_layer *onnx_layer_of(const onnx_import *m, const onnx_value *v) {
    return v == NULL || v->kind != ONNX_PICTURE ? NULL : onnx_layer_at(m, v->layer);
}

const int64_t *onnx_size_of(const onnx_import *m, const onnx_value *v) {
    const onnx_layer *l = onnx_layer_of(m, v);
    return l == NULL ? m->size : l->size;
}

onnx_value onnx_value_at(const onnx_import *m, int place, const onnx_value *like) {
    return (onnx_value){.kind = ONNX_PICTURE,
                        .layer = place,
                        .view = like->view,
                        .affine = place == ONNX_IMAGES ? m->affine : NULL};
}

bool onnx_call_is(const onnx_call *c, const char *op) {
    return strcmp(c->node->op_type, op) == 0;
}

onnx_constant *onnx_constant_in(const onnx_call *c, int k) {
    return k < c->in_count && c->in[k] != NULL && c->in[k]->kind == ONNX_CONSTANT
               ? c->in[k]->constant
               : NULL;
}

bool onnx_is_picture(onnx_import *m, onnx_call *c, int k) {
    const onnx_value *v = k < c->in_count ? c->in[k] : NULL;
    if (v != NULL && v->kind == ONNX_PICTURE) return true;
    if (v == NULL)
        onnx_refuse(m, c, "its input %d is missing", k + 1);
    else if (v->kind == ONNX_CONSTANT)
        onnx_refuse(m, c, "its input %d is a constant", k + 1);
    else if (v->kind == ONNX_NOISE)
        onnx_refuse(m, c, "its input %d is random", k + 1);
    else
        onnx_refuse(m, c, NULL);
    return false;
}

bool onnx_is_planes(onnx_import *m, onnx_call *c, const onnx_value *v, const char *why) {
    const int64_t *size = onnx_size_of(m, v);
    const bool row = size[ONNX_AXIS_H] * size[ONNX_AXIS_W] == 1 && v->view.rank == 4;
    if (onnx_view_is(&v->view, "NCHW")) return true;
    onnx_refuse(m, c, "%s",
                row ? "it reads a picture made of a row, as by Unflatten, which gyre leaves a row"
                    : why);
    return false;
}

bool onnx_is_weight(onnx_import *m, onnx_call *c, int k) {
    const onnx_value *v = k < c->in_count ? c->in[k] : NULL;
    if (v != NULL && v->kind == ONNX_CONSTANT) return true;
    if (v == NULL)
        onnx_refuse(m, c, "its input %d is missing", k + 1);
    else if (v->kind == ONNX_UNKNOWN)
        onnx_refuse(m, c, NULL);
    else
        onnx_refuse(m, c, "its input %d is computed from the images; gyre's are weights", k + 1);
    return false;
}

bool onnx_may_be_weight(onnx_import *m, onnx_call *c, int k) {
    return k >= c->in_count || c->in[k] == NULL || onnx_is_weight(m, c, k);
}

/* All layers read the images normalised in the same way. */
static bool same_images(onnx_import *m, onnx_value *const *in, int count) {
    for (int i = 0; i < count; i++) {
        if (in[i]->kind != ONNX_PICTURE || in[i]->layer != ONNX_IMAGES) continue;
        if (m->affine_known && !onnx_affine_same(m->affine, in[i]->affine, m->size[ONNX_AXIS_C]))
            return false;
        if (!m->affine_known) m->affine = in[i]->affine;
        m->affine_known = true;
    }
    return true;
}

static onnx_layer *add(onnx_import *m, const onnx_call *c, const char *type, onnx_value *const *in,
                       int count) {
    int places[ONNX_LAYER_INPUTS];
    const int64_t *size = count == 0 ? m->size : onnx_size_of(m, in[0]);
    int64_t copy[ONNX_AXES];
    memcpy(copy, size, sizeof copy); /* the list of layers may move */
    for (int i = 0; i < count; i++) places[i] = in[i]->layer;
    int place = onnx_layers_add(&m->work, &m->layers, type, c->node, places, count);
    if (place < 0) return NULL;
    memcpy(m->layers.list[place].size, copy, sizeof copy);
    return &m->layers.list[place];
}

bool onnx_may_read(onnx_import *m, onnx_call *c, onnx_value *const *in, int count) {
    if (same_images(m, in, count)) return true;
    onnx_refuse(m, c, "it reads the images normalised otherwise than another operator does");
    return false;
}

onnx_layer *onnx_give(onnx_import *m, onnx_call *c, const char *type, onnx_value *const *in,
                      int count) {
    if (!onnx_may_read(m, c, in, count)) return NULL;
    onnx_layer *l = add(m, c, type, in, count);
    onnx_value *out = c->out[0];
    if (l == NULL || out == NULL) return l;
    out->kind = ONNX_PICTURE;
    out->layer = m->layers.count - 1;
    out->view = in[0]->view;
    return l;
}

onnx_layer *onnx_insert(onnx_import *m, onnx_call *c, const char *type, onnx_value *v) {
    if (!onnx_may_read(m, c, &v, 1)) return NULL;
    onnx_layer *l = add(m, c, type, &v, 1);
    if (l == NULL) return NULL;
    v->layer = m->layers.count - 1;
    v->affine = NULL;
    return l;
}

onnx_layer *onnx_give_sized(onnx_import *m, onnx_call *c, const char *type, onnx_value *in,
                            int64_t channels, int64_t h, int64_t w) {
    const int64_t most = INT32_MAX;
    if (channels > most || h > most || w > most || channels > SAMPLE_MAX / h / w) {
        onnx_refuse(m, c, "its output of %lld x %lld x %lld is larger than gyre's largest",
                    (long long)h, (long long)w, (long long)channels);
        return NULL;
    }
    onnx_layer *l = onnx_give(m, c, type, &in, 1);
    if (l == NULL) return NULL;
    l->size[ONNX_AXIS_C] = channels;
    l->size[ONNX_AXIS_H] = h;
    l->size[ONNX_AXIS_W] = w;
    if (c->out[0] != NULL) c->out[0]->view = onnx_view_of("NCHW", l->size);
    return l;
}

void onnx_give_view(onnx_call *c, const onnx_value *in, const onnx_view *view) {
    if (c->out[0] == NULL) return;
    const char *name = c->out[0]->name;
    const onnx_view copy = *view;
    *c->out[0] = *in;
    c->out[0]->name = name;
    c->out[0]->view = copy;
}

void onnx_give_same(onnx_call *c, const onnx_value *in) {
    onnx_give_view(c, in, &in->view);
}

void onnx_give_constant(onnx_call *c, onnx_constant *k) {
    if (c->out[0] == NULL || k == NULL) return;
    c->out[0]->kind = ONNX_CONSTANT;
    c->out[0]->constant = k;
}

onnx_layer *onnx_give_step(onnx_import *m, onnx_call *c, onnx_value *const *in, int count,
                           double number) {
    onnx_layer *l = onnx_give(m, c, NULL, in, count);
    if (l != NULL) l->number = number;
    return l;
}
onnx_layer *onnx_copy_layer(onnx_import *m, onnx_call *c, onnx_value *v) {
    const onnx_layer *old = onnx_layer_of(m, v);
    onnx_value in[ONNX_LAYER_INPUTS] = {0}, *list[ONNX_LAYER_INPUTS] = {in, in, in};
    int count = old->input_count, from = v->layer;
    const char *type = old->type;
    for (int i = 0; i < count; i++) {
        in[i] = onnx_value_at(m, old->inputs[i], v);
        list[i] = &in[i];
    }
    onnx_layer *l = onnx_give(m, c, type, list, count);
    if (l == NULL) return NULL;
    old = onnx_layer_at(m, from);
    cJSON *options = cJSON_Duplicate(old->options, true);
    if (options == NULL) onnx_fail_memory(&m->work);
    if (options == NULL) return NULL;
    cJSON_Delete(l->options);
    l->options = options;
    l->weight_count = old->weight_count;
    l->plain = old->plain;
    memcpy(l->weights, old->weights, sizeof l->weights);
    memcpy(l->size, old->size, sizeof l->size);
    return l;
}

/* A layer that stands for up to three others, so that they stay needed. */
static bool join(onnx_import *m, const onnx_call *c, onnx_value *const *in, onnx_value *out) {
    onnx_layer *l = add(m, c, NULL, in, ONNX_LAYER_INPUTS);
    if (l == NULL) return false;
    l->silent = true;
    *out = (onnx_value){.kind = ONNX_UNKNOWN, .layer = m->layers.count - 1};
    return true;
}

/* A refused operator: the layers that it reads stay needed, so that what is wrong before it is
 * told, too. */
static onnx_layer *refused(onnx_import *m, const onnx_call *c) {
    onnx_value *in[ONNX_LAYER_INPUTS], joined;
    int count = 0;
    for (int i = 0; i < c->in_count; i++) {
        onnx_value *v = c->in[i];
        bool layered = v != NULL && (v->kind == ONNX_PICTURE || v->kind == ONNX_UNKNOWN);
        if (!layered || v->layer < 0) continue;
        if (count == ONNX_LAYER_INPUTS) {
            if (!join(m, c, in, &joined)) return NULL;
            in[0] = &joined;
            count = 1;
        }
        in[count++] = v;
    }
    return add(m, c, NULL, in, count);
}

/* It reads the output of an operator that was refused, which is told there. */
static bool is_consequence(const onnx_call *c) {
    for (int i = 0; i < c->in_count; i++) {
        if (c->in[i] != NULL && c->in[i]->kind == ONNX_UNKNOWN && c->in[i]->layer >= 0) return true;
    }
    return false;
}

/* No input of the network decides what the call gives. */
static bool is_constant_like(const onnx_call *c) {
    for (int i = 0; i < c->in_count; i++) {
        const onnx_value *v = c->in[i];
        if (v == NULL || v->kind == ONNX_CONSTANT) continue;
        if (v->kind != ONNX_UNKNOWN || !v->constant_like) return false;
    }
    return true;
}

/* What comes behind is looked at, too, where the size of the output is known. */
static void guess_output(onnx_import *m, onnx_call *c, onnx_layer *l) {
    enum { GUESSES_MAX = 1000 }; /* so that a damaged file does not take long */
    const onnx_guess g = {.graph = m->work.file->model->graph,
                          .node = c->node,
                          .in = c->in,
                          .in_count = c->in_count,
                          .layers = &m->layers,
                          .images = m->size};
    onnx_value *out = c->out[0];
    int64_t size[ONNX_AXES];
    onnx_view view;
    memcpy(size, l->size, sizeof size);
    if (out == NULL || m->refused++ >= GUESSES_MAX) return;
    if (!onnx_guess_output(&g, out->name, size, &view)) return;
    memcpy(l->size, size, sizeof size);
    out->kind = ONNX_PICTURE;
    out->view = view;
}

void onnx_refuse(onnx_import *m, onnx_call *c, const char *why, ...) {
    char text[320];
    onnx_layer *l = refused(m, c);
    const bool constant_like = is_constant_like(c);
    for (int i = 0; i < ONNX_CALL_OUTPUTS; i++) {
        if (c->out[i] == NULL) continue;
        c->out[i]->kind = ONNX_UNKNOWN;
        c->out[i]->layer = m->layers.count - 1;
        c->out[i]->constant_like = constant_like;
    }
    if (l == NULL) return;
    l->silent = why == NULL && is_consequence(c);
    if (!constant_like) guess_output(m, c, l);
    if (l->silent) return;
    va_list args;
    va_start(args, why);
    if (why == NULL) /* such as the running statistics of a batch norm */
        snprintf(text, sizeof text, "gyre does not compute what it reads");
    else
        vsnprintf(text, sizeof text, why, args);
    va_end(args);
    l->why = onnx_text(&m->work, text, strlen(text));
}
