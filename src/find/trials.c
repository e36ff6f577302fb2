/* Trials; see trials.h. A trial is training: the run's own step, shards and augmentation, and the
 * run's own form of a cycle. */
#include "trials.h"

#include "curve.h"
#include "gyre/config.h"
#include "gyre/log.h"
#include "gyre/schedule.h"
#include "gyre/terminal.h"
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

enum { LOOKS = 4 /* evaluations in a trial, where they tell whether it diverges */ };

static gyre_rate rate_of_schedule(const void *of, int64_t step) {
    return gyre_schedule_at(of, step);
}

/* Whole cycles from low to low, of the config's own form where it is cyclic. */
static gyre_status open_schedule(const gyre_settings *s, const gyre_find_cycle *c,
                                 gyre_schedule **out) {
    gyre_schedule_settings cycle = s->schedule;
    bool cyclic = gyre_schedule_counts_cycles(s->schedule.policy);
    cycle.policy = GYRE_POLICY_TRIANGULAR;
    cycle.base_lr = c->base_lr;
    cycle.max_lr = c->max_lr;
    cycle.cycles = (double)c->cycles;
    cycle.stepsize = cycle.warmup = (gyre_length){0};
    cycle.start_high = cycle.end_low = false;
    cycle.peak_decay = 1;
    cycle.stages = NULL;
    cycle.stage_count = 0;
    if (!cyclic) {
        cycle.shape = GYRE_SHAPE_LINEAR;
        cycle.up_fraction = 0.5;
    }
    const gyre_length length = {GYRE_UNIT_STEPS, (double)c->steps};
    return gyre_schedule_open(&cycle, &length, gyre_config_momentum(&s->optimizer), 0, out);
}

/* Of the last quarter. */
static double mean_loss(const find_sweep_curve *c) {
    int64_t first = c->row_count - c->row_count / 4 - 1;
    double sum = 0;
    for (int64_t i = first; i < c->row_count; i++) sum += c->rows[i].loss;
    return sum / (double)(c->row_count - first);
}

static void conclude(const find_sweep_curve *c, gyre_find_cycle *out) {
    out->completed = c->row_count;
    out->loss = out->metric = (double)NAN;
    if (c->diverged) return;
    if (c->score_count == 0) {
        out->loss = mean_loss(c);
        return;
    }
    out->loss = c->scores[c->score_count - 1].loss;
    out->metric = c->scores[c->score_count - 1].metric;
}

typedef struct {
    gyre_trainer *t;
    gyre_evaluator *e;
    const gyre_view *view;
    bool redraw, terminal;
    gyre_snapshot before;
    gyre_find_row *rows; /* room for the longest */
    gyre_find_score scores[LOOKS + 2];
} stage;

static gyre_status run_trial(stage *x, const gyre_find *f, gyre_find_cycle *trial) {
    gyre_trainer *t = x->t;
    gyre_schedule *schedule = NULL;
    find_sweep_curve curve = {
        .rows = x->rows, .scores = x->scores, .by_scores = find_reads_scores(f), .lasting = true};
    uint64_t seed = find_seed(t->resolved->settings.seed, trial->seed);
    gyre_status status = open_schedule(&t->resolved->settings, trial, &schedule);
    GYRE_GOTO(gyre_comm_agree(t->comm, status));
    const find_course course = {
        .at = rate_of_schedule,
        .of = schedule,
        .steps = trial->steps,
        .every = curve.by_scores ? (trial->steps + LOOKS - 1) / LOOKS : trial->steps,
        .quiet = f->options.quiet || !x->terminal}; /* else a line for each result is enough */
    GYRE_GOTO(find_state_begin(t, &x->before, x->redraw, seed, trial->seed));
    GYRE_GOTO(find_sweep_run(t, x->e, x->view, &course, seed, trial->seed, &curve));
    conclude(&curve, trial);
out:
    gyre_schedule_close(schedule);
    return status;
}

static void say_result(const stage *x, const gyre_find *f, const gyre_find_cycle *c) {
    char text[128] = "diverged";
    if (x->t->rank != 0 || f->options.quiet) return;
    if (!isnan(c->loss) && isnan(c->metric)) {
        snprintf(text, sizeof text, "training loss %.4g", c->loss);
    } else if (!isnan(c->loss)) {
        const gyre_score score = {.loss = c->loss, .metric = c->metric, .of = f->metric};
        gyre_score_text(&score, text, sizeof text);
    }
    gyre_say("trial %zu: %lld cycle%s of %lld steps, %.3g to %.3g: %s", f->cycle_count,
             (long long)c->cycles, c->cycles == 1 ? "" : "s", (long long)(c->steps / c->cycles),
             c->base_lr, c->max_lr, text);
}

static gyre_status score_start(stage *x, gyre_find *f) {
    gyre_score score;
    f->start_loss = f->start_metric = (double)NAN;
    if (x->e == NULL) return GYRE_OK;
    GYRE_TRY(gyre_evaluator_run(x->e, x->view, NULL, &score));
    f->start_loss = score.loss;
    f->start_metric = score.metric;
    return GYRE_OK;
}

/* Room for one more. */
static gyre_status make_room(gyre_find *f) {
    gyre_find_cycle *more = realloc(f->cycles, (f->cycle_count + 1) * sizeof *more);
    if (more == NULL) return gyre_no_memory("the trials of a range test");
    f->cycles = more;
    return GYRE_OK;
}

gyre_status find_cycles_run(gyre_trainer *t, gyre_evaluator *e, const gyre_view *view, bool redraw,
                            const gyre_find_keeper *keeper, const find_ladder *l, gyre_find *f) {
    const int terminal = gyre_terminal_open();
    stage x = {.t = t, .e = e, .view = view, .redraw = redraw, .terminal = terminal >= 0};
    if (terminal >= 0) close(terminal);
    gyre_status status = GYRE_OK;
    gyre_find_cycle trial;
    x.rows = calloc((size_t)l->steps * FIND_LADDER_LONGEST, sizeof *x.rows);
    if (x.rows == NULL) status = gyre_no_memory("the trials of a range test");
    GYRE_GOTO(gyre_comm_agree(t->comm, status));
    GYRE_GOTO(find_state_keep(t, &x.before));
    GYRE_GOTO(score_start(&x, f));
    while (find_ladder_next(l, f->cycles, f->cycle_count, &trial)) {
        GYRE_GOTO(gyre_comm_agree(t->comm, make_room(f)));
        GYRE_GOTO(run_trial(&x, f, &trial));
        f->cycles[f->cycle_count++] = trial;
        say_result(&x, f, &trial);
        GYRE_GOTO(find_save(keeper, t, f));
    }
    f->complete = true;
    status = find_state_put_back(t, &x.before);
out:
    gyre_snapshot_close(&x.before);
    free(x.rows);
    return status;
}
