/* "find" as base_lr or max_lr: a run that has begun has its numbers in its config.json; a new one
 * gets them from a range test, once. */
#include "gyre/find.h"

#include "gyre/config.h"
#include "gyre/file.h"
#include "gyre/log.h"
#include "gyre/resolve.h"
#include "gyre/run_folder.h"
#include "gyre/schedule.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_open(const gyre_schedule_settings *s) {
    return s->base_lr == GYRE_RATE_FIND || s->max_lr == GYRE_RATE_FIND;
}

static bool has_open(const gyre_settings *s) {
    bool open = s->schedule.stage_count == 0 && is_open(&s->schedule);
    for (int i = 0; i < s->schedule.stage_count; i++) {
        open = open || is_open(&s->schedule.stages[i].schedule);
    }
    return open;
}

/* Outer rates that are open although no stage has them are settled too: the echo shows numbers. */
static void settle(gyre_schedule_settings *s, double base_lr, double max_lr) {
    if (s->base_lr == GYRE_RATE_FIND) s->base_lr = base_lr;
    if (s->max_lr == GYRE_RATE_FIND) s->max_lr = max_lr;
}

/* The stages of `s` in memory of their own, at *stages. */
static gyre_status own_stages(gyre_settings *s, gyre_stage_settings **stages) {
    size_t count = (size_t)s->schedule.stage_count;
    if (count == 0) return GYRE_OK;
    *stages = malloc(count * sizeof **stages);
    if (*stages == NULL) return gyre_no_memory("the schedule's stages");
    memcpy(*stages, s->schedule.stages, count * sizeof **stages);
    s->schedule.stages = *stages;
    return GYRE_OK;
}

/* ---- a run that has begun */

typedef struct {
    int32_t holds_run;
    double rates[GYRE_STAGES_MAX + 1][2]; /* of each stage, and of the outer schedule */
} begun;

/* What would be refused after the search is refused before it. */
static gyre_status try_folder(const char *path) {
    gyre_run_folder folder;
    bool made = false;
    GYRE_TRY(gyre_run_folder_open(path, &folder));
    gyre_run_folder_close(&folder);
    GYRE_TRY(gyre_fail_in("run folder (--out, output.dir)", gyre_dir_try(path, &made)));
    if (made) rmdir(path);
    return GYRE_OK;
}

/* Rank 0 looks. */
static gyre_status look(const char *out, const gyre_settings *s, begun *b) {
    gyre_status status = GYRE_OK;
    gyre_settings *old = NULL;
    char *folder = NULL, *config = NULL;
    GYRE_GOTO(gyre_run_folder_choose(out, s, &folder));
    config = gyre_path_join(folder, GYRE_CONFIG_FILE);
    if (config == NULL) GYRE_GOTO(gyre_no_memory("the run folder's path"));
    if (!gyre_run_folder_is_run(folder)) {
        status = try_folder(folder);
        goto out;
    }
    GYRE_GOTO(gyre_config_open(config, NULL, 0, &old));
    b->holds_run = 1;
    for (int i = 0; i <= GYRE_STAGES_MAX; i++) {
        const gyre_schedule_settings *from =
            i < old->schedule.stage_count ? &old->schedule.stages[i].schedule : &old->schedule;
        b->rates[i][0] = from->base_lr;
        b->rates[i][1] = from->max_lr;
    }
out:
    gyre_config_close(old);
    free(folder);
    free(config);
    return status;
}

static void take_begun(gyre_settings *s, const begun *b) {
    const double *outer = b->rates[GYRE_STAGES_MAX];
    settle(&s->schedule, outer[0], outer[1]);
    for (int i = 0; i < s->schedule.stage_count; i++) {
        settle(&s->schedule.stages[i].schedule, b->rates[i][0], b->rates[i][1]);
    }
}

/* ---- a new one */

/* Plans the run with rates that fit any bound, so that it fails for every other reason that a plan
 * fails for. */
