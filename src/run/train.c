/* The training loop. */
#include "averages.h"
#include "chance.h"
#include "diverge.h"
#include "setup.h"

#include "gyre/clock.h"
#include "gyre/file.h"
#include "gyre/log.h"
#include "gyre/overwrite.h"
#include "gyre/terminal.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* What this rank asks for after the coming update. Rank 0's clock decides on minutes. */
static gyre_wish wish_of(run_state *r) {
    const gyre_length *every = &r->resolved.settings.checkpoint.every;
    bool first = r->trainer.rank == 0;
    run_saver_collect(&r->saver, false);
    if (first && gyre_clock() - r->files.followed >= 1) run_files_follow(&r->files);
    if (r->saver.failed || r->files.lost) return GYRE_WISH_FAIL;
    if (gyre_stop_wanted()) return GYRE_WISH_STOP;
    if (first && every->unit == GYRE_UNIT_MINUTES &&
        gyre_clock() - r->saver.saved >= 60 * every->value) {
        return GYRE_WISH_CHECKPOINT;
    }
    return GYRE_WISH_NONE;
}

/* Why this rank asked for the run's end; GYRE_OK: it did not. */
static gyre_status failure(const run_state *r) {
    if (r->files.lost) return gyre_fail(GYRE_EIO, "%s", r->files.error);
    return r->saver.failed ? gyre_fail(GYRE_EIO, "%s", r->saver.error) : GYRE_OK;
}

static bool falls_on(const gyre_length *every, int64_t completed) {
    return every->unit == GYRE_UNIT_STEPS && completed % (int64_t)every->value == 0;
}

/* What is to be done between two updates. */
typedef struct {
    bool any, evaluate, sample, minimum, save, needed, on_grid;
} pause;

static pause pause_at(const run_state *r, gyre_wish wish) {
    const gyre_trainer *t = &r->trainer;
    const gyre_settings *s = &r->resolved.settings;
    int64_t done = t->completed;
    bool end = done == r->steps;
    pause p = {.minimum = gyre_schedule_is_minimum(r->schedule, done)};
    bool verify = t->ranks > 1 && s->verify_replicas > 0 && done % s->verify_replicas == 0;
    p.on_grid = end || falls_on(&s->evaluate.every, done);
    p.evaluate =
        r->validation.evaluator != NULL && (p.on_grid || (p.minimum && s->evaluate.minima));
    p.needed = end || done == r->last || wish == GYRE_WISH_STOP;
    p.save = p.needed || wish == GYRE_WISH_CHECKPOINT || falls_on(&s->checkpoint.every, done) ||
             (p.minimum && s->checkpoint.minima);
    p.sample = run_pictures_due(&r->pictures, &s->sample, done, p.minimum, end);
    p.any = p.evaluate || p.sample || p.minimum || p.save || verify;
    return p;
}

/* The row of a step and what a person sees of it; GYRE_EDIVERGED on all ranks when its result was
 * not finite. */
static gyre_status take_result(run_state *r, const gyre_step_result *result) {
    const gyre_train_options *o = &r->options;
    gyre_trainer *t = &r->trainer;
    if (result->step < 0) return GYRE_OK;
    if (t->rank == 0) {
        GYRE_TRY(gyre_trainer_fatal(t, run_rows_train(&r->rows, result)));
        if (o->watch != NULL) {
            o->watch(o->context, result->step + 1, r->steps,
                     r->validation.scored < 0 ? (double)NAN : r->validation.score.metric);
        }
    }
    return result->finite ? GYRE_OK : run_diverged(t, &r->saver, result);
}

static gyre_status write_cycle(run_state *r) {
    gyre_trainer *t = &r->trainer;
    if (t->rank != 0) return GYRE_OK;
    const gyre_score *score = run_validation_after(&r->validation, t->completed);
    return gyre_trainer_fatal(t, run_rows_cycle(&r->rows, t->completed, score));
}

static gyre_status save(run_state *r, const pause *p) {
    const run_kept kept = {.regular = p->save,
                           .best = r->validation.new_best,
                           .finished = r->trainer.completed == r->steps,
                           .needed = p->needed};
    r->validation.new_best = false;
    return run_saver_save(&r->saver, &r->trainer, &kept);
}

/* Of all ranks, once the averages are as those who will read them need them. */
static gyre_status compare(run_state *r, const pause *p) {
    gyre_trainer *t = &r->trainer;
    const double begun = gyre_clock();
    if (p->evaluate || p->sample || p->save) {
        GYRE_TRY(run_averages_settle(t));
        if (t->rank == 0) run_timing_pause(&r->timing, begun);
    }
    return gyre_trainer_verify(t);
}

