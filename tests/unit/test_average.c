/* Averages of the weights: the share of each step by its formula; the averages of a run against
 * loops in double over all that its weights were; a bad step; and evaluation with them, which does
 * not disturb training. Means: of their members, a copy before the first, and the same bits after an
 * interruption between two. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gyre/average.h"
#include "rig.h"
#include <math.h>

enum { STEPS = 12 };

static const gyre_average_settings warm = {.decay = 0.9, .warmup = true}, cold = {.decay = 0.9};

static void shares_follow_their_formula(void **state) {
    (void)state;
    const gyre_average_settings slow = {.decay = 0.9999, .warmup = true};
    for (int64_t k = 0; k < 1000000; k = 2 * k + 1) {
        double want = fmax(1 - 0.9999, pow((double)k + 1, -0.75));
        assert_true(fabs(gyre_average_share(&slow, k) - want) <= 4e-16 * want);
        assert_true(gyre_average_share(&cold, k) == (k == 0 ? 1 : 1 - 0.9));
    }
    /* 1 - 0.9 = 21.5^(-3/4): the decay is reached by step 21 */
    assert_true(gyre_average_share(&warm, 20) > 1 - 0.9);
    assert_true(gyre_average_share(&warm, 21) == 1 - 0.9);
}

static rig open_net(void) {
    return rig_open((rig_options){.name = "small_cnn",
                                  .size = 16,
                                  .channels = 3,
                                  .classes = 10,
                                  .n = 4,
                                  .shards = 2,
                                  .lanes = 2});
}

static gyre_optimizer *open_optimizer(rig *r) {
    const gyre_optimizer_settings settings = {.name = GYRE_OPTIMIZER_SGD};
    gyre_optimizer *o = NULL;
    OK(gyre_optimizer_open(&settings, r->weights, 2, &o));
    return o;
}

static gyre_average *open_ema(const gyre_average_settings *s, rig *r, gyre_optimizer *o) {
    gyre_average *a = NULL;
    OK(gyre_average_open(s, GYRE_AVERAGE_EMA, (gyre_average_members){0}, r->weights,
                         gyre_optimizer_scalars(o), &a));
    return a;
}

/* Parameters, then running statistics; free() them. */
static float *read_weights(const rig *r) {
    const gyre_backend_ops *ops = r->backend->ops;
    const gyre_model *m = r->model;
    float *x = calloc(m->parameters + m->buffers, sizeof *x);
    OK(ops->download(r->backend->main, x, r->weights->parameters, m->parameters));
    OK(ops->download(r->backend->main, x + m->parameters, r->weights->buffers, m->buffers));
    return x;
}

static void check_run(const gyre_average_settings *s) {
    rig r = open_net();
    const size_t n = r.model->parameters + r.model->buffers;
    gyre_optimizer *o = open_optimizer(&r);
    gyre_average *a = open_ema(s, &r, o);
    double *want = calloc(n, sizeof *want), *scale = calloc(n, sizeof *scale);
    float *got = calloc(n, sizeof *got);
    for (int k = 0; k < STEPS; k++) {
        OK(gyre_average_begin(a, k));
        rig_step(&r, o, k, 0.05, 0.9);
        OK(gyre_average_apply(a));
        float *x = read_weights(&r);
        const double share = k == 0      ? 1
                             : s->warmup ? fmax(1 - s->decay, pow(k + 1, -0.75))
                                         : 1 - s->decay;
        for (size_t i = 0; i < n; i++) {
            want[i] = (1 - share) * want[i] + share * (double)x[i];
            scale[i] = fmax(scale[i], fabs((double)x[i]));
        }
        OK(gyre_average_download(a, got));
        /* each step rounds a difference, a product and a sum of numbers up to twice `scale` */
        for (size_t i = 0; i < n; i++) {
            double err = fabs((double)got[i] - want[i]);
            if (!(err <= 6 * (k + 1) * 0x1p-24 * scale[i])) {
                fail_msg("step %d, value %zu: %g, not %g", k, i, (double)got[i], want[i]);
            }
            if (k == 0) assert_true(got[i] == x[i]);
        }
        free(x);
    }
    free(want);
    free(scale);
    free(got);
    gyre_average_close(a);
    gyre_optimizer_close(o);
    rig_close(&r);
}

