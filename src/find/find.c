/* The LR range test from settings to verdict: what is swept, on which samples it is scored. */
#include "gyre/find.h"

#include "gyre/config.h"
#include "gyre/defaults.h"
#include "gyre/log.h"
#include "gyre/resolve.h"
#include "gyre/run.h"
#include "sweep.h"
#include "verdict.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS_MIN = 40, EPOCHS = 2, SCORES = 50 };

/* A test that is open. */
typedef struct {
    gyre_resolved resolved;
    gyre_trainer trainer;
    gyre_evaluator *evaluator;
    uint32_t *rows; /* behind `view` */
    gyre_view view; /* what is evaluated; count 0: nothing */
} range_test;

/* ---- options */

static gyre_status check_rates(const gyre_find_options *o) {
    const double least = 1e-30, most = 1e30;
    if (!(o->from >= least && o->to <= most && o->from < o->to)) {
        return gyre_fail(GYRE_EUSAGE,
                         "--from %g --to %g: rates from %g to %g were expected, the first below "
                         "the second",
                         o->from, o->to, least, most);
    }
    if (o->to >= 2 * o->from) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "--from %g --to %g: the last rate is less than twice the first; --to %g or "
                     "more was expected, since a curve is read over octaves",
                     o->from, o->to, 2 * o->from);
}

static gyre_status resolve(gyre_find_options *o, int64_t steps_per_epoch) {
    const int64_t most = 1 << 24; /* a row each is kept */
    if (o->from == 0) o->from = GYRE_FIND_FROM;
    if (o->to == 0) o->to = GYRE_FIND_TO;
    if (o->steps == 0) o->steps = EPOCHS * steps_per_epoch;
    if (o->steps < GYRE_FIND_STEPS_LEAST && o->steps == EPOCHS * steps_per_epoch)
        o->steps = GYRE_FIND_STEPS_LEAST;
    if (o->repeats == 0) o->repeats = GYRE_FIND_REPEATS;
    if (o->every == 0) o->every = (o->steps + SCORES - 1) / SCORES;
    if (o->subset == 0) o->subset = GYRE_FIND_SUBSET;
    GYRE_TRY(check_rates(o));
    if (o->steps < STEPS_MIN || o->steps > most) {
        return gyre_fail(GYRE_EUSAGE, "--steps %lld: a range test takes %d to %lld steps",
                         (long long)o->steps, STEPS_MIN, (long long)most);
    }
    if (o->repeats > GYRE_FIND_REPEATS_MAX) {
        return gyre_fail(GYRE_EUSAGE, "--repeats %d: at most %d were expected", o->repeats,
                         GYRE_FIND_REPEATS_MAX);
    }
    return GYRE_OK;
}

/* A sweep may be valid and still show nothing. */
static void warn_of_rates(const gyre_find_options *o) {
    double octaves = log2(o->to / o->from);
    if (o->to < GYRE_RATE_LIGHTEST) {
        gyre_warn("--to %g: 32-bit weights do not move at such rates; 10 is usual", o->to);
    } else if (!o->linear && (double)o->steps < 2 * octaves) {
        gyre_warn("--from %g --to %g: %lld steps over %.0f octaves of rates are less than two an "
                  "octave; take more --steps, or a narrower range",
                  o->from, o->to, (long long)o->steps, octaves);
    }
}

/* ---- data */

/* A range test chooses rates, so it must not look at the test part: unless the config sets
 * validation samples aside, some of the training part are, for the test's duration. */
static gyre_status choose_validation(gyre_settings *s, int64_t subset, int64_t samples) {
    gyre_validation kind = s->data.validation;
    if (kind == GYRE_VALIDATION_SPLIT || kind == GYRE_VALIDATION_PART) return GYRE_OK;
    int64_t aside = samples / 10 < subset ? samples / 10 : subset;
    if (aside < 1 || samples - aside < s->batch_size) {
        s->data.validation = GYRE_VALIDATION_NONE;
        return GYRE_OK;
    }
    s->data.validation = GYRE_VALIDATION_SPLIT;
    s->data.split = (double)aside / (double)samples;
    return GYRE_OK;
}

/* Samples and steps of an epoch are known only to who opens the dataset. */
static gyre_status look_at_data(gyre_settings *s, gyre_find_options *o) {
    gyre_status status = GYRE_OK;
    gyre_dataset *data = NULL;
    gyre_samples samples = {0};
    gyre_epochs epochs;
    s->length = (gyre_length){GYRE_UNIT_STEPS, 1}; /* not needed: a sweep has its own */
    GYRE_TRY(gyre_config_require(s));
    if (s->data.validation == GYRE_VALIDATION_TEST) s->data.validation = GYRE_VALIDATION_NONE;
    GYRE_GOTO(gyre_resolve_data(s, &data, &samples, &epochs));
    GYRE_GOTO(
        choose_validation(s, o->subset == 0 ? GYRE_FIND_SUBSET : o->subset, samples.train.count));
    status = resolve(o, epochs.steps_per_epoch);
out:
    gyre_samples_close(&samples);
    if (data != NULL) gyre_dataset_close(data);
    return status;
}

/* At most `most` samples of the validation view, equally far apart, since files are often sorted.
 */
static gyre_status choose_view(range_test *x, int64_t most) {
    const gyre_view *all = &x->resolved.samples.validation;
    int64_t count = all->count < most ? all->count : most;
    if (count == 0) return GYRE_OK;
    x->rows = malloc((size_t)count * sizeof *x->rows);
    if (x->rows == NULL) return gyre_no_memory("the range test");
    for (int64_t i = 0; i < count; i++) {
        int64_t at = i * all->count / count;
        x->rows[i] = all->rows == NULL ? (uint32_t)at : all->rows[at];
    }
    x->view =
        (gyre_view){.images = all->images, .rows = x->rows, .count = count, .size = all->size};
    return GYRE_OK;
}

