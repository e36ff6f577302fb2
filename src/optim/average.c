/* Averages of the weights: one device vector, and the weights' struct with it in their place. */
#include "gyre/average.h"

#include <math.h>
#include <stdlib.h>

enum { LINE = 16 }; /* floats of a 64-byte line, on which device libraries want vectors to begin */

struct gyre_average {
    gyre_average_settings settings;
    gyre_average_kind kind;
    gyre_average_members members;
    size_t settled; /* members that the running statistics are made of; of schedule_free the
                       updates */
    gyre_f32 ahead; /* z - y, of schedule_free */
    double momentum;
    gyre_weights *weights; /* that are averaged */
    gyre_weights averages;
    gyre_f32 scalars;
    gyre_raw memory;
};

/* (k + 1)^(-3/4) by square roots, which are the same on every machine. */
double gyre_average_share(const gyre_average_settings *s, int64_t k) {
    const double root = sqrt((double)k + 1), warmup = 1 / (root * sqrt(root));
    const double share = 1 - s->decay;
    if (k == 0) return 1;
    return s->warmup && warmup > share ? warmup : share;
}

gyre_status gyre_average_open(const gyre_average_settings *s, gyre_average_kind kind,
                              gyre_average_members members, gyre_weights *weights, gyre_f32 scalars,
                              gyre_average **out) {
    gyre_backend *b = weights->backend;
    const gyre_model *m = weights->model;
    const size_t behind = (m->parameters + LINE - 1) / LINE * LINE, floats = behind + m->buffers;
    gyre_status status = GYRE_OK;
    gyre_average *a = calloc(1, sizeof *a);
    if (a == NULL) return gyre_no_memory("the average of the weights");
    a->settings = *s;
    a->kind = kind;
    a->members = members;
    a->weights = weights;
    a->scalars = scalars;
    GYRE_GOTO(gyre_fail_in("the average of the weights (average.kind \"none\" needs none)",
                           b->ops->alloc(b, floats * sizeof(float), &a->memory)));
    a->averages = *weights;
    a->averages.parameters = (gyre_f32)(void *)a->memory;
    a->averages.buffers = gyre_f32_at(a->averages.parameters, behind);
    status = b->ops->fill(b->main, floats, 0, a->averages.parameters);
out:
    if (status == GYRE_OK)
        *out = a;
    else
        gyre_average_close(a);
    return status;
}

void gyre_average_close(gyre_average *a) {
    if (a == NULL) return;
    if (a->memory != NULL) a->weights->backend->ops->release(a->weights->backend, a->memory);
    free(a);
}

static gyre_status upload_share(const gyre_average *a, double value) {
    const gyre_backend *b = a->weights->backend;
    const float share = (float)value;
    return b->ops->upload(b->main, gyre_f32_at(a->scalars, GYRE_SCALAR_SHARE), &share, 1);
}

static gyre_status take_parameters(const gyre_average *a) {
    const gyre_backend *b = a->weights->backend;
    return b->ops->update_average(b->main, a->weights->model->parameters, a->weights->parameters,
                                  a->scalars, a->averages.parameters);
}

gyre_status gyre_average_begin(gyre_average *a, int64_t t) {
    if (a->kind != GYRE_AVERAGE_EMA) return GYRE_OK;
    return upload_share(a, gyre_average_share(&a->settings, t));
}

gyre_status gyre_average_apply(gyre_average *a) {
    const gyre_backend *b = a->weights->backend;
    const gyre_model *m = a->weights->model;
    if (a->kind != GYRE_AVERAGE_EMA) return GYRE_OK;
    GYRE_TRY(take_parameters(a));
    if (m->buffers == 0) return GYRE_OK;
    return b->ops->update_average(b->main, m->buffers, a->weights->buffers, a->scalars,
                                  a->averages.buffers);
}

/* ---- means of members */

