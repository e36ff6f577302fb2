/* configs/clr_paper: each file is the run that its first line says, of the length it says, with
 * Caffe's input and constants; and the rates at the turns of each schedule are the paper's. */
#include "gyre/config.h"
#include "gyre/schedule.h"

#include <glob.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static gyre_settings *open_config(const char *path) {
    gyre_settings *s = NULL;
    if (gyre_config_open(path, NULL, 0, &s) != GYRE_OK || gyre_config_require(s) != GYRE_OK) {
        fail_msg("%s: %s", path, gyre_error_text());
    }
    return s;
}

static gyre_schedule *open_schedule(const gyre_settings *s) {
    gyre_schedule *schedule = NULL;
    if (gyre_schedule_open(&s->schedule, &s->length, gyre_config_momentum(&s->optimizer), 0,
                           &schedule) != GYRE_OK) {
        fail_msg("%s", gyre_error_text());
    }
    return schedule;
}

/* "// Paper: WHERE: 81.4 % after 25000 steps." is the second line; benchmarks/clr_paper.sh reads
 * it. */
static long long steps_of_paper(const char *path) {
    char line[200] = "", *figures;
    double metric;
    long long steps;
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    for (int i = 0; i < 2; i++) assert_non_null(fgets(line, sizeof line, f));
    fclose(f);
    assert_memory_equal(line, "    // Paper: ", 14);
    figures = strrchr(line, ':');
    if (sscanf(figures, ": %lf %% after %lld steps.", &metric, &steps) != 2) fail_msg("%s", line);
    assert_true(metric > 60 && metric < 85);
    return steps;
}

static void every_run_is_caffes(void **state) {
    (void)state;
    glob_t found;
    assert_int_equal(glob("configs/clr_paper/*.json", 0, NULL, &found), 0);
    assert_int_equal(found.gl_pathc, 19);
    for (size_t i = 0; i < found.gl_pathc; i++) {
        const char *path = found.gl_pathv[i];
        gyre_settings *s = open_config(path);
        gyre_schedule *schedule = open_schedule(s);
        const gyre_optimizer_settings *o = &s->optimizer;
        if (gyre_schedule_steps(schedule) != steps_of_paper(path)) fail_msg("%s", path);
        assert_string_equal(s->model.name, "cifar10_full");
        assert_string_equal(s->data.path, "cifar10.h5");
        bool shuffled = strstr(path, "table2-triangular") != NULL;
        assert_int_equal(s->data.order, shuffled ? GYRE_ORDER_SHUFFLE : GYRE_ORDER_SEQUENTIAL);
        assert_int_equal(s->data.normalize, GYRE_NORMALIZE_MEAN_IMAGE);
        assert_int_equal(s->data.validation, GYRE_VALIDATION_TEST);
        assert_true(!s->data.mirror && s->data.crop == 0);
        assert_int_equal(s->batch_size, 100);
        assert_true(o->weight_decay == 0.004 && !o->decoupled && o->eps == 1e-8);
        bool none = o->name == GYRE_OPTIMIZER_RMSPROP || o->name == GYRE_OPTIMIZER_ADAGRAD;
        assert_true(gyre_config_momentum(o) == (none ? 0 : 0.9));
        assert_true(o->lr_in_momentum == (o->name == GYRE_OPTIMIZER_SGD));
        assert_true(o->nesterov == (strstr(path, "nesterov") != NULL));
        assert_int_equal(s->evaluate.every.unit, GYRE_UNIT_STEPS);
        assert_true(s->evaluate.every.value == 500);
        gyre_schedule_close(schedule);
        gyre_config_close(s);
    }
    globfree(&found);
}

static const struct {
    const char *name;
    int64_t step;
    double lr;
} points[] = {
    {"table1-fixed", 59999, 1e-3},
    {"table1-fixed", 60000, 1e-4},
    {"table1-fixed", 64999, 1e-4},
    {"table1-fixed", 65000, 1e-5},
    {"table1-triangular2", 0, 1e-3},
    {"table1-triangular2", 2000, 5e-3},
    {"table1-triangular2", 4000, 1e-3},
    {"table1-triangular2", 6000, 3e-3}, /* the amplitude halves */
    {"table1-triangular2", 16000, 1e-4},
    {"table1-triangular2", 17000, 5e-4},
    {"table1-triangular2", 22000, 1e-5},
    {"table1-triangular2", 22500, 5e-5},
    {"table1-triangular2", 24000, 1e-5},
    {"table2-triangular", 6000, 5e-3}, /* it does not halve */
    {"table2-triangular", 24500, 5e-5},
    {"table1-decay", 0, 7e-3},
    {"table1-decay", 3999, 1e-3},
    {"table1-decay", 4000, 1e-3},
    {"table1-decay", 24999, 1e-3},
    {"table1-exp", 0, 1e-3},
    {"table1-exp", 10000, 1e-3 * 0.548801757}, /* 0.99994^10000 */
    {"table1-exp-range", 10000, 6e-3 * 0.548801757},
    {"table1-exp-range", 20000, 1e-3 * 0.301183369},
    {"figure1-triangular", 3000, 3.5e-3},
    {"table3-nesterov-fixed", 0, 1e-3},
    {"table3-nesterov-triangular", 2000, 6e-3},
    {"table3-adam-fixed", 0, 5e-4},
    {"table3-adam-triangular", 2000, 2e-3},
    {"table3-adam-triangular-70000", 66000, 2e-3},
    {"table3-rmsprop-fixed", 0, 1e-4},
    {"table3-rmsprop-triangular", 4000, 1e-4},
    {"table3-rmsprop-triangular-70000", 2000, 3e-4},
    {"table3-adagrad-fixed", 0, 3e-3},
    {"table3-adagrad-triangular", 2000, 0.035},
    {"table3-adadelta-fixed", 0, 0.01},
    {"table3-adadelta-triangular", 2000, 0.1},
};

static void rates_are_the_papers(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        char path[128];
        snprintf(path, sizeof path, "configs/clr_paper/%s.json", points[i].name);
        gyre_settings *s = open_config(path);
        gyre_schedule *schedule = open_schedule(s);
        double lr = gyre_schedule_at(schedule, points[i].step).lr;
        if (!(fabs(lr - points[i].lr) <= 1e-8 * points[i].lr)) { /* as many digits as are above */
            fail_msg("%s: rate %.12g at step %lld", path, lr, (long long)points[i].step);
        }
        gyre_schedule_close(schedule);
        gyre_config_close(s);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_run_is_caffes),
        cmocka_unit_test(rates_are_the_papers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
