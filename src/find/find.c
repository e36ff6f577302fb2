/* The LR range test from settings to verdict: what is swept, on which samples it is scored. */
#include "gyre/find.h"

#include "gyre/config.h"
#include "gyre/defaults.h"
#include "gyre/log.h"
#include "gyre/resolve.h"
#include "gyre/run.h"
#include "gyre/schedule.h"
#include "kept.h"
#include "range.h"
#include "sweep.h"
#include "trials.h"
#include "verdict.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STEPS_MIN = 40, EPOCHS = 2, SCORES = 50, TRIAL_SUBSET = 5000 };

/* A test that is open. */
typedef struct {
    gyre_resolved resolved;
    gyre_trainer trainer;
    gyre_evaluator *evaluator;
    uint32_t *rows, *trial_rows;
    gyre_view view,
        trial_view;     /* what is evaluated in sweeps, and after trials; count 0: nothing */
    int64_t run_cycle;  /* steps of a cycle of the run; 0: unknown */
    int64_t trial_most; /* samples that a trial is scored on */
    bool redraw;        /* initial weights, by the seed */
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

/* The fewest steps with which any ladder's trials can be made. */
static int64_t least_budget(const gyre_find_options *o) {
    return o->steps * o->repeats + find_ladder_least();
}

static gyre_status resolve_budget(gyre_find_options *o) {
    if (o->verify) o->quick = true;
    if (o->repeats == 0) o->repeats = o->quick ? GYRE_FIND_REPEATS : 1;
    if (o->quick && (o->budget != 0 || o->for_length.unit != GYRE_UNIT_NONE)) {
        return gyre_fail(GYRE_EUSAGE,
                         "--%s makes no trials, which --budget and --for-length are "
                         "for; leave one of them out",
                         o->verify ? "verify" : "quick");
    }
    if (o->quick) return GYRE_OK;
    int64_t usual = GYRE_FIND_BUDGET * o->steps, least = least_budget(o);
    if (o->budget == 0) o->budget = usual < least ? least : usual;
    if (o->budget >= least) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "--budget %lld: %lld steps or more were expected, for %d sweep%s "
                     "of %lld and the trials; --quick makes sweeps alone",
                     (long long)o->budget, (long long)least, o->repeats, o->repeats == 1 ? "" : "s",
                     (long long)o->steps);
}

