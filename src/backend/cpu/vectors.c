/* Flat f32 vectors: tree additions, the verdict on a step, the update rules. */
#include "cpu.h"

#include <math.h>

typedef struct {
    float *a, *b, *c, *d;
    const float *scalars;
    float value;
    const gyre_update_shape *shape;
    double *partial;
} vectors;

static void fill_body(void *context, size_t begin, size_t end) {
    const vectors *v = context;
    for (size_t i = begin; i < end; i++) v->a[i] = v->value;
}

gyre_status cpu_fill(gyre_queue *q, size_t n, float value, gyre_f32 x) {
    vectors v = {.a = cpu_f32(x), .value = value};
    return cpu_for(q, n, fill_body, &v);
}

CPU_CLONES
static void add_body(void *context, size_t begin, size_t end) {
    const vectors *v = context;
    const float *a = v->a, *b = v->b;
    float *c = v->c;
    CPU_SAME_INDEX
    for (size_t i = begin; i < end; i++) c[i] = a[i] + b[i];
}

gyre_status cpu_add(gyre_queue *q, size_t n, gyre_f32 a, gyre_f32 b, gyre_f32 y) {
    vectors v = {.a = cpu_f32(a), .b = cpu_f32(b), .c = cpu_f32(y)};
    return cpu_for(q, n, add_body, &v);
}

gyre_status cpu_update_statistics(gyre_queue *q, size_t n, float inv_shards, gyre_f32 moments,
                                  gyre_f32 scalars, gyre_f32 running) {
    (void)q;
    if (!(cpu_f32(scalars)[GYRE_SCALAR_FINITE] > 0)) return GYRE_OK;
    for (size_t i = 0; i < n; i++) {
        float mean = inv_shards * cpu_f32(moments)[i];
        cpu_f32(running)[i] = 0.9f * cpu_f32(running)[i] + 0.1f * mean;
    }
    return GYRE_OK;
}

enum { SUMS = 16 }; /* accumulators of a block, added pairwise at its end */

CPU_CLONES
static void square_body(void *context, size_t begin, size_t end) {
    const vectors *v = context;
    double sums[SUMS] = {0};
    size_t i = begin;
    for (; i + SUMS <= end; i += SUMS) {
        for (size_t j = 0; j < SUMS; j++) {
            double x = (double)v->a[i + j];
            sums[j] += x * x;
        }
    }
    for (size_t j = 0; i < end; i++, j++) {
        double x = (double)v->a[i];
        sums[j] += x * x;
    }
    for (size_t width = SUMS / 2; width >= 1; width /= 2) {
        for (size_t j = 0; j < width; j++) sums[j] += sums[j + width];
    }
    v->partial[begin / CPU_BLOCK] = sums[0];
}

gyre_status cpu_check_step(gyre_queue *q, size_t n, gyre_f32 g, gyre_f32 stats, float clip_norm,
                           gyre_f32 scalars_) {
    size_t blocks = (n + CPU_BLOCK - 1) / CPU_BLOCK;
    void *work;
    GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, blocks * sizeof(double), &work));
    vectors v = {.a = cpu_f32(g), .partial = work};
    GYRE_TRY(cpu_for(q, n, square_body, &v));
    double sum = 0;
    for (size_t i = 0; i < blocks; i++) sum += v.partial[i];
    float *scalars = cpu_f32(scalars_);
    float loss = cpu_f32(stats)[0], norm = (float)sqrt(sum);
    scalars[GYRE_SCALAR_LOSS] = loss;
    scalars[GYRE_SCALAR_SUM] = cpu_f32(stats)[1];
    scalars[GYRE_SCALAR_NORM] = norm;
    scalars[GYRE_SCALAR_SHRINK] = clip_norm > 0 && norm > clip_norm ? clip_norm / norm : 1.0f;
    if (!isfinite(loss) || !isfinite(norm)) scalars[GYRE_SCALAR_FINITE] = 0;
    return GYRE_OK;
}

/* What all rules have: d = shrink g + coupled w is the gradient they use, and keep w what is left
 * of the weight beside the step. */
typedef struct {
    float lr, momentum, shrink, coupled, keep;
} rule_terms;

static rule_terms terms_of(const vectors *v) {
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
    const vectors *v = context;
    const gyre_update_shape *s = v->shape;
    const rule_terms t = terms_of(v);
    const float *g = v->a;
    float *velocity = v->b, *w = v->d, m = t.momentum;
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
    const vectors *v = context;
    const rule_terms t = terms_of(v);
    const float *g = v->a;
    float *first = v->b, *second = v->c, *w = v->d;
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
    const vectors *v = context;
    const rule_terms t = terms_of(v);
    const float *g = v->a;
    float *squares = v->b, *w = v->d, eps = v->shape->eps;
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
    const vectors *v = context;
    const rule_terms t = terms_of(v);
    const float *g = v->a;
    float *squares = v->b, *steps = v->c, *w = v->d, eps = v->shape->eps;
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

static cpu_body body_of(gyre_rule rule) {
    switch (rule) {
    case GYRE_RULE_SGD: return sgd_body;
    case GYRE_RULE_ADAM: return adam_body;
    case GYRE_RULE_RMSPROP:
    case GYRE_RULE_ADAGRAD: return root_body;
    case GYRE_RULE_ADADELTA: return adadelta_body;
    }
    return NULL;
}

gyre_status cpu_update(gyre_queue *q, const gyre_update_shape *s, size_t n, gyre_f32 g, gyre_f32 s1,
                       gyre_f32 s2, gyre_f32 w, gyre_f32 scalars) {
    if (!(cpu_f32(scalars)[GYRE_SCALAR_FINITE] > 0)) return GYRE_OK;
    vectors v = {.a = cpu_f32(g),
                 .b = cpu_f32(s1),
                 .c = cpu_f32(s2),
                 .d = cpu_f32(w),
                 .scalars = cpu_f32(scalars),
                 .shape = s};
    return cpu_for(q, n, body_of(s->rule), &v);
}
