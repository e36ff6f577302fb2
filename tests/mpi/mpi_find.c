/* A range test leaves no trace: in the middle of a run, with sweeps that go well and ones that
 * diverge, parameters, running statistics and optimizer states are bit for bit what they were, and
 * the run continues as if nothing had been. On any power of two of ranks. */
#include "../../src/find/sweep.h"
#include "../../src/find/trials.h"
#include "check.h"

#include "../unit/config_text.h"
#include "gyre/log.h"
#include "noise.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition) CHECK_ON(comm, condition)

enum { IMAGES = 60, SIDE = 8, BEFORE = 3, AFTER = 2, STEPS = 8 };

static gyre_comm *comm;
static char scratch[] = "/tmp/gyre-find-XXXXXX";

static const char config[] =
    "{\"data\": {\"path\": \"%s/data.h5\", \"validation\": {\"split\": 0.2},\n"
    "   \"augment\": {\"mirror\": true, \"crop\": 2}}, \"threads\": 1,\n"
    " \"model\": {\"name\": \"resnet20\"}, \"batch\": {\"size\": 16, \"shards\": 4},\n"
    " \"optimizer\": {\"name\": \"adam\"}, \"schedule\": {\"max_lr\": 0.01, \"cycles\": 1},\n"
    " \"length\": {\"steps\": 20}}";

typedef struct {
    gyre_resolved resolved;
    gyre_schedule *schedule;
    gyre_trainer trainer;
} rig;

static void open_rig(rig *r) {
    char text[1000];
    config_file file = {0};
    gyre_settings *s = NULL;
    snprintf(text, sizeof text, config, scratch);
    CHECK(config_file_make(&file) == 0);
    CHECK(config_open_bytes(&file, text, strlen(text), NULL, &s) == GYRE_OK);
    unlink(file.path);
    CHECK(gyre_resolve(s, comm, &r->schedule, &r->resolved) == GYRE_OK);
    CHECK(gyre_trainer_open(&r->trainer, &r->resolved, comm, NULL, true) == GYRE_OK);
    gyre_config_close(s);
}

static void train(rig *r, int64_t count) {
    gyre_trainer *t = &r->trainer;
    gyre_step_result result;
    gyre_wish wish;
    CHECK(gyre_trainer_start(t, r->resolved.settings.seed, t->completed + count) == GYRE_OK);
    for (int64_t i = 0; i < count; i++) {
        gyre_rate rate = gyre_schedule_at(r->schedule, t->completed);
        CHECK(gyre_trainer_step(t, rate, GYRE_WISH_NONE, &result, &wish) == GYRE_OK);
    }
    CHECK(gyre_trainer_drain(t, &result) == GYRE_OK && result.finite);
    gyre_trainer_stop(t);
}

/* Whether the state on the device has the same bits as the snapshot of `other`. */
static void same_state(gyre_trainer *t, const gyre_snapshot *other) {
    const gyre_snapshot *s = &t->snapshot;
    size_t bytes = t->resolved->model->parameters * sizeof(float);
    CHECK(gyre_trainer_save(t) == GYRE_OK);
    CHECK(s->completed == other->completed);
    CHECK(memcmp(s->parameters, other->parameters, bytes) == 0);
    CHECK(memcmp(s->buffers, other->buffers, t->resolved->model->buffers * sizeof(float)) == 0);
    for (int i = 0; i < s->state_count; i++)
        CHECK(memcmp(s->states[i], other->states[i], bytes) == 0);
}

static gyre_find sweep(gyre_trainer *t, gyre_evaluator *e, double from, double to, bool redraw) {
    gyre_find f = {
        .metric = gyre_metric_of_loss(NULL),
        .options = {
            .from = from, .to = to, .steps = STEPS, .repeats = 2, .every = 4, .quiet = true}};
    f.rows = calloc((size_t)2 * STEPS, sizeof *f.rows);
    f.scores = calloc((size_t)2 * (STEPS / 4 + 1), sizeof *f.scores);
    CHECK(f.rows != NULL && f.scores != NULL);
    CHECK(find_sweeps_run(t, e, &t->resolved->samples.validation, redraw, NULL, &f) == GYRE_OK);
    CHECK(f.whole == 2);
    return f;
}