static gyre_status resolve(gyre_find_options *o, int64_t steps_per_epoch) {
    const int64_t most = 1 << 24; /* a row each is kept */
    if (o->from == 0) o->from = GYRE_FIND_FROM;
    if (o->to == 0) o->to = GYRE_FIND_TO;
    if (o->steps == 0) o->steps = EPOCHS * steps_per_epoch;
    if (o->steps < GYRE_FIND_STEPS_LEAST && o->steps == EPOCHS * steps_per_epoch)
        o->steps = GYRE_FIND_STEPS_LEAST;
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
    return resolve_budget(o);
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

/* Scored after a trial: more than along a sweep, since it is done once. */
static int64_t trial_subset(const gyre_find_options *o) {
    if (o->subset > 0) return o->subset;
    return o->quick || o->verify ? GYRE_FIND_SUBSET : TRIAL_SUBSET;
}

static int64_t in_steps(gyre_length l, int64_t per_epoch) {
    if (l.unit == GYRE_UNIT_STEPS) return (int64_t)l.value;
    return l.unit == GYRE_UNIT_EPOCHS ? gyre_steps_of_epochs(l.value, per_epoch) : 0;
}

/* The length of the run that the range is for, and of one of its cycles; 0: unknown. */
static void look_at_length(const gyre_settings *s, gyre_find *f, int64_t per_epoch,
                           int64_t *run_cycle) {
    const gyre_schedule_settings *c = &s->schedule;
    const gyre_length wanted = f->options.for_length;
    int64_t stepsize = in_steps(c->stepsize, per_epoch);
    f->run_steps = in_steps(wanted.unit == GYRE_UNIT_NONE ? s->length : wanted, per_epoch);
    if (wanted.unit == GYRE_UNIT_NONE && s->length.unit == GYRE_UNIT_CYCLES)
        f->run_steps = (int64_t)(2 * (double)stepsize * s->length.value);
    for (int i = 0; wanted.unit == GYRE_UNIT_NONE && i < c->stage_count; i++) {
        f->run_steps += in_steps(c->stages[i].length, per_epoch);
    }
    *run_cycle = f->run_steps;
    if (!gyre_schedule_counts_cycles(c->policy)) return;
    if (c->cycles > 0) *run_cycle = (int64_t)((double)f->run_steps / c->cycles);
    if (stepsize > 0 && 2 * stepsize < *run_cycle) *run_cycle = 2 * stepsize;
}

/* Samples and steps of an epoch are known only to who opens the dataset. */
static gyre_status look_at_data(gyre_settings *s, gyre_find *f, int64_t *run_cycle) {
    const gyre_settings asked = *s;
    gyre_find_options *o = &f->options;
    gyre_status status = GYRE_OK;
    gyre_dataset *data = NULL;
    gyre_samples samples = {0};
    gyre_epochs epochs;
    s->length = (gyre_length){GYRE_UNIT_STEPS, 1}; /* not needed: a sweep has its own */
    GYRE_TRY(gyre_config_require(s));
    if (s->optimizer.schedule_free) {
        return gyre_fail(GYRE_EUSAGE, "optimizer.schedule_free: a range is for cycles, and such an "
                                      "optimizer takes a constant rate; compare rates in a study");
    }
    if (s->data.validation == GYRE_VALIDATION_TEST) s->data.validation = GYRE_VALIDATION_NONE;
    GYRE_GOTO(gyre_resolve_data(s, &data, &samples, &epochs));
    GYRE_GOTO(choose_validation(s, trial_subset(o), samples.train.count));
    look_at_length(&asked, f, epochs.steps_per_epoch, run_cycle);
    status = resolve(o, epochs.steps_per_epoch);
out:
    gyre_samples_close(&samples);
    if (data != NULL) gyre_dataset_close(data);
    return status;
}

/* At most `most` samples of the validation view, equally far apart, since files are often sorted.
 */
static gyre_status choose_view(const gyre_view *all, int64_t most, uint32_t **rows,
                               gyre_view *view) {
    int64_t count = all->count < most ? all->count : most;
    if (count == 0) return GYRE_OK;
    uint32_t *chosen = *rows = malloc((size_t)count * sizeof *chosen);
    if (chosen == NULL) return gyre_no_memory("the range test");
    for (int64_t i = 0; i < count; i++) {
        int64_t at = i * all->count / count;
        chosen[i] = all->rows == NULL ? (uint32_t)at : all->rows[at];
    }
    *view = (gyre_view){.images = all->images, .rows = chosen, .count = count, .size = all->size};
    return GYRE_OK;
}

/* ---- the test */

static gyre_status open_scores(range_test *x, gyre_find *f) {
    const gyre_find_options *o = &f->options;
    gyre_trainer *t = &x->trainer;
    size_t repeats = (size_t)o->repeats, steps = (size_t)o->steps;
    const gyre_view *all = &x->resolved.samples.validation;
    GYRE_TRY(choose_view(all, o->subset, &x->rows, &x->view));
    if (!o->quick) GYRE_TRY(choose_view(all, x->trial_most, &x->trial_rows, &x->trial_view));
    f->metric = x->resolved.model->metric;
    f->samples = x->view.count;
    f->scored = x->trial_view.count;
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

static void say_plan(const range_test *x, const gyre_find_keeper *keeper, const gyre_find *f) {
    const gyre_find_options *o = &f->options;
    double epoch = (double)f->steps_per_epoch;
    warn_of_rates(o);
    if (o->quiet) return;
    if (keeper != NULL && keeper->kept != NULL)
        gyre_say("going on with what '%s' holds", keeper->kept);
    if (!o->quick) {
        gyre_say("at most %lld steps (%.3g epochs of training): %d sweep%s of %lld, and trials",
                 (long long)o->budget, (double)o->budget / epoch, o->repeats,
                 o->repeats == 1 ? "" : "s", (long long)o->steps);
    }
    gyre_say("range test of %s: rate %g to %g in %lld steps (%.3g epochs), %s; %d repeat%s, "
             "scored on %lld %s",
             x->resolved.model->name, o->from, o->to, (long long)o->steps, (double)o->steps / epoch,
             o->linear ? "linear" : "exponential", o->repeats, o->repeats == 1 ? "" : "s",
             (long long)f->samples,
             f->samples == 0 ? "samples (too few to set any aside: the training loss decides)"
                             : "validation samples");
}

/* Judged without the repeat, or the trials, that a signal broke off. */
static gyre_status conclude_early(gyre_find *f, gyre_comm *comm) {
    char reason[GYRE_ERROR_MAX];
    snprintf(reason, sizeof reason, "%s", gyre_error_text());
    f->trial_count = 0;
    f->asked = f->options.repeats;
    f->options.repeats = f->whole;
    if (f->whole > 0) GYRE_TRY(gyre_comm_agree(comm, find_decide(f)));
    return gyre_fail(GYRE_EPREEMPTED, "%s", reason);
}

static gyre_status run_trials(range_test *x, const gyre_find_keeper *keeper, gyre_find *f) {
    gyre_trainer *t = &x->trainer;
    int64_t left = f->options.budget - (int64_t)f->row_count;
    const find_ladder ladder = find_ladder_plan(f, left, x->run_cycle);
    if (t->rank == 0 && !f->options.quiet) {
        gyre_say("trials of max_lr from %.2g to %.2g, scored on %lld %s: at most %lld steps",
                 ladder.low, ladder.high, (long long)f->scored,
                 f->scored == 0 ? "samples (the training loss decides)" : "held-out samples",
                 (long long)find_ladder_cost(&ladder));
    }
    GYRE_TRY(find_cycles_run(t, x->evaluator, &x->trial_view, x->redraw, keeper, &ladder, f));
    return gyre_comm_agree(t->comm, find_decide_range(f));
}

static gyre_status run_verification(range_test *x, gyre_find *f) {
    if (!f->options.verify || !f->verdict.reliable) return GYRE_OK;
    GYRE_TRY(find_trials_run(&x->trainer, x->evaluator, &x->view, f));
    find_decide_trials(f);
    return GYRE_OK;
}

static gyre_status run_test(range_test *x, const gyre_settings *s, const gyre_find_keeper *keeper,
                            gyre_comm *comm, gyre_find *f) {
    gyre_trainer *t = &x->trainer;
    x->redraw = s->model.init_from == NULL;
    GYRE_TRY(gyre_resolve(s, comm, NULL, &x->resolved));
    GYRE_TRY(gyre_trainer_open(t, &x->resolved, comm, NULL, true));
    GYRE_TRY(gyre_comm_agree(comm, open_scores(x, f)));
    GYRE_TRY(gyre_comm_agree(comm, find_take_kept(keeper, &x->resolved.settings, f)));
    if (t->rank == 0 && t->unlike) gyre_warn("%s", t->machine);
    if (t->rank == 0) say_plan(x, keeper, f);
    gyre_status status = find_sweeps_run(t, x->evaluator, &x->view, x->redraw, keeper, f);
    if (status == GYRE_OK) status = gyre_comm_agree(comm, find_decide(f));
    if (status == GYRE_OK)
        status = f->options.quick ? run_verification(x, f) : run_trials(x, keeper, f);
    return status == GYRE_EPREEMPTED ? conclude_early(f, comm) : status;
}

gyre_status gyre_find_run(const gyre_settings *settings, const gyre_find_options *options,
                          const gyre_find_keeper *keeper, gyre_comm *comm, gyre_find *out) {
    range_test x = {.trial_most = trial_subset(options)};
    gyre_settings s = *settings;
    s.average = (gyre_average_settings){0}; /* they lag behind a rate that rises in each step */
    s.evaluate.views = GYRE_VIEWS_NONE;
    s.optimizer.lookahead = (gyre_lookahead_settings){0};
    *out = (gyre_find){.options = *options};
    gyre_watchdog *watchdog = gyre_comm_watchdog(comm);
    gyre_watchdog_limits(watchdog, s.watchdog_seconds, s.watchdog_first_step_seconds);
    gyre_watchdog_phase(watchdog, "opening the dataset", -1);
    gyre_status status = look_at_data(&s, out, &x.run_cycle);
    if (status == GYRE_EUSAGE && s.source != NULL) status = gyre_fail_in(s.source, status);
    GYRE_TRY(gyre_comm_agree(comm, status));
    gyre_stop_catch();
    status = run_test(&x, &s, keeper, comm, out);
    gyre_stop_release(status == GYRE_EPREEMPTED);
    gyre_evaluator_close(x.evaluator);
    gyre_trainer_close(&x.trainer);
    gyre_resolved_close(&x.resolved);
    free(x.rows);
    free(x.trial_rows);
    if (status != GYRE_OK && (status != GYRE_EPREEMPTED || out->row_count == 0)) {
        gyre_find_close(out);
    }
    return status;
}
