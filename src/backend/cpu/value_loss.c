/* Losses of outputs against values: squared, absolute, Huber's, the cross-entropy of yes or no. */
#include "cpu.h"
#include "gyre/realmath.h"

#include <math.h>

/* One output's loss in double, its slope, and what it adds to the second sum. */
typedef struct {
    double loss, slope, own;
} term;

/* log(1 + e^-|z|) does not overflow, and keeps its digits where it is small. */
static term binary(double z, double target) {
    double e = gyre_exp(-fabs(z));
    double yes = z >= 0 ? 1 / (1 + e) : e / (1 + e);
    double log_sum = gyre_log(1 + e);
    return (term){(z > 0 ? z : 0) - z * target + log_sum, yes - target, (z > 0) == (target > 0.5)};
}

static term term_of(gyre_value_loss_kind kind, double z, double target) {
    double d = z - target, size = fabs(d), sign = d > 0 ? 1 : d < 0 ? -1 : d; /* NaN stays */
    switch (kind) {
    case GYRE_VALUE_LOSS_SQUARED: return (term){d * d, 2 * d, size};
    case GYRE_VALUE_LOSS_ABSOLUTE: return (term){size, sign, size};
    case GYRE_VALUE_LOSS_HUBER:
        return size < 1 ? (term){d * d / 2, d, size} : (term){size - 0.5, sign, size};
    case GYRE_VALUE_LOSS_BINARY: break;
    }
    return binary(z, target);
}

gyre_status cpu_value_loss(gyre_queue *q, const gyre_value_loss_shape *s, gyre_act x,
                           gyre_f32 targets, gyre_act dx, gyre_f32 stats) {
    size_t values = (size_t)s->values;
    double loss = 0, own = 0, each = (double)s->scale / s->values;
    void *work;
    GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, 2 * values * sizeof(float), &work));
    float *z_work = work, *dx_work = z_work + values;
    for (int i = 0; i < s->n; i++) {
        size_t at = (size_t)i * values;
        const float *target = cpu_f32(targets) + at;
        void *to = dx == NULL ? NULL : cpu_act_at(q, dx, at);
        float *row = cpu_results(q, to, dx_work);
        const float *z = cpu_widened(q, cpu_act_at(q, x, at), values, z_work);
        double sum = 0, own_sum = 0;
        for (size_t j = 0; j < values; j++) {
            term one = term_of(s->kind, (double)z[j], (double)target[j]);
            sum += one.loss;
            own_sum += one.own;
            if (dx != NULL) row[j] = (float)(each * one.slope);
        }
        loss += sum / s->values;
        own += own_sum / s->values;
        cpu_finish(q, row, values, to);
    }
    cpu_f32(stats)[0] = (float)((double)s->scale * loss);
    cpu_f32(stats)[1] = (float)own;
    return GYRE_OK;
}
