/* The training loop. */
#include "chance.h"
#include "run_state.h"

#include "gyre/clock.h"
#include "gyre/file.h"
#include "gyre/log.h"
#include "gyre/overwrite.h"
#include "gyre/terminal.h"
#include <stdio.h>
#include <stdlib.h>

/* What this rank asks for after the coming update. Rank 0's clock decides on minutes. */
static gyre_wish wish_of(gyre_run *r) {
    const gyre_length *every = &r->trainer.settings.checkpoint.every;
    gyre_run_collect(r, false);
    if (r->trainer.rank == 0 && gyre_clock() - r->followed_time >= 1) gyre_run_follow(r);
    if (r->save_failed) return GYRE_WISH_FAIL;
    if (gyre_stop_wanted()) return GYRE_WISH_STOP;
    if (r->trainer.rank == 0 && every->unit == GYRE_UNIT_MINUTES &&
        gyre_clock() - r->saved_time >= 60 * every->value) {
        return GYRE_WISH_CHECKPOINT;
    }
    return GYRE_WISH_NONE;
}

static bool falls_on(const gyre_length *every, int64_t completed) {
    return every->unit == GYRE_UNIT_STEPS && completed % (int64_t)every->value == 0;
}

/* What is to be done between two updates. */
typedef struct {
    bool any, evaluate, minimum, save, needed, on_grid;
} pause;

static pause pause_at(const gyre_run *r, gyre_wish wish) {
    const gyre_trainer *t = &r->trainer;
    const gyre_settings *s = &t->settings;
    int64_t done = t->completed;
    bool end = done == t->steps;
    pause p = {.minimum = gyre_schedule_is_minimum(t->schedule, done)};
    bool verify = t->ranks > 1 && s->verify_replicas > 0 && done % s->verify_replicas == 0;
    p.on_grid = end || falls_on(&s->evaluate.every, done);
    p.evaluate = r->evaluator != NULL && (p.on_grid || (p.minimum && s->evaluate.minima));
    p.needed = end || done == r->last || wish == GYRE_WISH_STOP;
    p.save = p.needed || wish == GYRE_WISH_CHECKPOINT || falls_on(&s->checkpoint.every, done) ||
             (p.minimum && s->checkpoint.minima);
    p.any = p.evaluate || p.minimum || p.save || verify;
    return p;
}

/* Evaluation, cycle row and checkpoint, where the run has come to one. They need the last update's
 * results, so those are waited for first; and what is looked at or kept must be a state that all
 * ranks hold, so that one is compared before. */
static gyre_status after_update(gyre_run *r, gyre_wish wish) {
    gyre_trainer *t = &r->trainer;
    const pause p = pause_at(r, wish);
    gyre_step_result result;
    if (!p.any) return GYRE_OK;
    GYRE_TRY(gyre_trainer_drain(t, &result));
    GYRE_TRY(gyre_trainer_verify(t));
    GYRE_TRY(gyre_run_record(r, &result));
    if (p.evaluate) GYRE_TRY(gyre_run_evaluate(r, r->options.cell && !p.on_grid));
    if (p.minimum) GYRE_TRY(gyre_run_cycle(r));
    if (p.save || r->new_best) GYRE_TRY(gyre_run_save(r, p.save, p.needed));
    return GYRE_OK;
}

/* The update before was not finite, so this rank takes no other one: do the others agree? They come
 * to a comparison here, or else to the next step. */
static gyre_status agree_to_diverge(gyre_run *r, gyre_wish wish) {
    return pause_at(r, wish).any ? gyre_trainer_verify(&r->trainer)
                                 : gyre_trainer_leave(&r->trainer);
}

static gyre_status train_loop(gyre_run *r) {
    gyre_trainer *t = &r->trainer;
    gyre_wish wish = GYRE_WISH_NONE;
    gyre_step_result previous;
    while (t->completed < r->last && wish < GYRE_WISH_STOP) {
        gyre_rate rate = gyre_schedule_at(t->schedule, t->completed);
        GYRE_TRY(gyre_trainer_step(t, rate, wish_of(r), &previous, &wish));
        if (!previous.finite) GYRE_TRY(agree_to_diverge(r, wish));
        GYRE_TRY(gyre_run_record(r, &previous));
        GYRE_TRY(after_update(r, wish));
    }
    if (wish == GYRE_WISH_FAIL) {
        return gyre_comm_agree(t->comm,
                               r->save_failed ? gyre_fail(GYRE_EIO, "%s", r->save_error) : GYRE_OK);
    }
    if (wish != GYRE_WISH_STOP || t->completed == t->steps) return GYRE_OK;
    return gyre_fail(GYRE_EPREEMPTED,
                     "stopped by a signal after %lld of %lld steps, with a checkpoint; the same "
                     "command goes on from there%s%s",
                     (long long)t->completed, (long long)t->steps,
                     r->folder.moved ? ", with --out " : "", r->folder.moved ? r->folder.path : "");
}