/* y = x, of vectors that no operation copies. */
static gyre_status copy(const gyre_average *a, size_t n, gyre_f32 x, gyre_f32 y) {
    const gyre_backend *b = a->weights->backend;
    if (n == 0) return GYRE_OK;
    GYRE_TRY(b->ops->fill(b->main, n, 0, y));
    return b->ops->add(b->main, n, y, x, y);
}

static gyre_status copy_parameters(const gyre_average *a) {
    return copy(a, a->weights->model->parameters, a->weights->parameters, a->averages.parameters);
}

/* The first member as a copy: what was settled before it is there in its place. */
gyre_status gyre_average_take(gyre_average *a, int64_t completed) {
    const gyre_backend *b = a->weights->backend;
    bool member = false;
    const size_t taken = gyre_average_taken(&a->members, completed, &member);
    if (!member) return GYRE_OK;
    if (taken == 1)
        GYRE_TRY(b->ops->fill(b->main, a->weights->model->parameters, 0, a->averages.parameters));
    GYRE_TRY(upload_share(a, 1 / (double)taken));
    return take_parameters(a);
}

static bool has_live_statistics(const gyre_model *m) {
    for (int i = 0; i < m->statistic_count; i++) {
        if (!m->statistics[i].frozen) return true;
    }
    return false;
}

void gyre_average_follow(gyre_average *a, gyre_f32 ahead, double momentum) {
    a->ahead = ahead;
    a->momentum = momentum;
}

/* z = y + (z - y), then z + (y - z) / m. */
static gyre_status settle_free(gyre_average *a, int64_t completed, bool *stale) {
    const gyre_backend *b = a->weights->backend;
    const size_t n = a->weights->model->parameters;
    if (a->settled == (size_t)completed && completed > 0) return GYRE_OK;
    GYRE_TRY(b->ops->add(b->main, n, a->weights->parameters, a->ahead, a->averages.parameters));
    GYRE_TRY(upload_share(a, 1 / a->momentum));
    GYRE_TRY(take_parameters(a));
    a->settled = (size_t)completed;
    *stale = has_live_statistics(a->weights->model);
    return copy(a, a->weights->model->buffers, a->weights->buffers, a->averages.buffers);
}

gyre_status gyre_average_settle(gyre_average *a, int64_t completed, bool *stale) {
    bool member = false;
    *stale = false;
    if (a->kind == GYRE_AVERAGE_EMA) return GYRE_OK;
    if (a->kind == GYRE_AVERAGE_FREE) return settle_free(a, completed, stale);
    const size_t taken = gyre_average_taken(&a->members, completed, &member);
    if (taken > 0 && taken == a->settled) return GYRE_OK;
    if (taken == 0) GYRE_TRY(copy_parameters(a));
    *stale = taken > 0 && has_live_statistics(a->weights->model);
    a->settled = taken;
    return copy(a, a->weights->model->buffers, a->weights->buffers, a->averages.buffers);
}

gyre_weights *gyre_average_weights(gyre_average *a) {
    return &a->averages;
}

gyre_status gyre_average_download(const gyre_average *a, float *out) {
    const gyre_backend *b = a->weights->backend;
    const gyre_model *m = a->weights->model;
    GYRE_TRY(b->ops->download(b->main, out, a->averages.parameters, m->parameters));
    if (m->buffers == 0) return GYRE_OK;
    return b->ops->download(b->main, out + m->parameters, a->averages.buffers, m->buffers);
}

gyre_status gyre_average_upload(gyre_average *a, const float *averages) {
    const gyre_backend *b = a->weights->backend;
    const gyre_model *m = a->weights->model;
    a->settled = 0;
    GYRE_TRY(b->ops->upload(b->main, a->averages.parameters, averages, m->parameters));
    if (m->buffers == 0) return GYRE_OK;
    return b->ops->upload(b->main, a->averages.buffers, averages + m->parameters, m->buffers);
}
