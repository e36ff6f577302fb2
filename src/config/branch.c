/* A schedule that is changed from some step on: the stages up to there, the last of them cut, and
 * one behind them. */
#include "fields.h"

#include <stdlib.h>

static gyre_length length_of(const gyre_stage_settings *stage) {
    return stage->cut.unit != GYRE_UNIT_NONE ? stage->cut : stage->length;
}

/* What `now` has besides another schedule and length. */
static gyre_status check_rest(const gyre_settings *run, const gyre_settings *now) {
    gyre_settings same = *now;
    char list[GYRE_ERROR_MAX];
    same.schedule = run->schedule;
    same.length = run->length;
    GYRE_TRY(gyre_config_list_differences(run, &same, list, sizeof list));
    if (list[0] == '\0') return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "--from-step: a branch has another schedule and length, and all else from its "
                     "run: %s",
                     list);
}

static gyre_status check_rates(const gyre_schedule_settings *s) {
    if (s->base_lr != GYRE_RATE_FIND && s->max_lr != GYRE_RATE_FIND) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "--from-step: schedule.%s: \"find\" is for the rates that a run "
                     "begins with; give a number",
                     s->base_lr == GYRE_RATE_FIND ? "base_lr" : "max_lr");
}

/* The run's own stages, or the one that it is, up to `step`; *count of them, the last one cut where
 * it goes on. *total: the steps of the whole run. */
static gyre_status take_past(const gyre_settings *run, int64_t step, gyre_stage_settings *out,
                             int *count, int64_t *total) {
    const gyre_schedule_settings *s = &run->schedule;
    gyre_stage_settings only = {.length = run->length, .schedule = *s};
    const gyre_stage_settings *stages = s->stage_count > 0 ? s->stages : &only;
    const int all = s->stage_count > 0 ? s->stage_count : 1;
    int64_t begin = 0;
    *count = 0;
    for (int i = 0; i < all; i++) {
        const gyre_length length = length_of(&stages[i]);
        const int64_t end = begin + (int64_t)length.value;
        if (begin < step) {
            gyre_stage_settings *stage = &out[(*count)++];
            *stage = stages[i];
            stage->schedule.stages = NULL;
            stage->schedule.stage_count = 0;
            if (step < end) stage->cut = (gyre_length){GYRE_UNIT_STEPS, (double)(step - begin)};
        }
        begin = end;
    }
    *total = begin;
    if (step <= begin) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE, "--from-step: the run has %lld steps; 1 to %lld was expected",
                     (long long)begin, (long long)begin);
}

/* The stage behind them, by the outer keys. */
static gyre_status take_rest(const gyre_settings *run, const gyre_settings *now, int64_t rest,
                             bool length_given, gyre_stage_settings *out) {
    const gyre_schedule_settings *before = &run->schedule;
    *out = (gyre_stage_settings){.length = now->length, .schedule = now->schedule};
    gyre_schedule_settings *s = &out->schedule;
    s->stages = NULL;
    s->stage_count = 0;
    if (s->warmup.unit == before->warmup.unit && s->warmup.value == before->warmup.value) {
        s->warmup = (gyre_length){GYRE_UNIT_NONE, 0}; /* it belongs to the run's beginning */
        s->warmup_from = 0;
    }
    if (length_given) return GYRE_OK;
    out->length = (gyre_length){GYRE_UNIT_STEPS, (double)rest};
    if (rest > 0) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE, "--from-step: the run ends there; give the length of the branch, "
                                  "as --set length.steps=100");
}

gyre_status gyre_config_branch(gyre_settings *now, const gyre_settings *run, int64_t step,
                               bool length_given) {
    int64_t total = 0;
    int count = 0;
    GYRE_TRY(check_rest(run, now));
    GYRE_TRY(check_rates(&now->schedule));
    const size_t most = (size_t)run->schedule.stage_count + 2;
    gyre_stage_settings *stages = calloc(most, sizeof *stages);
    if (stages == NULL) return gyre_no_memory("the config");
    gyre_status status = take_past(run, step, stages, &count, &total);
    if (status == GYRE_OK) status = take_rest(run, now, total - step, length_given, &stages[count]);
    if (status == GYRE_OK && count + 1 > GYRE_STAGES_MAX) {
        status = gyre_fail(GYRE_EUSAGE,
                           "--from-step: the schedule has %d stages up to there already, the most",
                           count);
    }
    if (status != GYRE_OK) {
        free(stages);
        return status;
    }
    free(now->schedule.stages);
    now->schedule.stages = stages;
    now->schedule.stage_count = count + 1;
    now->length = (gyre_length){GYRE_UNIT_NONE, 0};
    return GYRE_OK;
}