static gyre_status try_plan(const gyre_settings *s, gyre_comm *comm) {
    gyre_settings probe = *s;
    gyre_stage_settings *stages = NULL;
    gyre_resolved resolved = {0};
    gyre_schedule *schedule = NULL;
    const double least = 1e-30, most = 1e30;
    gyre_status status = gyre_comm_agree(comm, own_stages(&probe, &stages));
    settle(&probe.schedule, least, most);
    for (int i = 0; i < probe.schedule.stage_count && status == GYRE_OK; i++) {
        settle(&probe.schedule.stages[i].schedule, least, most);
    }
    if (status == GYRE_OK) status = gyre_resolve(&probe, comm, &schedule, &resolved);
    if (schedule != NULL) gyre_schedule_close(schedule);
    gyre_resolved_close(&resolved);
    free(stages);
    return status;
}

static gyre_status search(gyre_settings *s, bool quiet, gyre_comm *comm, gyre_find *found) {
    const gyre_find_options options = {.quiet = quiet};
    const char *single = gyre_schedule_single_rate(&s->schedule, true);
    if (single != NULL) {
        return gyre_fail(GYRE_EUSAGE,
                         "schedule.base_lr: \"find\" would be the lower bound of a cycle, too low "
                         "for the only rate of %s; give a number, as `gyre find CONFIG` shows them",
                         single);
    }
    GYRE_TRY(try_plan(s, comm));
    GYRE_TRY(gyre_find_run(s, &options, NULL, comm, found));
    const gyre_find_answer a = gyre_find_answer_of(found);
    if (!a.reliable) {
        return gyre_fail(GYRE_EUSAGE,
                         "schedule.base_lr, max_lr: the range test gives no reliable suggestion "
                         "(%s); give numbers, `gyre find` shows the curve",
                         a.reason);
    }
    settle(&s->schedule, a.base_lr, a.max_lr);
    for (int i = 0; i < s->schedule.stage_count; i++) {
        settle(&s->schedule.stages[i].schedule, a.base_lr, a.max_lr);
    }
    if (!quiet) {
        gyre_say("found base_lr %g and max_lr %g: %s", a.base_lr, a.max_lr, a.reason);
    }
    return GYRE_OK;
}

gyre_status gyre_found_rates_settle(gyre_settings *s, const char *out, bool quiet, gyre_comm *comm,
                                    gyre_found_rates *found) {
    begun b = {0};
    *found = (gyre_found_rates){0};
    if (!has_open(s)) return GYRE_OK;
    gyre_status status = own_stages(s, &found->stages);
    if (status == GYRE_OK && gyre_comm_rank(comm) == 0) status = look(out, s, &b);
    GYRE_TRY(gyre_comm_agree(comm, status));
    GYRE_TRY(gyre_comm_broadcast(comm, &b, sizeof b, 0));
    if (!b.holds_run) return search(s, quiet, comm, &found->test);
    take_begun(s, &b);
    return GYRE_OK;
}

void gyre_found_rates_close(gyre_found_rates *found) {
    gyre_find_close(&found->test);
    free(found->stages);
    *found = (gyre_found_rates){0};
}

/* ---- what the run keeps of it */

gyre_status gyre_found_rates_record(void *found_rates, const char *folder, gyre_events *events) {
    const gyre_find *f = &((const gyre_found_rates *)found_rates)->test;
    const gyre_find_answer a = gyre_find_answer_of(f);
    if (f->row_count == 0) return GYRE_OK;
    char *path = gyre_path_join(folder, GYRE_FIND_FILE);
    if (path == NULL) return gyre_no_memory("the range test's file");
    gyre_status status = gyre_find_write(f, path);
    free(path);
    GYRE_TRY(status);
    gyre_json *line = gyre_event_begin(events, "find");
    gyre_json_add_number(line, "base_lr", a.base_lr);
    gyre_json_add_number(line, "max_lr", a.max_lr);
    gyre_json_add_integer(line, "stepsize", a.stepsize);
    gyre_json_add_integer(line, "repeats", f->options.repeats);
    gyre_json_add_text(line, "reason", a.reason);
    return gyre_event_end(events, line);
}
