/* Evaluations during a run; see validate.h. */
#include "validate.h"

#include "diverge.h"
#include "gyre/clock.h"
#include "gyre/log.h"
#include "gyre/text.h"
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

/* "; last 71.25 %, swa 72.40 %": of the weights that are scored besides. */
static void add_others(const gyre_trainer *t, const gyre_averages_row *row, const gyre_metric *of,
                       char *out, size_t size) {
    const gyre_average_settings *s = &t->resolved->settings.average;
    const char *before = "; ";
    for (int kind = 0; row != NULL && kind < GYRE_AVERAGE_COUNT; kind++) {
        char value[64];
        const bool kept =
            kind == GYRE_AVERAGE_NONE || gyre_average_is_kept(s, (gyre_average_kind)kind);
        if (!kept || kind == (int)s->kind) continue;
        gyre_text_add(out, size, "%s%s %s", before, gyre_average_or_last((gyre_average_kind)kind),
                      gyre_metric_text(of, row->metric[kind], value, sizeof value));
        before = ", ";
    }
}

static void say_score(const run_validation *v, const gyre_trainer *t,
                      const gyre_averages_row *row) {
    char score[128], others[256] = "";
    add_others(t, row, v->score.of, others, sizeof others);
    gyre_say("step %lld: %s %s%s", (long long)t->completed,
             t->resolved->settings.data.validation == GYRE_VALIDATION_TEST ? "test" : "validation",
             gyre_score_text(&v->score, score, sizeof score), others);
}

/* The last weights and every average that the run keeps; `taken` is scored already. Collective. */
static gyre_status score_averages(const run_validation *v, gyre_trainer *t,
                                  gyre_averages_row *row) {
    const gyre_average_settings *s = &t->resolved->settings.average;
    row->step = t->completed;
    for (int k = 0; k < GYRE_AVERAGE_COUNT; k++) {
        const gyre_average_kind kind = (gyre_average_kind)k;
        gyre_score score = v->score;
        row->loss[k] = row->metric[k] = NAN;
        if (kind != GYRE_AVERAGE_NONE && !gyre_average_is_kept(s, kind)) continue;
        if (kind != s->kind)
            GYRE_TRY(gyre_trainer_evaluate(t, v->evaluator, kind, &t->resolved->samples.validation,
                                           &score));
        row->loss[k] = score.loss;
        row->metric[k] = score.metric;
    }
    return GYRE_OK;
}

gyre_status run_validate(run_validation *v, gyre_trainer *t, run_rows *rows, run_saver *saver,
                         bool aside) {
    double begun = gyre_clock();
    bool last = t->completed == rows->steps;
    GYRE_TRY(gyre_trainer_evaluate(t, v->evaluator, t->resolved->settings.average.kind,
                                   &t->resolved->samples.validation, &v->score));
    v->scored = t->completed;
    gyre_averages_row row, *averages = NULL;
    if (!aside && gyre_average_count(&t->resolved->settings.average) > 0) {
        averages = &row;
        GYRE_TRY(score_averages(v, t, averages));
    }
    gyre_watchdog_phase(t->watchdog, "writing results", t->completed);
    if (t->rank != 0) return run_score_check(t, saver, &v->score, last, &v->told);
    if (!aside) {
        GYRE_TRY(gyre_trainer_fatal(t, run_rows_validation(rows, t->completed, &v->score)));
        GYRE_TRY(gyre_trainer_fatal(t, run_rows_averages(rows, averages, v->score.of)));
    }
    run_timing_pause(rows->timing, begun); /* samples_per_s is of training alone */
    gyre_progress_clear(rows->progress);
    if (!v->quiet) say_score(v, t, averages);
    GYRE_TRY(run_score_check(t, saver, &v->score, last, &v->told));
    if (aside || !isfinite(v->score.loss)) return GYRE_OK;
    if (!gyre_metric_better(v->score.of, v->score.metric, v->best)) return GYRE_OK;
    v->best = v->score.metric;
    v->new_best = saver->settings->best;
    return GYRE_OK;
}
