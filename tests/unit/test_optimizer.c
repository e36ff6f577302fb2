/* The optimizer over a whole model: multipliers by group, both momentum conventions, Adam and AdamW
 * with their corrections, the rules that divide by a root of squares, clipping by the global norm,
 * and no update from a bad step. Against the same rules in double precision; gradients are random
 * numbers, so no net is run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "rig.h"
#include <math.h>

typedef struct {
    rig r;
    gyre_optimizer *optimizer;
    gyre_optimizer_settings settings;
    gyre_raw memory;
    float *leaf;                /* the host's copy */
    double *w, *first, *second; /* reference: parameters and states */
} fixture;

static fixture fixture_open(gyre_optimizer_settings settings) {
    fixture f = {.settings = settings};
    f.r = rig_open((rig_options){.name = "lenet",
                                 .size = 16,
                                 .channels = 1,
                                 .classes = 10,
                                 .n = 1,
                                 .shards = 1,
                                 .lanes = 2});
    gyre_model *m = f.r.model;
    m->groups[1].decay_mult = 0; /* biases: rate twice, no decay */
    OK(gyre_optimizer_open(&settings, f.r.weights, 1, &f.optimizer));
    OK(f.r.backend->ops->alloc(f.r.backend, gyre_leaf_size(m) * sizeof(float), &f.memory));
    f.leaf = calloc(gyre_leaf_size(m), sizeof(float));
    f.w = calloc(m->parameters, sizeof(double));
    f.first = calloc(m->parameters, sizeof(double));
    f.second = calloc(m->parameters, sizeof(double));
    for (size_t i = 0; i < m->parameters; i++) f.w[i] = (double)f.r.parameters[i];
    return f;
}

static void fixture_close(fixture *f) {
    f->r.backend->ops->release(f->r.backend, f->memory);
    gyre_optimizer_close(f->optimizer);
    rig_close(&f->r);
    free(f->leaf);
    free(f->w);
    free(f->first);
    free(f->second);
}

static void step(fixture *f, int t, double lr, double momentum) {
    gyre_queue *q = f->r.backend->main;
    gyre_f32 leaf = (gyre_f32)(void *)f->memory;
    OK(f->r.backend->ops->upload(q, leaf, f->leaf, gyre_leaf_size(f->r.model)));
    OK(gyre_optimizer_begin(f->optimizer, t, (gyre_rate){.lr = lr, .momentum = momentum}));
    OK(gyre_optimizer_apply(f->optimizer, t, leaf));
}

/* A fresh gradient of norm about sqrt(parameters) / 100. */
static void draw_gradient(fixture *f, uint64_t seed) {
    gyre_random draws = gyre_random_open(seed, GYRE_RANDOM_TEST, 0, 0);
    for (size_t i = 0; i < f->r.model->parameters; i++) {
        f->leaf[i] = (float)(0.01 * gyre_random_normal(&draws));
    }
    f->leaf[gyre_leaf_stats(f->r.model)] = 2;
    f->leaf[gyre_leaf_stats(f->r.model) + 1] = 1;
}

/* RMSProp, AdaGrad, AdaDelta in Caffe's formulas; `momentum` is AdaDelta's decay. */
static double square_step(const gyre_optimizer_settings *s, double g, double momentum, double *h,
                          double *k) {
    double decay = (double)(float)s->rms_decay, eps = (double)(float)s->eps;
    if (s->name == GYRE_OPTIMIZER_RMSPROP) *h = decay * *h + (1 - decay) * g * g;
    if (s->name == GYRE_OPTIMIZER_ADAGRAD) *h += g * g;
    if (s->name != GYRE_OPTIMIZER_ADADELTA) return g / (sqrt(*h) + eps);
    *h = momentum * *h + (1 - momentum) * g * g;
    double step = g * sqrt((eps + *k) / (eps + *h));
    *k = momentum * *k + (1 - momentum) * step * step;
    return step;
}

/* One element, one update, as the papers and peers write it. */
static void reference_element(fixture *f, size_t i, double g, double wd, int t, double lr,
                              double momentum) {
    const gyre_optimizer_settings *s = &f->settings;
    double *w = &f->w[i], *v = &f->first[i], *u = &f->second[i];
    double beta1 = (double)(float)momentum, beta2 = (double)(float)s->beta2;
    bool decoupled = s->decoupled || s->name == GYRE_OPTIMIZER_ADAMW;
    if (decoupled)
        *w -= lr * wd * *w;
    else
        g += wd * *w;
    if (s->name >= GYRE_OPTIMIZER_RMSPROP) {
        *w -= lr * square_step(s, g, beta1, v, u);
    } else if (s->name != GYRE_OPTIMIZER_SGD) { /* Kingma & Ba 2015, algorithm 1 */
        *v = beta1 * *v + (1 - beta1) * g;
        *u = beta2 * *u + (1 - beta2) * g * g;
        double m_hat = *v / (1 - pow(beta1, t + 1)), u_hat = *u / (1 - pow(beta2, t + 1));
        *w -= lr * m_hat / (sqrt(u_hat) + s->eps);
    } else if (s->lr_in_momentum) { /* Caffe: the rate inside */
        double old = *v;
        *v = momentum * old + lr * g;
        *w -= s->nesterov ? (1 + momentum) * *v - momentum * old : *v;
    } else { /* PyTorch */
        *v = momentum * *v + g;
        *w -= lr * (s->nesterov ? g + momentum * *v : *v);
    }
}

