/* The update rules. */
#include "cpu.h"

#include <math.h>

typedef struct {
    const float *g, *scalars;
    float *s1, *s2, *w;
    const gyre_update_shape *shape;
} operands;

/* What all rules have: d = shrink g + coupled w is the gradient they use, and keep w what is left
 * of the weight beside the step. */
typedef struct {
    float lr, momentum, shrink, coupled, keep;
} rule_terms;

static rule_terms terms_of(const operands *v) {
    const gyre_update_shape *s = v->shape;
    float lr = v->scalars[GYRE_SCALAR_LR] * s->lr_mult;
    return (rule_terms){.lr = lr,
                        .momentum = v->scalars[GYRE_SCALAR_MOMENTUM],
                        .shrink = v->scalars[GYRE_SCALAR_SHRINK],
                        .coupled = s->decoupled ? 0.0f : s->weight_decay,
                        .keep = s->decoupled ? 1.0f - lr * s->weight_decay : 1.0f};
}

CPU_CLONES
static void sgd_body(void *context, size_t begin, size_t end) {
    const operands *v = context;
    const gyre_update_shape *s = v->shape;
    const rule_terms t = terms_of(v);
    const float *g = v->g;
    float *velocity = v->s1, *w = v->w, m = t.momentum;
    float inside = s->lr_in_momentum ? t.lr : 1.0f, outside = s->lr_in_momentum ? 1.0f : t.lr;
    /* Nesterov's step in both conventions: g' + m v outside, (1 + m) v - m v_old inside, which is
     * the same once v = m v_old + lr g' is put in: m v + lr g'. */
    float on_v = s->nesterov ? m : 1.0f, on_g = s->nesterov ? 1.0f : 0.0f;
    CPU_SAME_INDEX
    for (size_t i = begin; i < end; i++) {
        float step = inside * (t.shrink * g[i] + t.coupled * w[i]);
        float fresh = m * velocity[i] + step;
        velocity[i] = fresh;
        w[i] = t.keep * w[i] - outside * (on_v * fresh + on_g * step);
    }
}

CPU_CLONES
static void adam_body(void *context, size_t begin, size_t end) {
    const operands *v = context;
    const rule_terms t = terms_of(v);
    const float *g = v->g;
    float *first = v->s1, *second = v->s2, *w = v->w;
    float beta1 = t.momentum, beta2 = v->shape->square_decay, eps = v->shape->eps;
    float inverse1 = 1.0f / v->scalars[GYRE_SCALAR_BIAS1];
    float inverse2 = 1.0f / v->scalars[GYRE_SCALAR_BIAS2];
    CPU_SAME_INDEX
    for (size_t i = begin; i < end; i++) {
        float d = t.shrink * g[i] + t.coupled * w[i];
        float m = beta1 * first[i] + (1.0f - beta1) * d;
        float u = beta2 * second[i] + (1.0f - beta2) * d * d;
        first[i] = m;
        second[i] = u;
        w[i] = t.keep * w[i] - t.lr * (m * inverse1) / (sqrtf(u * inverse2) + eps);
    }
}

/* RMSProp, and AdaGrad, whose squares are kept whole: h = old h + fresh d^2. */
CPU_CLONES
static void root_body(void *context, size_t begin, size_t end) {
    const operands *v = context;
    const rule_terms t = terms_of(v);
    const float *g = v->g;
    float *squares = v->s1, *w = v->w, eps = v->shape->eps;
    bool whole = v->shape->rule == GYRE_RULE_ADAGRAD;
    float old = whole ? 1.0f : v->shape->square_decay, fresh = whole ? 1.0f : 1.0f - old;
    CPU_SAME_INDEX
    for (size_t i = begin; i < end; i++) {
        float d = t.shrink * g[i] + t.coupled * w[i];
        float h = old * squares[i] + fresh * d * d;
        squares[i] = h;
        w[i] = t.keep * w[i] - t.lr * d / (sqrtf(h) + eps);
    }
}

