/* Evaluations during a run; see validate.h. */
#include "validate.h"

#include "diverge.h"
#include "gyre/clock.h"
#include "gyre/log.h"
#include <math.h>

gyre_status run_validation_open(run_validation *v, const gyre_trainer *t) {
    int64_t batch = t->resolved->settings.evaluate.batch;
    int64_t most = t->resolved->samples.validation.count;
    v->scored = -1;
    if (most == 0) return GYRE_OK;
    return gyre_evaluator_open(t->weights, (int)(batch < most ? batch : most),
                               gyre_evaluate_passes(&t->resolved->settings.evaluate, false),
                               t->comm, t->watchdog, &v->evaluator);
}

void run_validation_close(run_validation *v) {
    gyre_evaluator_close(v->evaluator);
    v->evaluator = NULL;
}

const gyre_score *run_validation_after(const run_validation *v, int64_t completed) {
    return v->evaluator != NULL && v->scored == completed ? &v->score : NULL;
}

static void say_score(const run_validation *v, const gyre_trainer *t) {
    char score[128];
    gyre_say("step %lld: %s %s", (long long)t->completed,
             t->resolved->settings.data.validation == GYRE_VALIDATION_TEST ? "test" : "validation",
             gyre_score_text(&v->score, score, sizeof score));
}

gyre_status run_validate(run_validation *v, gyre_trainer *t, run_rows *rows, run_saver *saver,
                         bool aside) {
    double begun = gyre_clock();
    bool last = t->completed == rows->steps;
    GYRE_TRY(gyre_trainer_evaluate(t, v->evaluator, t->resolved->settings.average.kind,
                                   &t->resolved->samples.validation, &v->score));
    v->scored = t->completed;
    gyre_watchdog_phase(t->watchdog, "writing results", t->completed);
    if (t->rank != 0) return run_score_check(t, saver, &v->score, last, &v->told);
    if (!aside) {
        GYRE_TRY(gyre_trainer_fatal(t, run_rows_validation(rows, t->completed, &v->score)));
    }
    run_timing_pause(rows->timing, begun); /* samples_per_s is of training alone */
    gyre_progress_clear(rows->progress);
    if (!v->quiet) say_score(v, t);
    GYRE_TRY(run_score_check(t, saver, &v->score, last, &v->told));
    if (aside || !isfinite(v->score.loss)) return GYRE_OK;
    if (!gyre_metric_better(v->score.of, v->score.metric, v->best)) return GYRE_OK;
    v->best = v->score.metric;
    v->new_best = saver->settings->best;
    return GYRE_OK;
}
