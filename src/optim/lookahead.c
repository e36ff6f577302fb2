/* Lookahead; see gyre/lookahead.h. Slow is one device vector, parameters before statistics. */
#include "gyre/lookahead.h"

#include "gyre/realmath.h"
#include <stdlib.h>

enum { LINE = 16 }; /* floats of a 64-byte line, on which device libraries want vectors to begin */

struct gyre_lookahead {
    gyre_lookahead_settings settings;
    gyre_weights *weights;
    gyre_f32 parameters, buffers; /* slow */
    gyre_f32 scalars;
    gyre_raw memory;
};

double gyre_lookahead_decay(const gyre_lookahead_settings *s, int64_t n) {
    return s->power == 0 ? s->decay : s->decay * gyre_pow_int((double)n / s->until.value, s->power);
}

gyre_status gyre_lookahead_open(const gyre_lookahead_settings *s, gyre_weights *weights,
                                gyre_f32 scalars, gyre_lookahead **out) {
    gyre_backend *b = weights->backend;
    const gyre_model *m = weights->model;
    const size_t behind = (m->parameters + LINE - 1) / LINE * LINE, floats = behind + m->buffers;
    gyre_status status = GYRE_OK;
    gyre_lookahead *l = calloc(1, sizeof *l);
    if (l == NULL) return gyre_no_memory("the slow weights of Lookahead");
    l->settings = *s;
    l->weights = weights;
    l->scalars = scalars;
    GYRE_GOTO(gyre_fail_in("the slow weights of optimizer.lookahead",
                           b->ops->alloc(b, floats * sizeof(float), &l->memory)));
    l->parameters = (gyre_f32)(void *)l->memory;
    l->buffers = gyre_f32_at(l->parameters, behind);
    status = b->ops->fill(b->main, floats, 0, l->parameters);
out:
    if (status == GYRE_OK)
        *out = l;
    else
        gyre_lookahead_close(l);
    return status;
}

void gyre_lookahead_close(gyre_lookahead *l) {
    if (l == NULL) return;
    if (l->memory != NULL) l->weights->backend->ops->release(l->weights->backend, l->memory);
    free(l);
}

static gyre_status move_slow(const gyre_lookahead *l, double share_) {
    const gyre_backend *b = l->weights->backend;
    const gyre_model *m = l->weights->model;
    const float share = (float)share_;
    GYRE_TRY(b->ops->upload(b->main, gyre_f32_at(l->scalars, GYRE_SCALAR_SHARE), &share, 1));
    GYRE_TRY(b->ops->update_average(b->main, m->parameters, l->weights->parameters, l->scalars,
                                    l->parameters));
    if (m->buffers == 0) return GYRE_OK;
    return b->ops->update_average(b->main, m->buffers, l->weights->buffers, l->scalars, l->buffers);
}

/* y = x, of vectors that no operation copies. */
static gyre_status copy(const gyre_lookahead *l, size_t n, gyre_f32 x, gyre_f32 y) {
    const gyre_backend *b = l->weights->backend;
    if (n == 0) return GYRE_OK;
    GYRE_TRY(b->ops->fill(b->main, n, 0, y));
    return b->ops->add(b->main, n, y, x, y);
}

gyre_status gyre_lookahead_apply(gyre_lookahead *l, int64_t completed) {
    const gyre_model *m = l->weights->model;
    const int64_t until = (int64_t)l->settings.until.value;
    const bool moves = completed % l->settings.every == 0;
    if (completed > until || (!moves && completed < until)) return GYRE_OK;
    if (moves) GYRE_TRY(move_slow(l, 1 - gyre_lookahead_decay(&l->settings, completed)));
    GYRE_TRY(copy(l, m->parameters, l->parameters, l->weights->parameters));
    GYRE_TRY(copy(l, m->buffers, l->buffers, l->weights->buffers));
    return gyre_weights_pack(l->weights);
}

void gyre_lookahead_slow(const gyre_lookahead *l, gyre_f32 *parameters, gyre_f32 *buffers) {
    *parameters = l->parameters;
    *buffers = l->buffers;
}

gyre_status gyre_lookahead_download(const gyre_lookahead *l, float *out) {
    const gyre_backend *b = l->weights->backend;
    const gyre_model *m = l->weights->model;
    GYRE_TRY(b->ops->download(b->main, out, l->parameters, m->parameters));
    if (m->buffers == 0) return GYRE_OK;
    return b->ops->download(b->main, out + m->parameters, l->buffers, m->buffers);
}

gyre_status gyre_lookahead_upload(gyre_lookahead *l, const float *slow) {
    const gyre_backend *b = l->weights->backend;
    const gyre_model *m = l->weights->model;
    GYRE_TRY(b->ops->upload(b->main, l->parameters, slow, m->parameters));
    if (m->buffers == 0) return GYRE_OK;
    return b->ops->upload(b->main, l->buffers, slow + m->parameters, m->buffers);
}