/* The test part has not been looked at until now when another one was evaluated. */
static gyre_status final_test(gyre_run *r) {
    gyre_trainer *t = &r->trainer;
    const gyre_images *test = gyre_dataset_test(t->data);
    gyre_score score;
    gyre_validation kind = t->settings.data.validation;
    bool apart = kind == GYRE_VALIDATION_SPLIT || kind == GYRE_VALIDATION_PART;
    if (r->options.cell || !apart || r->evaluator == NULL || t->completed < t->steps ||
        test->count == 0) {
        return GYRE_OK;
    }
    const gyre_view view = {.images = test, .count = test->count, .size = t->samples.train.size};
    GYRE_TRY(gyre_evaluator_run(r->evaluator, &view, NULL, &score));
    if (!r->options.quiet) {
        gyre_say("test loss %.4f, accuracy %.2f %%", score.loss, 100 * score.accuracy);
    }
    if (t->rank != 0) return GYRE_OK;
    gyre_json *line = gyre_event_begin(r->events, "test");
    gyre_json_add_integer(line, "step", t->completed);
    gyre_json_add_number(line, "loss", score.loss);
    gyre_json_add_number(line, "accuracy", score.accuracy);
    return gyre_run_fatal(r, gyre_event_end(r->events, line));
}

static gyre_status write_profile(const char *path, const char *text, size_t size) {
    GYRE_TRY(gyre_overwrite_check(path, GYRE_PROFILE_MARK));
    return gyre_file_write_atomic(path, text, size);
}

/* A run is done without it. */
static void print_profile(gyre_run *r) {
    const gyre_trainer *t = &r->trainer;
    char *text = NULL, *path = gyre_path_join(r->folder.path, "profile.txt");
    size_t size = 0;
    gyre_status status = GYRE_OK;
    FILE *f = open_memstream(&text, &size);
    if (f == NULL || path == NULL) {
        status = gyre_no_memory("the profile");
        if (f != NULL) fclose(f);
        goto out;
    }
    gyre_profile_print(&r->profile, t->net, f);
    fclose(f);
    fputs(text, stderr);
    status = write_profile(path, text, size);
out:
    if (status != GYRE_OK) gyre_warn("%s; profile.txt is not written", gyre_error_text());
    free(text);
    free(path);
}

/* Of a run that has ended: does its last score beat the share of the most frequent class? */
static void tell_chance(gyre_run *r, gyre_json *line) {
    const gyre_trainer *t = &r->trainer;
    const gyre_view *view = &t->samples.validation;
    if (t->completed < t->steps || r->scored_step != t->completed || view->count == 0) return;
    double chance = gyre_chance(view, gyre_dataset_classes(t->data));
    bool beaten = gyre_chance_beaten(r->score.accuracy, chance, view->count);
    gyre_json_add_number(line, "most_frequent_class", chance);
    gyre_json_add_flag(line, "beats_most_frequent_class", beaten);
    if (beaten) return;
    gyre_warn("no better than a guess: the accuracy is %.2f %%, and the most frequent class is "
              "%.2f %% of the %lld sample%s scored",
              100 * r->score.accuracy, 100 * chance, (long long)view->count,
              view->count == 1 ? "" : "s");
}

/* The last words of a launch, whatever came of it. */
static gyre_status finish(gyre_run *r, gyre_status status) {
    const gyre_trainer *t = &r->trainer;
    char duration[32], reason[GYRE_ERROR_MAX];
    gyre_watchdog_phase(t->watchdog, "writing the end of the run", t->completed);
    if (r->events == NULL) return GYRE_OK;
    snprintf(reason, sizeof reason, "%s",
             status == GYRE_OK ? gyre_status_text(status) : gyre_error_text());
    gyre_progress_clear(&r->progress);
    gyre_run_collect(r, true);
    bool here = gyre_run_follow(r) == GYRE_OK;
    if (!here && status == GYRE_OK) {
        status = GYRE_EIO;
        snprintf(reason, sizeof reason, "%s", gyre_error_text());
    }
    if (here && r->profile.on) print_profile(r);
    gyre_print_duration(gyre_run_seconds(r), duration, sizeof duration);
    if (status == GYRE_OK && !r->options.quiet) {
        gyre_say("%lld of %lld steps done in %s; %s", (long long)t->completed, (long long)t->steps,
                 duration, r->folder.path);
    }
    gyre_json *line = gyre_event_begin(r->events, "end");
    gyre_json_add_integer(line, "step", t->completed);
    gyre_json_add_integer(line, "code", (int64_t)status);
    if (status == GYRE_OK) tell_chance(r, line);
    gyre_json_add_text(line, "reason", reason);
    gyre_json_add_number(line, "seconds", gyre_run_seconds(r));
    gyre_status ended = gyre_event_end(r->events, line);
    gyre_status closed = gyre_metrics_close(r->metrics);
    r->metrics = NULL;
    if (status != GYRE_OK) return gyre_fail(status, "%s", reason);
    return ended != GYRE_OK ? ended : closed;
}

gyre_status gyre_train(const gyre_settings *settings, const gyre_train_options *options,
                       gyre_comm *comm) {
    bool finished = false;
    gyre_run *r = calloc(1, sizeof *r);
    gyre_status status = r != NULL ? GYRE_OK : gyre_no_memory("a run");
    status = gyre_comm_agree(comm, status);
    if (status != GYRE_OK || r == NULL) {
        free(r);
        return status;
    }
    r->options = *options;
    gyre_stop_catch();
    status = gyre_run_open(r, settings, comm, &finished);
    if (status == GYRE_OK && !finished) {
        status = train_loop(r);
        if (status == GYRE_OK) status = final_test(r);
        gyre_status ended = finish(r, status);
        status = gyre_comm_agree(comm, status == GYRE_OK ? ended : status);
    }
    gyre_run_close(r);
    gyre_stop_release(status == GYRE_EPREEMPTED);
    free(r);
    return status;
}
