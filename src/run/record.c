/* From results to rows, log lines and the progress line; evaluation. */
#include "run_state.h"

#include "gyre/clock.h"
#include "gyre/log.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

double gyre_run_seconds(const gyre_run *r) {
    return r->seconds_before + gyre_clock() - r->begun;
}

gyre_status gyre_run_fatal(gyre_run *r, gyre_status status) {
    return gyre_trainer_fatal(&r->trainer, status);
}

void gyre_run_tolerate(gyre_run *r, gyre_status status) {
    if (status == GYRE_OK || r->rows_wait) return;
    r->rows_wait = true;
    gyre_progress_clear(&r->progress);
    gyre_warn("%s; training goes on, and rows wait in memory", gyre_error_text());
}

/* A row that finds no memory is lost for good. */
static gyre_status keep_row(gyre_run *r, gyre_status status) {
    if (status == GYRE_EDEVICE) return gyre_run_fatal(r, status);
    gyre_run_tolerate(r, status);
    return GYRE_OK;
}

static int64_t epoch_of(const gyre_run *r, int64_t step) {
    return step / r->trainer.epochs.steps_per_epoch;
}

static gyre_status write_row(gyre_run *r, const gyre_step_result *result) {
    double batch = r->trainer.settings.batch_size;
    const gyre_train_row row = {.step = result->step,
                                .epoch = epoch_of(r, result->step),
                                .cycle = result->rate.cycle,
                                .lr = result->rate.lr,
                                .momentum = result->rate.momentum,
                                .loss = result->loss,
                                .grad_norm = result->norm,
                                .samples_per_s = batch / fmax(result->time - r->row_time, 1e-9),
                                .seconds = r->seconds_before + result->time - r->begun};
    r->row_time = result->time;
    return gyre_metrics_train(r->metrics, &row);
}

static void show(gyre_run *r, const gyre_step_result *result) {
    const gyre_trainer *t = &r->trainer;
    const gyre_progress_facts facts = {
        .completed = result->step + 1,
        .steps = t->steps,
        .cycle = result->rate.cycle + 1,
        .cycles = (int64_t)gyre_schedule_cycle_count(t->schedule),
        .batch = t->settings.batch_size,
        .lr = result->rate.lr,
        .loss = result->loss,
    };
    gyre_progress_show(&r->progress, &facts);
    if (r->options.watch == NULL) return;
    r->options.watch(r->options.context, facts.completed, facts.steps,
                     r->scored_step < 0 ? (double)NAN : r->score.accuracy);
}

/* What a run that has diverged leaves, in words. */
static void settle_files(gyre_run *r, char *kept, size_t size) {
    int64_t *list = NULL;
    size_t count = 0;
    snprintf(kept, size, "no checkpoint was written yet");
    if (r->trainer.rank == 0) {
        gyre_run_collect(r, true);
        if (gyre_metrics_flush(r->metrics) != GYRE_OK) gyre_warn("%s", gyre_error_text());
        if (gyre_checkpoint_list(r->folder.path, &list, &count) == GYRE_OK && count > 0) {
            snprintf(kept, size, "the checkpoint after step %lld is kept", (long long)list[0]);
        }
        free(list);
    }
}

/* A stage was added behind the checkpoint, which does not know it: it may still be changed. */
static bool has_new_stage(const gyre_trainer *t) {
    return t->snapshot.completed > 0 && t->snapshot.config_hash != t->config_hash;
}

/* "schedule.max_lr"; of a new stage with the file where it may be changed. */
static const char *rate_key(const gyre_run *r, int64_t step, char *out, size_t size) {
    const gyre_trainer *t = &r->trainer;
    char key[GYRE_RATE_KEY_SIZE];
    bool added = has_new_stage(t);
    snprintf(out, size, "%s%s%s", gyre_schedule_rate_key(t->schedule, step, key),
             added ? " in " : "", added ? r->folder.config : "");
    return out;
}

static gyre_status diverged(gyre_run *r, const gyre_step_result *result) {
    char kept[64], key[400];
    const gyre_trainer *t = &r->trainer;
    bool clips = t->settings.optimizer.clip_norm > 0 || has_new_stage(t); /* or must not begin to */
    settle_files(r, kept, sizeof kept);
    /* fabs: NaN has a sign that says nothing */
    return gyre_fail(GYRE_EDIVERGED,
                     "training diverged at step %lld with lr %.6g: loss %g, gradient norm %g; %s; "
                     "lower %s%s",
                     (long long)result->step, result->rate.lr, fabs(result->loss),
                     fabs(result->norm), kept, rate_key(r, result->step, key, sizeof key),
                     clips ? "" : " or set optimizer.clip_norm");
}

