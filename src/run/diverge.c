/* What a run says whose numbers are not finite; see diverge.h. */
#include "diverge.h"

#include "gyre/log.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* What a run that has diverged leaves, in words. */
static void settle_files(const gyre_trainer *t, run_saver *s, char *kept, size_t size) {
    int64_t *list = NULL;
    size_t count = 0;
    snprintf(kept, size, "no checkpoint was written yet");
    if (t->rank == 0) {
        run_saver_collect(s, true);
        if (gyre_metrics_flush(s->files->metrics) != GYRE_OK) gyre_warn("%s", gyre_error_text());
        if (gyre_checkpoint_list(s->files->folder.path, &list, &count) == GYRE_OK && count > 0) {
            snprintf(kept, size, "the checkpoint after step %lld is kept", (long long)list[0]);
        }
        free(list);
    }
}

/* A stage was added behind the checkpoint, which does not know it: it may still be changed. */
static bool has_new_stage(const gyre_trainer *t) {
    return t->snapshot.completed > 0 && t->snapshot.config_hash != t->resolved->config_hash;
}

/* "schedule.max_lr"; of a new stage with the file where it may be changed. */
static const char *rate_key(const gyre_trainer *t, const run_saver *s, int64_t step, char *out,
                            size_t size) {
    char key[GYRE_RATE_KEY_SIZE];
    bool added = has_new_stage(t);
    snprintf(out, size, "%s%s%s", gyre_schedule_rate_key(s->schedule, step, key),
             added ? " in " : "", added ? s->files->folder.config : "");
    return out;
}

gyre_status run_diverged(gyre_trainer *t, run_saver *s, const gyre_step_result *result) {
    char kept[64], key[400];
    bool clips = t->resolved->settings.optimizer.clip_norm > 0 ||
                 has_new_stage(t); /* or must not begin to */
    settle_files(t, s, kept, sizeof kept);
    /* fabs: NaN has a sign that says nothing */
    return gyre_fail(GYRE_EDIVERGED,
                     "training diverged at step %lld with lr %.6g: loss %g, gradient norm %g; %s; "
                     "lower %s%s",
                     (long long)result->step, result->rate.lr, fabs(result->loss),
                     fabs(result->norm), kept, rate_key(t, s, result->step, key, sizeof key),
                     clips ? "" : " or set optimizer.clip_norm");
}

static bool all_finite(const float *x, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(x[i])) return false;
    }
    return true;
}

/* A sample that is no number makes every score none, whatever is learned. */
static gyre_status check_samples(gyre_trainer *t, const gyre_view *view) {
    gyre_not_finite bad;
    GYRE_TRY(gyre_trainer_fatal(t, gyre_view_not_finite(view, &bad)));
    if (!bad.found) return GYRE_OK;
    return gyre_fail(GYRE_EIO,
                     "the samples that are evaluated give no score: sample %lld of their part "
                     "holds %g at value %zu; mend or leave out such samples",
                     (long long)bad.row, (double)bad.value, bad.at);
}

/* Training may go well while the network that is scored gives no numbers: it normalises by running
 * statistics, and rates that were too high may have spoilt those. They heal where they are only
 * too large, so a run continues, but it does not end like that. */
gyre_status run_score_check(gyre_trainer *t, run_saver *s, const gyre_score *score, bool last,
                            bool *told) {
    char kept[64], key[400];
    if (isfinite(score->loss)) return GYRE_OK;
    if (*told && !last) return GYRE_OK;
    GYRE_TRY(check_samples(t, &t->resolved->samples.validation));
    GYRE_TRY(gyre_trainer_fatal(t, gyre_trainer_save(t)));
    const gyre_model *m = t->resolved->model;
    const gyre_snapshot *state = &t->snapshot;
    const float *statistics =
        state->averages == NULL ? state->buffers : state->averages + m->parameters;
    const char *why = all_finite(statistics, m->buffers)
                          ? "the network's outputs are too large for numbers"
                          : "running statistics of batch norm are not finite";
    if (!last) {
        *told = true;
        gyre_warn(
            "step %lld: the loss of the evaluation is %g, though the training loss is finite: "
            "%s; a lower %s helps",
            (long long)t->completed, fabs(score->loss), why,
            rate_key(t, s, t->completed - 1, key, sizeof key));
        return GYRE_OK;
    }
    settle_files(t, s, kept, sizeof kept);
    return gyre_fail(GYRE_EDIVERGED,
                     "the loss of the evaluation after the last step, %lld, is %g, though the "
                     "training loss is finite: %s; %s; lower %s",
                     (long long)t->completed, fabs(score->loss), why, kept,
                     rate_key(t, s, t->completed - 1, key, sizeof key));
}
