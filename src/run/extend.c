/* Compares a run with a config that adds a stage to it; see extend.h. */
#include "extend.h"

#include "gyre/config.h"
#include "gyre/schedule.h"
#include <stdlib.h>
#include <string.h>

/* `now` before its last stage was added, should the run have had stages then. */
static gyre_settings without_last_stage(const gyre_settings *now) {
    gyre_settings base = *now;
    int64_t steps = 0;
    base.schedule.stage_count--;
    for (int i = 0; i < base.schedule.stage_count; i++) {
        const gyre_stage_settings *stage = &now->schedule.stages[i];
        bool cut = stage->cut.unit != GYRE_UNIT_NONE;
        steps += (int64_t)(cut ? stage->cut : stage->length).value;
    }
    base.length = (gyre_length){GYRE_UNIT_STEPS, (double)steps};
    return base;
}

/* The same, should it have had none: the one stage left was its schedule. */
static gyre_settings without_stages(const gyre_settings *now) {
    gyre_settings base = *now;
    base.schedule = now->schedule.stages[0].schedule;
    base.length = now->schedule.stages[0].length;
    return base;
}

gyre_status run_extend_compare(const gyre_settings *run, const gyre_settings *now, bool *extends) {
    *extends = false;
    gyre_status same = gyre_config_compare(run, now);
    if (same == GYRE_OK || now->schedule.stage_count < 2) return same;
    gyre_settings flat = without_stages(now), base = without_last_stage(now);
    bool one = now->schedule.stage_count == 2;
    *extends = (one && gyre_config_compare(run, &flat) == GYRE_OK) ||
               gyre_config_compare(run, &base) == GYRE_OK;
    if (*extends) return GYRE_OK;
    return one && run->schedule.stage_count == 0 ? gyre_config_compare(run, &flat)
                                                 : gyre_config_compare(run, &base);
}

gyre_status run_extend_repeats(const gyre_settings *now, bool *repeats, int64_t *start) {
    *repeats = false;
    if (now->schedule.stage_count < 2) return GYRE_OK;
    gyre_settings base = without_last_stage(now), other = base;
    size_t count = (size_t)base.schedule.stage_count;
    other.schedule.stages = malloc(count * sizeof *other.schedule.stages);
    if (other.schedule.stages == NULL) return gyre_no_memory("the stages");
    memcpy(other.schedule.stages, now->schedule.stages, count * sizeof *other.schedule.stages);
    other.schedule.stages[count - 1] = now->schedule.stages[count];
    *repeats = gyre_config_compare(&base, &other) == GYRE_OK;
    *start = (int64_t)base.length.value;
    free(other.schedule.stages);
    return GYRE_OK;
}

static gyre_status has_hash(const gyre_settings *s, uint64_t hash, bool *out) {
    uint64_t its = 0;
    GYRE_TRY(gyre_config_hash(s, &its));
    if (its == hash) *out = true;
    return GYRE_OK;
}

gyre_status run_extend_knows(const gyre_settings *run, uint64_t hash, bool *out) {
    gyre_settings s = *run;
    *out = false;
    GYRE_TRY(has_hash(&s, hash, out));
    while (!*out && s.schedule.stage_count > 1) {
        gyre_settings flat = without_stages(&s);
        if (s.schedule.stage_count == 2) GYRE_TRY(has_hash(&flat, hash, out));
        s = without_last_stage(&s);
        if (!*out) GYRE_TRY(has_hash(&s, hash, out));
    }
    return GYRE_OK;
}

static gyre_status open_schedule(const gyre_settings *s, gyre_schedule **out) {
    return gyre_schedule_open(&s->schedule, &s->length, gyre_config_momentum(&s->optimizer), 0,
                              out);
}

gyre_status run_extend_check(const gyre_settings *run, const gyre_settings *now,
                             int64_t completed) {
    gyre_status status = GYRE_OK;
    gyre_schedule *before = NULL, *after = NULL;
    GYRE_GOTO(open_schedule(run, &before));
    GYRE_GOTO(open_schedule(now, &after));
    for (int64_t t = 0; t < completed && status == GYRE_OK; t++) {
        gyre_rate a = gyre_schedule_at(before, t), b = gyre_schedule_at(after, t);
        bool same = memcmp(&a.lr, &b.lr, sizeof a.lr) == 0 &&
                    memcmp(&a.momentum, &b.momentum, sizeof a.momentum) == 0;
        if (same) continue;
        status = gyre_fail(GYRE_EUSAGE,
                           "--extend: step %lld was run with lr %.17g, and would have %.17g with "
                           "this stage; a stage can only be added behind the steps that were run",
                           (long long)t, a.lr, b.lr);
    }
out:
    if (before != NULL) gyre_schedule_close(before);
    if (after != NULL) gyre_schedule_close(after);
    return status;
}
