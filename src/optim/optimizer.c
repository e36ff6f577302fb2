/* The optimizer: one device vector for each kind of state, one update per group of parameters. */
#include "gyre/optimizer.h"

#include "gyre/realmath.h"
#include <stdlib.h>

enum { STATES_MAX = 2, SCALARS = 16 /* a 64-byte line */ };

typedef struct {
    gyre_rule rule;
    const char *states[STATES_MAX];
} optimizer_kind;

/* The rule of each optimizer, and the names of its states in a checkpoint (PyTorch's, where it has
 * the rule; Caffe's AdaGrad and PyTorch's keep the same sum). */
static const optimizer_kind optimizers[] = {
    [GYRE_OPTIMIZER_SGD] = {GYRE_RULE_SGD, {"momentum"}},
    [GYRE_OPTIMIZER_ADAM] = {GYRE_RULE_ADAM, {"exp_avg", "exp_avg_sq"}},
    [GYRE_OPTIMIZER_ADAMW] = {GYRE_RULE_ADAM, {"exp_avg", "exp_avg_sq"}},
    [GYRE_OPTIMIZER_RMSPROP] = {GYRE_RULE_RMSPROP, {"square_avg"}},
    [GYRE_OPTIMIZER_ADAGRAD] = {GYRE_RULE_ADAGRAD, {"sum"}},
    [GYRE_OPTIMIZER_ADADELTA] = {GYRE_RULE_ADADELTA, {"square_avg", "acc_delta"}},
};

/* With optimizer.schedule_free; adam and adamw differ in where the decay goes. */
static const optimizer_kind free_sgd = {GYRE_RULE_FREE_SGD, {"z_minus_y"}};
static const optimizer_kind free_adam = {GYRE_RULE_FREE_ADAM, {"z_minus_y", "exp_avg_sq"}};

static const optimizer_kind *kind_of(const gyre_optimizer_settings *s) {
    if (!s->schedule_free) return &optimizers[s->name];
    return s->name == GYRE_OPTIMIZER_SGD ? &free_sgd : &free_adam;
}

struct gyre_optimizer {
    gyre_optimizer_settings settings;
    gyre_weights *weights;
    float inverse_shards;
    int state_count;
    gyre_f32 states[STATES_MAX];
    gyre_f32 scalars;
    gyre_raw memory;
};

int gyre_optimizer_states(const gyre_optimizer_settings *settings) {
    int count = 0;
    while (count < STATES_MAX && kind_of(settings)->states[count] != NULL) count++;
    return count;
}

gyre_status gyre_optimizer_open(const gyre_optimizer_settings *settings, gyre_weights *weights,
                                int shards, gyre_optimizer **out) {
    gyre_backend *b = weights->backend;
    gyre_status status = GYRE_OK;
    size_t n = weights->model->parameters;
    gyre_optimizer *o = calloc(1, sizeof *o);
    if (o == NULL) return gyre_no_memory("the optimizer");
    o->settings = *settings;
    o->weights = weights;
    o->inverse_shards = 1.0f / (float)shards;
    o->state_count = gyre_optimizer_states(settings);
    size_t floats = SCALARS + (size_t)o->state_count * n;
    GYRE_GOTO(gyre_fail_in("the optimizer's state (optimizer sgd, or fewer channels, need less)",
                           b->ops->alloc(b, floats * sizeof(float), &o->memory)));
    o->scalars = (gyre_f32)(void *)o->memory;
    for (int i = 0; i < o->state_count; i++) {
        o->states[i] = gyre_f32_at(o->scalars, SCALARS + (size_t)i * n);
    }
    GYRE_GOTO(b->ops->fill(b->main, floats, 0, o->scalars));
    status = gyre_optimizer_restart(o);
out:
    if (status == GYRE_OK)
        *out = o;
    else
        gyre_optimizer_close(o);
    return status;
}

void gyre_optimizer_close(gyre_optimizer *o) {
    if (o == NULL) return;
    if (o->memory != NULL) o->weights->backend->ops->release(o->weights->backend, o->memory);
    free(o);
}

/* 1 - beta^(t + 1), of the beta that the device has: 1 - 0.999 is off by 1e-5 in single precision,
 * which cancels only if the correction is of the same number. */
static float bias_correction(double beta_, int64_t t) {
    float beta = (float)beta_;
    return beta > 0 ? (float)(1.0 - gyre_pow_int((double)beta, t + 1)) : 1.0f;
}

/* c of update t: the weights z of all updates after the warm-up count alike in their mean x. */
static double pull(const gyre_optimizer_settings *s, int64_t t) {
    return t < s->warmup ? 1 : 1 / (double)(t + 1 - s->warmup);
}

static gyre_update_shape rule_of(const gyre_optimizer_settings *s, const gyre_param_group *g) {
    bool rms = s->name == GYRE_OPTIMIZER_RMSPROP;
    return (gyre_update_shape){.rule = kind_of(s)->rule,
                               .nesterov = s->nesterov,
                               .lr_in_momentum = s->lr_in_momentum,
                               .decoupled = s->decoupled || s->name == GYRE_OPTIMIZER_ADAMW,
                               .lr_mult = g->lr_mult,
                               .weight_decay = (float)(s->weight_decay * (double)g->decay_mult),
                               .square_decay = (float)(rms ? s->rms_decay : s->beta2),
                               .eps = (float)s->eps};
}

static bool has_ended(const gyre_param_group *g, int64_t t) {
    return g->until > 0 && t >= g->until;
}