static void averages_follow_the_weights(void **state) {
    (void)state;
    check_run(&warm);
    check_run(&cold);
}

static void a_bad_step_leaves_it(void **state) {
    (void)state;
    rig r = open_net();
    const size_t n = r.model->parameters + r.model->buffers;
    gyre_optimizer *o = open_optimizer(&r);
    gyre_average *a = open_ema(&cold, &r, o);
    float *before = calloc(n, sizeof *before), *after = calloc(n, sizeof *after);
    for (int k = 0; k < 4; k++) {
        OK(gyre_average_begin(a, k));
        if (k < 2) {
            rig_step(&r, o, k, 0.05, 0.9);
        } else {
            const float zero = 0;
            OK(r.backend->ops->upload(r.backend->main,
                                      gyre_f32_at(gyre_optimizer_scalars(o), GYRE_SCALAR_FINITE),
                                      &zero, 1));
        }
        OK(gyre_average_apply(a));
        OK(gyre_average_download(a, k < 2 ? before : after));
    }
    assert_memory_equal(before, after, n * sizeof *before);
    free(before);
    free(after);
    gyre_average_close(a);
    gyre_optimizer_close(o);
    rig_close(&r);
}

static double evaluate(gyre_weights *w, rig *r) {
    const gyre_backend_ops *ops = r->backend->ops;
    gyre_net *net = NULL;
    gyre_raw memory;
    float stats[GYRE_LOSS_SUMS];
    gyre_batch batch = r->batch;
    batch.count = 4;
    OK(gyre_net_open(w, 4, 0, &net));
    OK(ops->alloc(r->backend, sizeof stats, &memory));
    OK(gyre_net_evaluate(net, r->backend->main, &batch, (gyre_f32)(void *)memory));
    OK(ops->download(r->backend->main, stats, (gyre_f32)(void *)memory, GYRE_LOSS_SUMS));
    ops->release(r->backend, memory);
    gyre_net_close(net);
    return (double)stats[0];
}

/* What the averages give is what weights of these values give, and training between them has the
 * bits of training alone. */
static void evaluation_takes_it_and_training_does_not(void **state) {
    (void)state;
    rig r = open_net(), alone = open_net(), same = open_net();
    const size_t n = r.model->parameters + r.model->buffers;
    gyre_optimizer *o = open_optimizer(&r), *other = open_optimizer(&alone);
    float *average = calloc(n, sizeof *average);
    gyre_average *a = open_ema(&warm, &r, o);
    for (int k = 0; k < 6; k++) {
        OK(gyre_average_begin(a, k));
        rig_step(&r, o, k, 0.05, 0.9);
        OK(gyre_average_apply(a));
        rig_step(&alone, other, k, 0.05, 0.9);
        const double last = evaluate(r.weights, &r);
        OK(gyre_weights_pack(gyre_average_weights(a)));
        const double found = evaluate(gyre_average_weights(a), &r);
        OK(gyre_weights_pack(r.weights));
        OK(gyre_average_download(a, average));
        memcpy(same.parameters, average, r.model->parameters * sizeof *average);
        memcpy(same.buffers, average + r.model->parameters, r.model->buffers * sizeof *average);
        rig_upload(&same);
        assert_true(found == evaluate(same.weights, &same));
        assert_true((found != last) == (k > 0));
        float *x = read_weights(&r), *y = read_weights(&alone);
        assert_memory_equal(x, y, n * sizeof *x);
        free(x);
        free(y);
    }
    float *back = calloc(n, sizeof *back); /* what goes to the host comes back */
    OK(gyre_average_upload(a, back));
    OK(gyre_average_upload(a, average));
    OK(gyre_average_download(a, back));
    assert_memory_equal(back, average, n * sizeof *back);
    free(back);
    free(average);
    gyre_average_close(a);
    gyre_optimizer_close(o);
    gyre_optimizer_close(other);
    rig_close(&r);
    rig_close(&alone);
    rig_close(&same);
}