/* Evaluation, samples, cycle row and checkpoint, where the run has come to one. They need the last
 * update's results, so those are waited for first; and what is looked at or kept must be a state
 * that all ranks hold, so that one is compared before. */
static gyre_status after_update(run_state *r, gyre_wish wish) {
    gyre_trainer *t = &r->trainer;
    const pause p = pause_at(r, wish);
    gyre_step_result result;
    if (!p.any) return GYRE_OK;
    GYRE_TRY(gyre_trainer_drain(t, &result));
    GYRE_TRY(compare(r, &p));
    GYRE_TRY(take_result(r, &result));
    if (p.evaluate) {
        bool aside = r->options.cell && !p.on_grid;
        GYRE_TRY(run_validate(&r->validation, t, &r->rows, &r->saver, aside));
    }
    if (p.sample) GYRE_TRY(run_pictures_make(&r->pictures, t, &r->files, &r->timing));
    if (p.minimum) GYRE_TRY(write_cycle(r));
    return p.save || r->validation.new_best ? save(r, &p) : GYRE_OK;
}

/* The update before was not finite, so this rank takes no other one: do the others agree? They come
 * to a comparison here, or else to the next step. */
static gyre_status agree_to_diverge(run_state *r, gyre_wish wish) {
    const pause p = pause_at(r, wish);
    return p.any ? compare(r, &p) : gyre_trainer_leave(&r->trainer);
}

static gyre_status train_loop(run_state *r) {
    gyre_trainer *t = &r->trainer;
    gyre_wish wish = GYRE_WISH_NONE;
    gyre_step_result previous;
    while (t->completed < r->last && wish < GYRE_WISH_STOP) {
        gyre_rate rate = gyre_schedule_at(r->schedule, t->completed);
        GYRE_TRY(gyre_trainer_step(t, rate, wish_of(r), &previous, &wish));
        if (!previous.finite) GYRE_TRY(agree_to_diverge(r, wish));
        GYRE_TRY(take_result(r, &previous));
        GYRE_TRY(after_update(r, wish));
    }
    if (wish == GYRE_WISH_FAIL) {
        return gyre_comm_agree(t->comm, failure(r));
    }
    if (wish != GYRE_WISH_STOP || t->completed == r->steps) return GYRE_OK;
    return gyre_fail(GYRE_EPREEMPTED,
                     "stopped by a signal after %lld of %lld steps, with a checkpoint; the same "
                     "command resumes from there%s%s",
                     (long long)t->completed, (long long)r->steps,
                     r->files.folder.moved ? ", with --out " : "",
                     r->files.folder.moved ? r->files.folder.path : "");
}

/* The test part has not been looked at until now when another one was evaluated. */
static gyre_status final_test(run_state *r) {
    gyre_trainer *t = &r->trainer;
    const gyre_images *test = gyre_dataset_test(r->resolved.data);
    gyre_score score;
    gyre_validation kind = r->resolved.settings.data.validation;
    bool apart = kind == GYRE_VALIDATION_SPLIT || kind == GYRE_VALIDATION_PART;
    if (r->options.cell || !apart || r->validation.evaluator == NULL || t->completed < r->steps ||
        test->count == 0) {
        return GYRE_OK;
    }
    const gyre_view view = {
        .images = test, .count = test->count, .size = r->resolved.samples.train.size};
    const gyre_passes passes = gyre_evaluate_passes(&r->resolved.settings.evaluate, true);
    gyre_evaluator_set_passes(r->validation.evaluator, passes);
    GYRE_TRY(gyre_trainer_evaluate(t, r->validation.evaluator, r->resolved.settings.average.kind,
                                   &view, &score));
    char text[128];
    if (!r->options.quiet) gyre_say("test %s", gyre_score_text(&score, text, sizeof text));
    if (t->rank != 0) return GYRE_OK;
    const gyre_test_row row = {.step = t->completed, .loss = score.loss, .metric = score.metric};
    run_files_tolerate(&r->files, gyre_tensorboard_test(r->files.tensorboard, &row));
    gyre_json *line = gyre_event_begin(r->files.events, "test");
    gyre_json_add_integer(line, "step", t->completed);
    gyre_json_add_number(line, "loss", score.loss);
    gyre_json_add_number(line, score.of->name, score.metric);
    return gyre_trainer_fatal(t, gyre_event_end(r->files.events, line));
}

static gyre_status write_profile(const char *path, const char *text, size_t size) {
    GYRE_TRY(gyre_overwrite_check(path, RUN_PROFILE_MARK));
    return gyre_file_write_atomic(path, text, size);
}