static void reference(fixture *f, int t, double lr, double momentum) {
    const gyre_model *m = f->r.model;
    double squares = 0;
    for (size_t i = 0; i < m->parameters; i++) squares += (double)f->leaf[i] * (double)f->leaf[i];
    double norm = sqrt(squares), clip = f->settings.clip_norm;
    double shrink = clip > 0 && norm > clip ? clip / norm : 1;
    for (int k = 0; k < m->group_count; k++) {
        const gyre_param_group *g = &m->groups[k];
        double wd = f->settings.weight_decay * (double)g->decay_mult;
        for (size_t i = g->offset; i < g->offset + g->count; i++) {
            reference_element(f, i, shrink * (double)f->leaf[i], wd, t, lr * (double)g->lr_mult,
                              momentum);
        }
    }
}

/* Some updates at changing rates. Each rounds w once or twice (relative 6e-8) and the step itself,
 * a few times: 1e-6 of the parameter plus the largest step covers five of them. */
static void follows_its_rule(gyre_optimizer_settings settings) {
    fixture f = fixture_open(settings);
    const gyre_model *m = f.r.model;
    assert_int_equal(m->group_count, 2);
    for (int t = 0; t < 5; t++) {
        double lr = 0.1 / (1 + t), momentum = 0.95 - 0.02 * t;
        draw_gradient(&f, (uint64_t)t + 1);
        step(&f, t, lr, momentum);
        reference(&f, t, lr, momentum);
    }
    float *after = malloc(m->parameters * sizeof *after);
    OK(f.r.backend->ops->download(f.r.backend->main, after, f.r.weights->parameters,
                                  m->parameters));
    for (int i = 0; i < m->param_count; i++) {
        const gyre_param *p = &m->params[i];
        for (size_t k = p->offset; k < p->offset + p->count; k++) {
            double largest_step = settings.name == GYRE_OPTIMIZER_SGD ? 0.02 : 0.2;
            double bound = 1e-6 * (fabs(f.w[k]) + largest_step);
            if (!(fabs((double)after[k] - f.w[k]) <= bound)) {
                fail_msg("%s[%zu]: %.9g instead of %.9g", p->name, k - p->offset, (double)after[k],
                         f.w[k]);
            }
        }
    }
    free(after);
    fixture_close(&f);
}

static void sgd_with_the_rate_outside(void **state) {
    (void)state;
    follows_its_rule((gyre_optimizer_settings){.weight_decay = 0.01});
    follows_its_rule((gyre_optimizer_settings){.weight_decay = 0.01, .nesterov = true});
    follows_its_rule((gyre_optimizer_settings){.weight_decay = 0.01, .decoupled = true});
}

static void sgd_with_the_rate_inside(void **state) {
    (void)state;
    follows_its_rule((gyre_optimizer_settings){.weight_decay = 0.01, .lr_in_momentum = true});
    follows_its_rule(
        (gyre_optimizer_settings){.weight_decay = 0.01, .lr_in_momentum = true, .nesterov = true});
}

static void adam_and_adamw(void **state) {
    (void)state;
    /* little decay: where it cancels the gradient, Adam divides rounding by rounding */
    gyre_optimizer_settings s = {
        .name = GYRE_OPTIMIZER_ADAM, .beta2 = 0.999, .eps = 1e-8, .weight_decay = 1e-4};
    follows_its_rule(s);
    s.name = GYRE_OPTIMIZER_ADAMW;
    s.weight_decay = 0.01;
    follows_its_rule(s);
}

/* Little decay and large eps for the same reason. */
static void rules_with_a_root_of_squares(void **state) {
    (void)state;
    gyre_optimizer_settings s = {
        .rms_decay = 0.99, .beta2 = 0.5, .eps = 1e-3, .weight_decay = 1e-4};
    const gyre_optimizer_name names[] = {GYRE_OPTIMIZER_RMSPROP, GYRE_OPTIMIZER_ADAGRAD,
                                         GYRE_OPTIMIZER_ADADELTA};
    for (int i = 0; i < 3; i++) {
        s.name = names[i];
        follows_its_rule(s);
    }
}

static void clipping_by_the_global_norm(void **state) {
    (void)state;
    follows_its_rule((gyre_optimizer_settings){.clip_norm = 0.5});
    follows_its_rule((gyre_optimizer_settings){.clip_norm = 1e6});
}