/* ---- means */

static int64_t member_steps[] = {3, 4, 7, 10};
enum { MEMBERS = 4, RUN_STEPS = 12 };

static gyre_average *open_mean(rig *r, gyre_optimizer *o) {
    static const gyre_average_settings settings = {.kind = GYRE_AVERAGE_MINIMA};
    gyre_average *a = NULL;
    OK(gyre_average_open(&settings, GYRE_AVERAGE_MINIMA,
                         (gyre_average_members){member_steps, MEMBERS}, r->weights,
                         gyre_optimizer_scalars(o), &a));
    return a;
}

static bool is_member(int64_t completed) {
    for (int i = 0; i < MEMBERS; i++) {
        if (member_steps[i] == completed) return true;
    }
    return false;
}

/* `got` after settling: the weights themselves before the first member, then the mean. Each member
 * rounds as each step does in check_run, but the first. */
static void check_mean(const rig *r, const double *sum, const double *scale, int taken,
                       const float *x, const float *got) {
    const gyre_model *m = r->model;
    for (size_t i = 0; i < m->parameters; i++) {
        const double want = taken == 0 ? (double)x[i] : sum[i] / taken;
        const double most = taken < 2 ? 0 : 6 * taken * 0x1p-24 * scale[i];
        if (!(fabs((double)got[i] - want) <= most))
            fail_msg("value %zu of %d: %g, not %g", i, taken, (double)got[i], want);
    }
    if (taken == 0)
        assert_memory_equal(got + m->parameters, x + m->parameters, m->buffers * sizeof *x);
}

/* The mean after all steps; `stop`: the average goes to the host after these, and into a new one. */
static void run(int stop, float *out) {
    rig r = open_net();
    const size_t n = r.model->parameters + r.model->buffers;
    gyre_optimizer *o = open_optimizer(&r);
    gyre_average *a = open_mean(&r, o);
    double *sum = calloc(n, sizeof *sum), *scale = calloc(n, sizeof *scale);
    int taken = 0, settled = 0;
    for (int k = 0; k < RUN_STEPS; k++) {
        bool stale = false;
        OK(gyre_average_begin(a, k));
        rig_step(&r, o, k, 0.05, 0.9);
        OK(gyre_average_apply(a));
        OK(gyre_average_take(a, k + 1));
        float *x = read_weights(&r);
        if (is_member(k + 1)) taken++;
        for (size_t i = 0; is_member(k + 1) && i < n; i++) {
            sum[i] += (double)x[i];
            scale[i] = fmax(scale[i], fabs((double)x[i]));
        }
        if (stop == 0 || stop == k + 1 || k + 1 == RUN_STEPS) { /* else it is not looked at */
            OK(gyre_average_settle(a, k + 1, &stale));
            assert_true(stale == (taken > settled));
            settled = taken;
            OK(gyre_average_download(a, out));
            check_mean(&r, sum, scale, taken, x, out);
        }
        free(x);
        if (k + 1 != stop) continue;
        gyre_average_close(a);
        a = open_mean(&r, o);
        OK(gyre_average_upload(a, out));
        settled = 0;
    }
    free(sum);
    free(scale);
    gyre_average_close(a);
    gyre_optimizer_close(o);
    rig_close(&r);
}

static void it_is_the_mean_of_its_members(void **state) {
    (void)state;
    rig r = open_net();
    const size_t parameters = r.model->parameters, n = parameters + r.model->buffers;
    rig_close(&r);
    float *whole = calloc(n, sizeof *whole), *resumed = calloc(n, sizeof *resumed);
    run(0, whole);
    for (int stop = 1; stop < RUN_STEPS; stop += 2) {
        run(stop, resumed);
        assert_memory_equal(whole, resumed, parameters * sizeof *whole);
    }
    free(whole);
    free(resumed);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shares_follow_their_formula),
        cmocka_unit_test(averages_follow_the_weights),
        cmocka_unit_test(a_bad_step_leaves_it),
        cmocka_unit_test(evaluation_takes_it_and_training_does_not),
        cmocka_unit_test(it_is_the_mean_of_its_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