CPU_CLONES
static void adadelta_body(void *context, size_t begin, size_t end) {
    const operands *v = context;
    const rule_terms t = terms_of(v);
    const float *g = v->g;
    float *squares = v->s1, *steps = v->s2, *w = v->w, eps = v->shape->eps;
    float old = t.momentum, fresh = 1.0f - t.momentum;
    CPU_SAME_INDEX
    for (size_t i = begin; i < end; i++) {
        float d = t.shrink * g[i] + t.coupled * w[i];
        float h = old * squares[i] + fresh * d * d;
        float u = d * sqrtf((eps + steps[i]) / (eps + h));
        squares[i] = h;
        steps[i] = old * steps[i] + fresh * u * u;
        w[i] = t.keep * w[i] - t.lr * u;
    }
}

/* What both schedule-free rules do with their direction d. */
static inline void free_step(rule_terms t, float c, float d, float *ahead, float *w) {
    float e = *ahead, step = t.lr * d, rest = 1.0f - c;
    *w = *w + c * e - (1.0f - t.momentum * rest) * step;
    *ahead = rest * (e - t.momentum * step);
}

CPU_CLONES
static void free_sgd_body(void *context, size_t begin, size_t end) {
    const operands *v = context;
    const rule_terms t = terms_of(v);
    const float *g = v->g;
    float *ahead = v->s1, *w = v->w, c = v->scalars[GYRE_SCALAR_PULL];
    float decay = v->shape->weight_decay;
    CPU_SAME_INDEX
    for (size_t i = begin; i < end; i++) {
        free_step(t, c, t.shrink * g[i] + decay * w[i], &ahead[i], &w[i]);
    }
}

CPU_CLONES
static void free_adam_body(void *context, size_t begin, size_t end) {
    const operands *v = context;
    const rule_terms t = terms_of(v);
    const float *g = v->g;
    float *ahead = v->s1, *second = v->s2, *w = v->w, c = v->scalars[GYRE_SCALAR_PULL];
    float beta2 = v->shape->square_decay, eps = v->shape->eps;
    float inverse2 = 1.0f / v->scalars[GYRE_SCALAR_BIAS2];
    float beside = v->shape->decoupled ? v->shape->weight_decay : 0.0f;
    CPU_SAME_INDEX
    for (size_t i = begin; i < end; i++) {
        float d = t.shrink * g[i] + t.coupled * w[i];
        float u = beta2 * second[i] + (1.0f - beta2) * d * d;
        second[i] = u;
        free_step(t, c, d / (sqrtf(u * inverse2) + eps) + beside * w[i], &ahead[i], &w[i]);
    }
}

static cpu_body body_of(gyre_rule rule) {
    switch (rule) {
    case GYRE_RULE_SGD: return sgd_body;
    case GYRE_RULE_ADAM: return adam_body;
    case GYRE_RULE_RMSPROP:
    case GYRE_RULE_ADAGRAD: return root_body;
    case GYRE_RULE_ADADELTA: return adadelta_body;
    case GYRE_RULE_FREE_SGD: return free_sgd_body;
    case GYRE_RULE_FREE_ADAM: return free_adam_body;
    }
    return NULL;
}

gyre_status cpu_update(gyre_queue *q, const gyre_update_shape *s, size_t n, gyre_f32 g, gyre_f32 s1,
                       gyre_f32 s2, gyre_f32 w, gyre_f32 scalars) {
    if (!(cpu_f32(scalars)[GYRE_SCALAR_FINITE] > 0)) return GYRE_OK;
    operands v = {.g = cpu_f32(g),
                  .s1 = cpu_f32(s1),
                  .s2 = cpu_f32(s2),
                  .w = cpu_f32(w),
                  .scalars = cpu_f32(scalars),
                  .shape = s};
    return cpu_for(q, n, body_of(s->rule), &v);
}