/* ---- the test */

static gyre_status open_scores(range_test *x, gyre_find *f) {
    const gyre_find_options *o = &f->options;
    gyre_trainer *t = &x->trainer;
    size_t repeats = (size_t)o->repeats, steps = (size_t)o->steps;
    GYRE_TRY(choose_view(x, o->subset));
    f->metric = x->resolved.model->metric;
    f->samples = x->view.count;
    f->steps_per_epoch = x->resolved.epochs.steps_per_epoch;
    f->rows = calloc(repeats * steps, sizeof *f->rows);
    f->scores = calloc(repeats * (steps / (size_t)o->every + 1), sizeof *f->scores);
    f->repeats = calloc(repeats, sizeof *f->repeats);
    if (f->rows == NULL || f->scores == NULL || f->repeats == NULL) {
        return gyre_no_memory("%lld steps of a range test", (long long)o->steps * o->repeats);
    }
    if (f->samples == 0) return GYRE_OK;
    int64_t batch = x->resolved.settings.evaluate.batch;
    return gyre_evaluator_open(t->weights, (int)(batch < f->samples ? batch : f->samples),
                               gyre_evaluate_passes(&x->resolved.settings.evaluate, false), t->comm,
                               t->watchdog, &x->evaluator);
}

static void say_plan(const range_test *x, const gyre_find *f) {
    const gyre_find_options *o = &f->options;
    warn_of_rates(o);
    if (o->quiet) return;
    gyre_say("range test of %s: rate %g to %g in %lld steps (%.3g epochs), %s; %d repeat%s, "
             "scored on %lld %s",
             x->resolved.model->name, o->from, o->to, (long long)o->steps,
             (double)o->steps / (double)f->steps_per_epoch, o->linear ? "linear" : "exponential",
             o->repeats, o->repeats == 1 ? "" : "s", (long long)f->samples,
             f->samples == 0 ? "samples (too few to set any aside: the training loss decides)"
                             : "validation samples");
}

/* Judged without the repeat, or the trials, that a signal broke off. */
static gyre_status conclude_early(gyre_find *f, gyre_comm *comm, int whole) {
    char reason[GYRE_ERROR_MAX];
    snprintf(reason, sizeof reason, "%s", gyre_error_text());
    f->trial_count = 0;
    f->asked = f->options.repeats;
    f->options.repeats = whole;
    if (whole > 0) GYRE_TRY(gyre_comm_agree(comm, find_decide(f)));
    return gyre_fail(GYRE_EPREEMPTED, "%s", reason);
}

static gyre_status run_test(range_test *x, const gyre_settings *s, gyre_comm *comm, gyre_find *f) {
    gyre_trainer *t = &x->trainer;
    int whole = 0;
    GYRE_TRY(gyre_resolve(s, comm, NULL, &x->resolved));
    GYRE_TRY(gyre_trainer_open(t, &x->resolved, comm, NULL, true));
    GYRE_TRY(gyre_comm_agree(comm, open_scores(x, f)));
    if (t->rank == 0 && t->unlike) gyre_warn("%s", t->machine);
    say_plan(x, f);
    bool redraw = s->model.init_from == NULL;
    gyre_status status = find_sweeps_run(t, x->evaluator, &x->view, redraw, f, &whole);
    if (status == GYRE_EPREEMPTED) return conclude_early(f, comm, whole);
    GYRE_TRY(status);
    GYRE_TRY(gyre_comm_agree(comm, find_decide(f)));
    if (!f->options.verify || !f->verdict.reliable) return GYRE_OK;
    status = find_trials_run(t, x->evaluator, &x->view, f);
    if (status == GYRE_EPREEMPTED) return conclude_early(f, comm, whole);
    GYRE_TRY(status);
    find_decide_trials(f);
    return GYRE_OK;
}

gyre_status gyre_find_run(const gyre_settings *settings, const gyre_find_options *options,
                          gyre_comm *comm, gyre_find *out) {
    range_test x = {0};
    gyre_settings s = *settings;
    s.average = (gyre_average_settings){0}; /* they lag behind a rate that rises in each step */
    *out = (gyre_find){.options = *options};
    gyre_watchdog *watchdog = gyre_comm_watchdog(comm);
    gyre_watchdog_limits(watchdog, s.watchdog_seconds, s.watchdog_first_step_seconds);
    gyre_watchdog_phase(watchdog, "opening the dataset", -1);
    gyre_status status = look_at_data(&s, &out->options);
    if (status == GYRE_EUSAGE && s.source != NULL) status = gyre_fail_in(s.source, status);
    GYRE_TRY(gyre_comm_agree(comm, status));
    gyre_stop_catch();
    status = run_test(&x, &s, comm, out);
    gyre_stop_release(status == GYRE_EPREEMPTED);
    gyre_evaluator_close(x.evaluator);
    gyre_trainer_close(&x.trainer);
    gyre_resolved_close(&x.resolved);
    free(x.rows);
    if (status != GYRE_OK && (status != GYRE_EPREEMPTED || out->row_count == 0)) {
        gyre_find_close(out);
    }
    return status;
}

void gyre_find_close(gyre_find *f) {
    free(f->rows);
    free(f->scores);
    free(f->repeats);
    *f = (gyre_find){0};
}