gyre_status gyre_run_record(gyre_run *r, const gyre_step_result *result) {
    if (result->step < 0) return GYRE_OK;
    if (r->trainer.rank == 0) {
        GYRE_TRY(keep_row(r, write_row(r, result)));
        show(r, result);
    }
    r->shown = *result;
    return result->finite ? GYRE_OK : diverged(r, result);
}

static gyre_status write_score(gyre_run *r, double seconds) {
    const gyre_trainer *t = &r->trainer;
    const gyre_validation_row row = {.step = t->completed,
                                     .epoch = epoch_of(r, t->completed - 1),
                                     .cycle = r->shown.rate.cycle,
                                     .loss = r->score.loss,
                                     .accuracy = r->score.accuracy,
                                     .seconds = seconds};
    GYRE_TRY(keep_row(r, gyre_metrics_validation(r->metrics, &row)));
    gyre_json *line = gyre_event_begin(r->events, "evaluation");
    gyre_json_add_integer(line, "step", row.step);
    gyre_json_add_number(line, "loss", row.loss);
    gyre_json_add_number(line, "accuracy", row.accuracy);
    gyre_run_tolerate(r, gyre_event_end(r->events, line));
    return GYRE_OK;
}

static bool all_finite(const float *x, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i])) return false;
    }
    return true;
}

/* Training may go well while the network that is scored gives no numbers: it normalises by running
 * statistics, and rates that were too high may have spoilt those. They heal where they are only
 * too large, so a run goes on, but it does not end like that. */
static gyre_status check_score(gyre_run *r) {
    gyre_trainer *t = &r->trainer;
    char kept[64], key[400];
    if (isfinite(r->score.loss)) return GYRE_OK;
    bool last = t->completed == t->steps;
    if (r->loss_told && !last) return GYRE_OK;
    GYRE_TRY(gyre_run_fatal(r, gyre_trainer_save(t)));
    const char *why = all_finite(t->snapshot.buffers, t->model->buffers)
                          ? "the network's outputs are too large for numbers"
                          : "running statistics of batch norm are not finite";
    if (!last) {
        r->loss_told = true;
        gyre_warn(
            "step %lld: the loss of the evaluation is %g, though the training loss is finite: "
            "%s; a lower %s helps",
            (long long)t->completed, fabs(r->score.loss), why,
            rate_key(r, t->completed - 1, key, sizeof key));
        return GYRE_OK;
    }
    settle_files(r, kept, sizeof kept);
    return gyre_fail(GYRE_EDIVERGED,
                     "the loss of the evaluation after the last step, %lld, is %g, though the "
                     "training loss is finite: %s; %s; lower %s",
                     (long long)t->completed, fabs(r->score.loss), why, kept,
                     rate_key(r, t->completed - 1, key, sizeof key));
}

gyre_status gyre_run_evaluate(gyre_run *r, bool aside) {
    gyre_trainer *t = &r->trainer;
    double begun = gyre_clock();
    GYRE_TRY(gyre_evaluator_run(r->evaluator, &t->samples.validation, NULL, &r->score));
    r->scored_step = t->completed;
    gyre_watchdog_phase(t->watchdog, "writing results", t->completed);
    if (t->rank != 0) return check_score(r);
    if (!aside) GYRE_TRY(write_score(r, gyre_run_seconds(r)));
    r->row_time += gyre_clock() - begun; /* samples_per_s is of training alone */
    gyre_progress_clear(&r->progress);
    if (!r->options.quiet) {
        gyre_say("step %lld: %s loss %.4f, accuracy %.2f %%", (long long)t->completed,
                 t->settings.data.validation == GYRE_VALIDATION_TEST ? "test" : "validation",
                 r->score.loss, 100 * r->score.accuracy);
    }
    GYRE_TRY(check_score(r));
    if (aside || !isfinite(r->score.loss) || !(r->score.accuracy > r->best)) return GYRE_OK;
    r->best = r->score.accuracy;
    r->new_best = t->settings.checkpoint.best;
    return GYRE_OK;
}

gyre_status gyre_run_cycle(gyre_run *r) {
    const gyre_trainer *t = &r->trainer;
    bool scored = r->evaluator != NULL && r->scored_step == t->completed;
    if (t->rank != 0) return GYRE_OK;
    const gyre_cycle_row row = {.cycle = r->shown.rate.cycle,
                                .end_step = t->completed,
                                .lr = r->shown.rate.lr,
                                .loss = scored ? r->score.loss : (double)NAN,
                                .accuracy = scored ? r->score.accuracy : (double)NAN};
    return keep_row(r, gyre_metrics_cycle(r->metrics, &row));
}