static void a_bad_step_is_never_applied(void **state) {
    (void)state;
    for (int bad = 0; bad < 2; bad++) { /* in the loss; in the gradient */
        fixture f = fixture_open((gyre_optimizer_settings){.weight_decay = 0.01});
        size_t n = f.r.model->parameters;
        float *after = malloc(n * sizeof *after), scalars[GYRE_SCALAR_COUNT];
        gyre_f32 velocity;
        for (int t = 0; t < 3; t++) {
            draw_gradient(&f, 7);
            if (t == 0) f.leaf[bad == 0 ? gyre_leaf_stats(f.r.model) : 17] = NAN;
            step(&f, t, 0.1, 0.9); /* t > 0: good gradients, but it is too late */
        }
        gyre_queue *q = f.r.backend->main;
        OK(f.r.backend->ops->download(q, after, f.r.weights->parameters, n));
        assert_memory_equal(after, f.r.parameters, n * sizeof *after);
        assert_string_equal(gyre_optimizer_state(f.optimizer, 0, &velocity), "momentum");
        OK(f.r.backend->ops->download(q, after, velocity, n));
        for (size_t i = 0; i < n; i++) assert_true(after[i] == 0);
        OK(f.r.backend->ops->download(q, scalars, gyre_optimizer_scalars(f.optimizer),
                                      GYRE_SCALAR_COUNT));
        assert_true(scalars[GYRE_SCALAR_FINITE] == 0);
        free(after);
        fixture_close(&f);
    }
}

/* After its end a group keeps its values and its state, and counts in no norm; the other learns as
 * if that group's gradient were 0. */
static void a_group_ends(void **state) {
    (void)state;
    const gyre_optimizer_settings s = {.weight_decay = 0.01, .clip_norm = 0.5};
    fixture f = fixture_open(s);
    const gyre_model *m = f.r.model;
    gyre_param_group *biases = &m->groups[1];
    const size_t n = m->parameters, bytes = biases->count * sizeof(float);
    float *then = malloc(2 * n * sizeof *then), *now = malloc(2 * n * sizeof *now);
    gyre_f32 velocity;
    gyre_optimizer_state(f.optimizer, 0, &velocity);
    biases->until = 2;
    for (int t = 0; t < 4; t++) {
        gyre_queue *q = f.r.backend->main;
        assert_int_equal(gyre_optimizer_phase(f.optimizer, t), t >= 2);
        draw_gradient(&f, (uint64_t)t + 1);
        step(&f, t, 0.1, 0.9);
        OK(f.r.backend->ops->download(q, now, f.r.weights->parameters, n));
        OK(f.r.backend->ops->download(q, now + n, velocity, n));
        if (t == 1) memcpy(then, now, 2 * n * sizeof *now);
        if (t >= 2) {
            memset(f.leaf + biases->offset, 0, bytes);
            assert_memory_equal(now + biases->offset, then + biases->offset, bytes);
            assert_memory_equal(now + n + biases->offset, then + n + biases->offset, bytes);
        }
        reference(&f, t, 0.1, 0.9);
    }
    const gyre_param_group *weights = &m->groups[0];
    for (size_t i = weights->offset; i < weights->offset + weights->count; i++) {
        /* as in follows_its_rule */
        if (!(fabs((double)now[i] - f.w[i]) <= 1e-6 * (fabs(f.w[i]) + 0.02)))
            fail_msg("[%zu]: %.9g instead of %.9g", i, (double)now[i], f.w[i]);
    }
    free(then);
    free(now);
    fixture_close(&f);
}

static void states_are_named(void **state) {
    (void)state;
    static const char *const names[][3] = {
        [GYRE_OPTIMIZER_SGD] = {"momentum"},
        [GYRE_OPTIMIZER_ADAM] = {"exp_avg", "exp_avg_sq"},
        [GYRE_OPTIMIZER_ADAMW] = {"exp_avg", "exp_avg_sq"},
        [GYRE_OPTIMIZER_RMSPROP] = {"square_avg"},
        [GYRE_OPTIMIZER_ADAGRAD] = {"sum"},
        [GYRE_OPTIMIZER_ADADELTA] = {"square_avg", "acc_delta"},
    };
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        gyre_f32 vector;
        fixture f = fixture_open((gyre_optimizer_settings){.name = (gyre_optimizer_name)i});
        int k = 0;
        for (; names[i][k] != NULL; k++) {
            assert_string_equal(gyre_optimizer_state(f.optimizer, k, &vector), names[i][k]);
        }
        assert_null(gyre_optimizer_state(f.optimizer, k, &vector));
        fixture_close(&f);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sgd_with_the_rate_outside),
        cmocka_unit_test(sgd_with_the_rate_inside),
        cmocka_unit_test(adam_and_adamw),
        cmocka_unit_test(rules_with_a_root_of_squares),
        cmocka_unit_test(clipping_by_the_global_norm),
        cmocka_unit_test(a_bad_step_is_never_applied),
        cmocka_unit_test(a_group_ends),
        cmocka_unit_test(states_are_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
