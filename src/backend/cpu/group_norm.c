/* Group norm: each sample by itself, in the loops by channel of norm.h, whatever the width of a
 * group. What a channel has is summed over the pixels; a group adds the sums of its channels, in
 * their order. SiLU is that of activation.c, on a sample that is still in the cache: the bits are
 * those of a node behind. */
#include "act.h"
#include "norm.h"

#include <math.h>

/* One sample: its size, and numbers for each channel in the queue's scratch. */
typedef struct {
    norm_extent extent;
    size_t channels, groups, width; /* width: channels of a group */
    double count;                   /* elements of a group */
    norm_sums sums;
    norm_sums totals; /* backward: dgamma and dbeta of the samples so far */
    float *mean;
    norm_slopes slopes; /* forward: k alone */
    void *before;       /* backward with SiLU: what SiLU reads, of the type of activations */
} sample;

static gyre_status open_sample(gyre_queue *q, const gyre_group_norm_shape *s, bool backward,
                               sample *out) {
    size_t c = (size_t)s->c, pixels = (size_t)s->h * (size_t)s->w;
    size_t numbers = 4 * c * (sizeof(double) + sizeof(float));
    size_t acts = backward && s->silu ? pixels * c * q->backend->act_size : 0;
    void *work;
    GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, numbers + acts, &work));
    double *sums = work;
    float *floats = (float *)(void *)(sums + 4 * c);
    *out = (sample){.extent = norm_extent_of(pixels, c),
                    .channels = c,
                    .groups = (size_t)s->groups,
                    .width = c / (size_t)s->groups,
                    .sums = {sums, sums + c},
                    .totals = {sums + 2 * c, sums + 3 * c},
                    .mean = floats,
                    .slopes = {floats + c, floats + 2 * c, floats + 3 * c},
                    .before = floats + 4 * c};
    out->count = (double)pixels * (double)out->width;
    memset(sums, 0, 4 * c * sizeof *sums);
    return GYRE_OK;
}

static void clear_sums(const sample *t) {
    memset(t->sums.first, 0, t->channels * sizeof(double));
    memset(t->sums.second, 0, t->channels * sizeof(double));
}

/* A number of group g for each of its channels. */
static void to_channels(const sample *t, size_t g, float value, float *out) {
    for (size_t j = g * t->width; j < (g + 1) * t->width; j++) out[j] = value;
}

/* The mean over group g from its channels' sums, each times its gamma unless that is NULL. */
static double group_mean(const sample *t, size_t g, const float *gamma, const double *sums) {
    double sum = 0;
    for (size_t j = g * t->width; j < (g + 1) * t->width; j++) {
        sum += gamma == NULL ? sums[j] : (double)gamma[j] * sums[j];
    }
    return sum / t->count;
}

/* Each group's mean and 1 / deviation, the mean to the channels too. The mean is that of the
 * distances from the group's first element, the variance that of those from the rounded mean:
 * neither cancels when the mean is large. */
static void find_statistics(bool bf16, sample *t, const void *x, float eps, float *mean,
                            float *inverse) {
    for (size_t g = 0; g < t->groups; g++) {
        to_channels(t, g, act_get(bf16, x, g * t->width), t->mean);
    }
    clear_sums(t);
    norm_sum_moments(bf16, x, t->extent, t->mean, t->sums);
    for (size_t g = 0; g < t->groups; g++) {
        double first = (double)t->mean[g * t->width];
        mean[g] = (float)(first + group_mean(t, g, NULL, t->sums.first));
        to_channels(t, g, mean[g], t->mean);
    }
    clear_sums(t);
    norm_sum_moments(bf16, x, t->extent, t->mean, t->sums);
    for (size_t g = 0; g < t->groups; g++) {
        double d = group_mean(t, g, NULL, t->sums.first);
        double variance = group_mean(t, g, NULL, t->sums.second) - d * d;
        if (variance < 0) variance = 0;
        inverse[g] = (float)(1.0 / sqrt(variance + (double)eps));
    }
}

/* k = gamma / deviation */
static void find_factors(sample *t, const float *gamma, const float *inverse) {
    for (size_t j = 0; j < t->channels; j++) t->slopes.k[j] = gamma[j] * inverse[j / t->width];
}

static gyre_activation_shape silu_of(const sample *t) {
    return (gyre_activation_shape){.kind = GYRE_ACTIVATION_SILU,
                                   .n = t->extent.rows * t->extent.width};
}