static void close_rig(rig *r) {
    gyre_trainer_close(&r->trainer);
    gyre_schedule_close(r->schedule);
    gyre_resolved_close(&r->resolved);
}

/* Trials with two seeds. */
static void run_trials(gyre_trainer *t, gyre_evaluator *e, gyre_find *f) {
    const find_ladder ladder = {.metric = f->metric,
                                .low = 1e-3,
                                .high = 1e30, /* diverges */
                                .rates = 3,
                                .steps = 3,
                                .seeds = 2,
                                .cycles = true};
    CHECK(find_cycles_run(t, e, &t->resolved->samples.validation, true, NULL, &ladder, f) ==
          GYRE_OK);
    CHECK(f->complete && f->cycle_count > 6 && isnan(f->cycles[2].loss));
    CHECK(isfinite(f->cycles[0].loss) && f->cycles[0].completed == 3);
}

static void no_trace(void) {
    rig ra, rb; /* rb has no range test */
    gyre_trainer *a = &ra.trainer, *b = &rb.trainer;
    gyre_evaluator *e = NULL;
    open_rig(&ra);
    open_rig(&rb);
    train(&ra, BEFORE);
    train(&rb, BEFORE);
    CHECK(gyre_trainer_save(b) == GYRE_OK);
    CHECK(gyre_evaluator_open(a->weights, 4, (gyre_passes){.count = 1}, comm, NULL, &e) == GYRE_OK);
    gyre_find well = sweep(a, e, 1e-4, 0.1, true);
    same_state(a, &b->snapshot);
    CHECK(well.row_count == 2 * STEPS && well.score_count == 4);
    CHECK(well.rows[0].loss != well.rows[STEPS].loss);
    gyre_find badly = sweep(a, e, 1e30, 1e38, false);
    same_state(a, &b->snapshot);
    /* each repeat: a good step, then NaN; what the device keeps of a bad step does not outlive it
     */
    CHECK(badly.row_count == 4 && isnan(badly.rows[1].loss) && isnan(badly.rows[3].loss));
    CHECK(isfinite(badly.rows[0].loss) && isfinite(badly.rows[2].loss));
    gyre_find again = sweep(a, e, 1e-4, 0.1, true);
    CHECK(again.row_count == well.row_count);
    CHECK(memcmp(again.rows, well.rows, well.row_count * sizeof *well.rows) == 0);
    well.verdict.value = (gyre_find_marks){.base_lr = 1e-3, .max_lr = 1e3};
    well.trial_count = 0;
    CHECK(find_trials_run(a, e, &a->resolved->samples.validation, &well) == GYRE_OK);
    CHECK(well.trial_count == GYRE_FIND_TRIALS && isfinite(well.trials[0].loss));
    same_state(a, &b->snapshot);
    run_trials(a, e, &well);
    same_state(a, &b->snapshot);
    train(&ra, AFTER);
    train(&rb, AFTER);
    CHECK(gyre_trainer_save(b) == GYRE_OK);
    same_state(a, &b->snapshot);
    gyre_find_close(&well);
    gyre_find_close(&badly);
    gyre_find_close(&again);
    gyre_evaluator_close(e);
    close_rig(&ra);
    close_rig(&rb);
}

int main(int argc, char **argv) {
    if (gyre_comm_open(&argc, &argv, &comm) != GYRE_OK) return 1;
    if (gyre_comm_rank(comm) == 0) {
        CHECK(mkdtemp(scratch) != NULL);
        CHECK(noise_write(scratch, IMAGES, SIDE, false) == GYRE_OK);
    }
    CHECK(gyre_comm_broadcast(comm, scratch, sizeof scratch, 0) == GYRE_OK);
    if (gyre_comm_rank(comm) > 0) gyre_log_mute(true);
    no_trace();
    if (gyre_comm_rank(comm) == 0) {
        char command[64];
        snprintf(command, sizeof command, "rm -rf %s", scratch);
        CHECK(system(command) == 0);
    }
    gyre_comm_close(comm);
    return 0;
}
