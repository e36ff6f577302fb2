/* The network as a state_dict; see gyre/state_dict.h. */
#include "gyre/state_dict.h"

#include "node.h"
#include <stdio.h>
#include <string.h>

static const gyre_node *owner_of(const gyre_model *m, const gyre_param *p) {
    for (int i = 0; i < m->node_count; i++) {
        if (node_owns(&m->nodes[i], p)) return &m->nodes[i];
    }
    return NULL;
}

/* (k, r, s, c) as (k, c, r, s), or (k, c) of what is a linear layer there. */
static void shape_conv(const gyre_param *p, gyre_state_array *a) {
    a->rows = (size_t)p->dims[0];
    a->pixels = (size_t)p->dims[1] * (size_t)p->dims[2];
    a->channels = (size_t)p->dims[3];
    a->dims[1] = p->dims[3];
    a->dims[2] = p->dims[1];
    a->dims[3] = p->dims[2];
    if (p->dense) a->ndim = 2;
}

/* (out, in) as (in, out) */
static void shape_transposed(const gyre_param *p, gyre_state_array *a) {
    const int in = p->dims[p->ndim - 1];
    a->pixels = (size_t)p->dims[0];
    a->channels = (size_t)in;
    a->ndim = 2;
    a->dims[0] = in;
    a->dims[1] = p->dims[0];
}

/* (h, w, c) as (1, h w, c), or as (c, h, w). */
static void shape_positions(const gyre_param *p, gyre_state_array *a) {
    const bool planes = p->picture[0] > 0;
    const int pixels = p->dims[0] * p->dims[1];
    if (planes) a->pixels = (size_t)pixels;
    if (planes) a->channels = (size_t)p->dims[2];
    a->dims[0] = planes ? p->dims[2] : 1;
    a->dims[1] = planes ? p->dims[0] : pixels;
    a->dims[2] = planes ? p->dims[1] : p->dims[2];
}

gyre_state_array gyre_state_of_type(const gyre_model *m, int param) {
    const gyre_param *p = &m->params[param];
    const gyre_node *owner = owner_of(m, p);
    gyre_state_array a = {
        .name = p->name, .ndim = p->ndim, .rows = 1, .pixels = 1, .channels = p->count};
    memcpy(a.dims, p->dims, sizeof a.dims);
    if (p->transposed) {
        shape_transposed(p, &a);
    } else if (p->ndim == 4) {
        shape_conv(p, &a);
    } else if (owner != NULL && strcmp(owner->type->name, "positions") == 0) {
        a.name = owner->name;
        shape_positions(p, &a);
    } else if (p->picture[0] > 0 && !p->torch_hwc) {
        a.rows = (size_t)p->dims[0];
        a.pixels = (size_t)p->picture[0] * (size_t)p->picture[1];
        a.channels = (size_t)p->picture[2];
    } else if (owner != NULL && (strcmp(owner->type->name, "scale") == 0 ||
                                 strcmp(owner->type->name, "bias") == 0)) {
        a.name = owner->name;
        a.ndim = 3;
        a.dims[1] = a.dims[2] = 1;
    }
    a.computed = p->torch.computed;
    if (a.computed) a.name = p->name;
    if (p->torch.name != NULL) a.name = p->torch.name;
    return a;
}

static void set_shape(const gyre_torch_param *t, gyre_state_array *a) {
    if (!t->shaped) return;
    a->ndim = t->ndim;
    memcpy(a->dims, t->dims, sizeof a->dims);
}

gyre_state_array gyre_state_of_param(const gyre_model *m, int param) {
    gyre_state_array a = gyre_state_of_type(m, param);
    set_shape(&m->params[param].torch, &a);
    return a;
}

gyre_state_array gyre_state_of_statistic(const gyre_model *m, int statistic) {
    const gyre_statistic *s = &m->statistics[statistic];
    gyre_state_array a = {.name = s->torch.name != NULL ? s->torch.name : s->name,
                          .dims = {(int)s->count},
                          .ndim = 1,
                          .rows = 1,
                          .pixels = 1,
                          .channels = s->count,
                          .computed = s->torch.computed};
    set_shape(&s->torch, &a);
    return a;
}

bool gyre_state_old_name(const char *name, char out[GYRE_NODE_NAME_SIZE]) {
    static const char *const names[][2] = {{".to_q.", ".query."},
                                           {".to_k.", ".key."},
                                           {".to_v.", ".value."},
                                           {".to_out.0.", ".proj_attn."}};
    if (strstr(name, "attentions.") == NULL) return false;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        const char *at = strstr(name, names[i][0]);
        if (at == NULL) continue;
        snprintf(out, GYRE_NODE_NAME_SIZE, "%.*s%s%s", (int)(at - name), name, names[i][1],
                 at + strlen(names[i][0]));
        return true;
    }
    return false;
}

static void transpose(size_t rows, size_t a, size_t b, const float *from, float *to) {
    for (size_t r = 0; r < rows; r++, from += a * b, to += a * b) {
        for (size_t i = 0; i < a; i++) {
            for (size_t j = 0; j < b; j++) to[j * a + i] = from[i * b + j];
        }
    }
}

void gyre_state_to_torch(const gyre_state_array *a, const float *own, float *torch) {
    transpose(a->rows, a->pixels, a->channels, own, torch);
}

void gyre_state_from_torch(const gyre_state_array *a, const float *torch, float *own) {
    transpose(a->rows, a->channels, a->pixels, torch, own);
}