/* A run is done without it. */
static void print_profile(run_state *r) {
    const gyre_trainer *t = &r->trainer;
    char *text = NULL, *path = gyre_path_join(r->files.folder.path, GYRE_PROFILE_FILE);
    size_t size = 0;
    gyre_status status = GYRE_OK;
    FILE *f = open_memstream(&text, &size);
    if (f == NULL || path == NULL) {
        status = gyre_no_memory("the profile");
        if (f != NULL) fclose(f);
        goto out;
    }
    run_profile_print(&r->profile, t->net, f);
    fclose(f);
    fputs(text, stderr);
    status = write_profile(path, text, size);
out:
    if (status != GYRE_OK) gyre_warn("%s; profile.txt is not written", gyre_error_text());
    free(text);
    free(path);
}

/* Says whether the last score of a finished run beats the share of the most frequent class. */
static void tell_chance(run_state *r, gyre_json *line) {
    const gyre_trainer *t = &r->trainer;
    const gyre_view *view = &r->resolved.samples.validation;
    const gyre_score *score = run_validation_after(&r->validation, t->completed);
    if (t->completed < r->steps || score == NULL || view->count == 0) return;
    if (!score->of->is_share) return;
    double chance = run_chance(view, gyre_dataset_classes(r->resolved.data));
    bool beaten = run_chance_beaten(score->metric, chance, view->count);
    gyre_json_add_number(line, "most_frequent_class", chance);
    gyre_json_add_flag(line, "beats_most_frequent_class", beaten);
    if (beaten) return;
    char value[64];
    gyre_warn("no better than a guess: the %s is %s, and the most frequent class is %.2f %% of the "
              "%lld sample%s scored",
              gyre_metric_prose(score->of).text,
              gyre_metric_text(score->of, score->metric, value, sizeof value), 100 * chance,
              (long long)view->count, view->count == 1 ? "" : "s");
}

/* The last words of a launch, whatever came of it. */
static gyre_status finish(run_state *r, gyre_status status) {
    const gyre_trainer *t = &r->trainer;
    char duration[32], reason[GYRE_ERROR_MAX];
    gyre_watchdog_phase(t->watchdog, "writing the end of the run", t->completed);
    if (r->files.events == NULL) return GYRE_OK;
    snprintf(reason, sizeof reason, "%s",
             status == GYRE_OK ? gyre_status_text(status) : gyre_error_text());
    gyre_progress_clear(&r->progress);
    run_saver_collect(&r->saver, true);
    bool here = run_files_follow(&r->files) == GYRE_OK;
    if (!here && status == GYRE_OK) {
        status = GYRE_EIO;
        snprintf(reason, sizeof reason, "%s", gyre_error_text());
    }
    if (here && r->profile.on) print_profile(r);
    gyre_print_duration(run_timing_seconds(&r->timing), duration, sizeof duration);
    if (status == GYRE_OK && !r->options.quiet) {
        gyre_say("%lld of %lld steps done in %s; %s", (long long)t->completed, (long long)r->steps,
                 duration, r->files.folder.path);
    }
    gyre_json *line = gyre_event_begin(r->files.events, "end");
    gyre_json_add_integer(line, "step", t->completed);
    gyre_json_add_integer(line, "code", (int64_t)status);
    if (status == GYRE_OK) tell_chance(r, line);
    gyre_json_add_text(line, "reason", reason);
    gyre_json_add_number(line, "seconds", run_timing_seconds(&r->timing));
    gyre_status ended = gyre_event_end(r->files.events, line);
    if (status == GYRE_EDIVERGED || t->completed == r->steps) {
        gyre_tensorboard_end(r->files.tensorboard, status == GYRE_OK);
    }
    gyre_status closed = gyre_metrics_close(r->files.metrics);
    r->files.metrics = NULL;
    if (status != GYRE_OK) return gyre_fail(status, "%s", reason);
    return ended != GYRE_OK ? ended : closed;
}

gyre_status gyre_train(const gyre_settings *settings, const gyre_train_options *options,
                       gyre_comm *comm) {
    bool finished = false;
    run_state *r = calloc(1, sizeof *r);
    gyre_status status = r != NULL ? GYRE_OK : gyre_no_memory("a run");
    status = gyre_comm_agree(comm, status);
    if (status != GYRE_OK || r == NULL) {
        free(r);
        return status;
    }
    r->options = *options;
    gyre_stop_catch();
    status = run_open(r, settings, comm, &finished);
    if (status == GYRE_OK && !finished) {
        status = train_loop(r);
        if (status == GYRE_OK) status = final_test(r);
        gyre_status ended = finish(r, status);
        status = gyre_comm_agree(comm, status == GYRE_OK ? ended : status);
    }
    run_close(r);
    gyre_stop_release(status == GYRE_EPREEMPTED);
    free(r);
    return status;
}