gyre_status cpu_group_norm(gyre_queue *q, const gyre_group_norm_shape *s, gyre_act x,
                           gyre_f32 gamma, gyre_f32 beta, gyre_f32 saved, gyre_act y) {
    sample t;
    GYRE_TRY(open_sample(q, s, false, &t));
    bool bf16 = cpu_bf16(q);
    const gyre_activation_shape silu = silu_of(&t);
    size_t size = t.extent.rows * t.extent.width, samples = (size_t)s->n;
    for (size_t i = 0; i < samples; i++) {
        /* places for them without `saved`: those of slopes that backward alone has */
        float *mean = saved == NULL ? t.slopes.m : cpu_f32(saved) + i * t.groups;
        float *inverse = saved == NULL ? t.slopes.b : mean + samples * t.groups;
        const void *from = cpu_act_at(q, x, i * size);
        find_statistics(bf16, &t, from, s->eps, mean, inverse);
        find_factors(&t, cpu_f32(gamma), inverse);
        norm_affine f = {t.mean, t.slopes.k, cpu_f32(beta), false};
        gyre_act to = (gyre_act)cpu_act_at(q, y, i * size);
        norm_apply(bf16, from, NULL, t.extent, f, to);
        if (s->silu) GYRE_TRY(cpu_activation(q, &silu, to, to));
    }
    return GYRE_OK;
}

/* With dy' = dy * gamma and x' = (x - mean) * inverse:
 * dx = (dy' - (mean of dy' + x' * mean of dy' x')) * inverse */
static void find_slopes(sample *t, const float *gamma, const float *inverse) {
    for (size_t g = 0; g < t->groups; g++) {
        double inv = (double)inverse[g];
        double first = group_mean(t, g, gamma, t->sums.first);
        double second = group_mean(t, g, gamma, t->sums.second) * inv;
        to_channels(t, g, (float)(-inv * inv * second), t->slopes.m);
        to_channels(t, g, (float)(-inv * first), t->slopes.b);
        for (size_t j = g * t->width; j < (g + 1) * t->width; j++) {
            t->slopes.k[j] = gamma[j] * inverse[g];
            t->totals.first[j] += t->sums.second[j] * inv;
            t->totals.second[j] += t->sums.first[j];
        }
    }
}

/* The gradient of what SiLU reads, to dx of the sample. */
static gyre_status behind_silu(gyre_queue *q, const sample *t, const float *beta, norm_backward f,
                               void *dx) {
    const gyre_activation_shape silu = silu_of(t);
    norm_affine a = {t->mean, t->slopes.k, beta, false};
    norm_apply(cpu_bf16(q), f.x, NULL, t->extent, a, t->before);
    return cpu_activation_dx(q, &silu, (gyre_act)t->before, (gyre_act)(void *)(uintptr_t)f.dy,
                             (gyre_act)dx);
}

gyre_status cpu_group_norm_dx(gyre_queue *q, const gyre_group_norm_shape *s, gyre_act x,
                              gyre_act dy, gyre_f32 gamma, gyre_f32 beta, gyre_f32 saved,
                              gyre_act dx, gyre_f32 dgamma, gyre_f32 dbeta) {
    sample t;
    GYRE_TRY(open_sample(q, s, true, &t));
    bool bf16 = cpu_bf16(q);
    size_t size = t.extent.rows * t.extent.width, samples = (size_t)s->n;
    for (size_t i = 0; i < samples; i++) {
        const float *mean = cpu_f32(saved) + i * t.groups, *inverse = mean + samples * t.groups;
        void *to = cpu_act_at(q, dx, i * size);
        norm_backward f = {
            .x = cpu_act_at(q, x, i * size), .dy = cpu_act_at(q, dy, i * size), .mean = t.mean};
        for (size_t g = 0; g < t.groups; g++) to_channels(&t, g, mean[g], t.mean);
        if (s->silu) {
            find_factors(&t, cpu_f32(gamma), inverse);
            GYRE_TRY(behind_silu(q, &t, cpu_f32(beta), f, to));
            f.dy = to;
        }
        clear_sums(&t);
        norm_sum_gradients(bf16, f, t.extent, t.sums);
        find_slopes(&t, cpu_f32(gamma), inverse);
        norm_apply_gradient(bf16, f, t.extent, t.slopes, to, NULL);
    }
    for (size_t j = 0; j < t.channels; j++) {
        cpu_f32(dgamma)[j] = (float)t.totals.first[j];
        cpu_f32(dbeta)[j] = (float)t.totals.second[j];
    }
    return GYRE_OK;
}