int gyre_optimizer_phase(const gyre_optimizer *o, int64_t t) {
    const gyre_model *m = o->weights->model;
    int phase = 0;
    for (int i = 0; i < m->group_count; i++) phase += has_ended(&m->groups[i], t);
    return phase;
}

/* What has ended counts in no norm. */
static gyre_status clear_ended(const gyre_optimizer *o, int64_t t, gyre_f32 leaf) {
    const gyre_backend *b = o->weights->backend;
    const gyre_model *m = o->weights->model;
    for (int i = 0; i < m->group_count; i++) {
        const gyre_param_group *g = &m->groups[i];
        if (!has_ended(g, t)) continue;
        GYRE_TRY(b->ops->fill(b->main, g->count, 0, gyre_f32_at(leaf, g->offset)));
    }
    return GYRE_OK;
}

static gyre_status update_groups(gyre_optimizer *o, int64_t t, gyre_f32 leaf) {
    const gyre_backend *b = o->weights->backend;
    const gyre_model *m = o->weights->model;
    for (int i = 0; i < m->group_count; i++) {
        const gyre_param_group *g = &m->groups[i];
        if (g->frozen || has_ended(g, t)) continue;
        gyre_update_shape s = rule_of(&o->settings, g);
        gyre_f32 second = o->state_count > 1 ? gyre_f32_at(o->states[1], g->offset) : NULL;
        GYRE_TRY(b->ops->update(b->main, &s, g->count, gyre_f32_at(leaf, g->offset),
                                gyre_f32_at(o->states[0], g->offset), second,
                                gyre_f32_at(o->weights->parameters, g->offset), o->scalars));
    }
    return GYRE_OK;
}

gyre_status gyre_optimizer_begin(gyre_optimizer *o, int64_t t, gyre_rate rate) {
    const gyre_backend *b = o->weights->backend;
    const float scalars[GYRE_SCALAR_FROM_HOST] = {
        [GYRE_SCALAR_LR] = (float)rate.lr,
        [GYRE_SCALAR_MOMENTUM] = (float)rate.momentum,
        [GYRE_SCALAR_BIAS1] = bias_correction(rate.momentum, t),
        [GYRE_SCALAR_BIAS2] = bias_correction(o->settings.beta2, t),
        [GYRE_SCALAR_PULL] = (float)pull(&o->settings, t)};
    return b->ops->upload(b->main, o->scalars, scalars, GYRE_SCALAR_FROM_HOST);
}

/* Those beside each other that are alike at once: of most networks, all of them. `share` of the
 * moments; 0: what each has for a step's. */
static gyre_status update_statistics(const gyre_optimizer *o, gyre_f32 moments, double share,
                                     gyre_f32 running) {
    const gyre_model *m = o->weights->model;
    const gyre_backend *b = o->weights->backend;
    for (int i = 0, end; i < m->statistic_count; i = end) {
        const gyre_statistic *s = &m->statistics[i];
        size_t n = 0;
        for (end = i; end < m->statistic_count; end++) {
            const gyre_statistic *other = &m->statistics[end];
            if (other->momentum != s->momentum || other->frozen != s->frozen) break;
            n += other->count;
        }
        if (s->frozen) continue;
        const float momentum = share > 0 ? (float)share : s->momentum;
        if (share == 1) /* an infinite value of before would stay in a product with 0 */
            GYRE_TRY(b->ops->fill(b->main, n, 0, gyre_f32_at(running, s->offset)));
        GYRE_TRY(b->ops->update_statistics(b->main, n, o->inverse_shards, momentum,
                                           gyre_f32_at(moments, s->offset), o->scalars,
                                           gyre_f32_at(running, s->offset)));
    }
    return GYRE_OK;
}

gyre_status gyre_optimizer_apply(gyre_optimizer *o, int64_t t, gyre_f32 leaf) {
    const gyre_model *m = o->weights->model;
    gyre_queue *q = o->weights->backend->main;
    const gyre_backend_ops *ops = o->weights->backend->ops;
    GYRE_TRY(clear_ended(o, t, leaf));
    GYRE_TRY(ops->check_step(q, m->parameters, leaf, gyre_f32_at(leaf, gyre_leaf_stats(m)),
                             (float)o->settings.clip_norm, o->scalars));
    GYRE_TRY(update_groups(o, t, leaf));
    gyre_f32 moments = gyre_f32_at(leaf, gyre_leaf_moments(m));
    GYRE_TRY(update_statistics(o, moments, 0, o->weights->buffers));
    return gyre_weights_pack(o->weights);
}

gyre_status gyre_optimizer_take_moments(const gyre_optimizer *o, gyre_f32 moments, int64_t batch,
                                        gyre_f32 running) {
    return update_statistics(o, moments, 1 / (double)(batch + 1), running);
}

gyre_status gyre_optimizer_restart(gyre_optimizer *o) {
    const gyre_backend *b = o->weights->backend;
    return b->ops->fill(b->main, 1, 1, gyre_f32_at(o->scalars, GYRE_SCALAR_FINITE));
}

gyre_f32 gyre_optimizer_scalars(const gyre_optimizer *o) {
    return o->scalars;
}

const char *gyre_optimizer_state(const gyre_optimizer *o, int index, gyre_f32 *vector) {
    if (index < 0 || index >= o->state_count) return NULL;
    *vector = o->states[index];
    return kind_of(&o->settings)->states[index];
}
