/* Sweeps; see sweep.h. Results come one step late (see gyre/trainer.h), so a sweep that has
 * diverged makes one update more than it needed; that one leaves no row. */
#include "sweep.h"

#include "curve.h"
#include "gyre/config.h"
#include "gyre/log.h"
#include "gyre/progress.h"
#include "gyre/random.h"
#include "gyre/realmath.h"
#include "gyre/run.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

double find_sweep_rate(const gyre_find_options *o, int64_t k) {
    if (k <= 0) return o->from;
    if (k >= o->steps - 1) return o->to;
    double share = (double)k / (double)(o->steps - 1);
    if (o->linear) return o->from + (o->to - o->from) * share;
    return o->from * gyre_exp(gyre_log(o->to / o->from) * share);
}

static const double worse = 4; /* than the least loss, of a sweep that has seen enough */

bool find_sweep_enough(find_sweep_mean *m, double loss, double *mean) {
    const double keep = 0.98;
    m->sum = keep * m->sum + (1 - keep) * loss;
    m->weight = keep * m->weight + (1 - keep);
    *mean = m->sum / m->weight;
    if (!isfinite(*mean)) return true;
    bool first = m->weight == 1 - keep;
    if (first || (!m->lasting && *mean < m->best)) m->best = *mean;
    return *mean > worse * m->best;
}

/* ---- one sweep */

typedef struct {
    gyre_trainer *t;
    find_sweep_curve *curve;
    find_sweep_mean mean;
    double best; /* loss of the scores */
    int64_t repeat;
} sweep;

static void take(sweep *s, const gyre_step_result *r) {
    find_sweep_curve *c = s->curve;
    if (r->step < 0 || c->diverged) return;
    gyre_find_row *row = &c->rows[c->row_count++];
    *row = (gyre_find_row){.repeat = s->repeat,
                           .step = r->step,
                           .lr = r->rate.lr,
                           .loss = isfinite(r->loss) ? r->loss : (double)NAN,
                           .grad_norm = isfinite(r->norm) ? r->norm : (double)NAN};
    c->diverged = find_sweep_enough(&s->mean, r->finite ? row->loss : (double)NAN, &row->smooth);
    if (c->by_scores && isfinite(row->smooth)) c->diverged = false;
}

static gyre_status evaluate(sweep *s, gyre_evaluator *e, const gyre_view *view) {
    find_sweep_curve *c = s->curve;
    gyre_step_result last;
    gyre_score score;
    GYRE_TRY(gyre_trainer_drain(s->t, &last));
    GYRE_TRY(gyre_trainer_verify(s->t));
    take(s, &last);
    if (c->diverged) return GYRE_OK;
    GYRE_TRY(gyre_evaluator_run(e, view, NULL, &score));
    c->scores[c->score_count++] =
        (gyre_find_score){.repeat = s->repeat,
                          .step = s->t->completed,
                          .lr = c->rows[c->row_count - 1].lr,
                          .loss = isfinite(score.loss) ? score.loss : (double)NAN,
                          .metric = score.metric};
    if (score.loss < s->best) s->best = score.loss;
    if (c->by_scores && !(score.loss <= worse * s->best)) c->diverged = true;
    return GYRE_OK;
}

static void show(gyre_progress *p, const gyre_trainer *t, int64_t steps,
                 const gyre_step_result *r) {
    if (r->step < 0) return;
    const gyre_progress_facts facts = {.completed = r->step + 1,
                                       .steps = steps,
                                       .batch = t->resolved->settings.batch_size,
                                       .lr = r->rate.lr,
                                       .loss = r->loss};
    gyre_progress_show(p, &facts);
}

/* Nothing on the disk depends on a sweep yet, so there is nothing to save. */
static gyre_status interrupted(const gyre_trainer *t, int64_t steps) {
    return gyre_fail(GYRE_EPREEMPTED,
                     "the range test was stopped by a signal after %lld of %lld steps; it begins "
                     "anew with the same command",
                     (long long)t->completed, (long long)steps);
}

gyre_status find_sweep_run(gyre_trainer *t, gyre_evaluator *e, const gyre_view *view,
                           const find_course *o, uint64_t seed, int64_t repeat,
                           find_sweep_curve *out) {
    sweep s = {
        .t = t, .curve = out, .mean.lasting = out->lasting, .best = INFINITY, .repeat = repeat};
    gyre_status status = GYRE_OK;
    gyre_progress progress = gyre_progress_begin(t->rank != 0 || o->quiet, 0);
    gyre_step_result previous;
    gyre_wish wish = GYRE_WISH_NONE;
    t->completed = 0;
    GYRE_GOTO(gyre_trainer_start(t, seed, o->steps));
    while (t->completed < o->steps && !out->diverged && wish != GYRE_WISH_STOP) {
        const gyre_rate rate = o->at(o->of, t->completed);
        gyre_wish mine = gyre_stop_wanted() ? GYRE_WISH_STOP : GYRE_WISH_NONE;
        GYRE_GOTO(gyre_trainer_step(t, rate, mine, &previous, &wish));
        take(&s, &previous);
        show(&progress, t, o->steps, &previous);
        bool look = e != NULL && (t->completed % o->every == 0 || t->completed == o->steps);
        if (out->diverged && !look && t->completed < o->steps && wish != GYRE_WISH_STOP) {
            GYRE_GOTO(gyre_trainer_leave(t)); /* others come to the next step, if not to an end */
        }
        if (look) {
            GYRE_GOTO(evaluate(&s, e, view));
        }
    }
    GYRE_GOTO(gyre_trainer_drain(t, &previous));
    take(&s, &previous);
    GYRE_GOTO(gyre_trainer_verify(t));
    if (wish == GYRE_WISH_STOP) status = interrupted(t, o->steps);
out:
    gyre_progress_end(&progress);
    gyre_trainer_stop(t);
    return status;
}

/* ---- all of them */

uint64_t find_seed(uint64_t seed, int64_t n) {
    if (n == 0) return seed;
    gyre_random draws = gyre_random_open(seed, GYRE_RANDOM_REPEAT, (uint64_t)n, 0);
    return gyre_random_u64(&draws);
}

/* `to` becomes `from`; both were opened for the model. */
static void copy(const gyre_model *m, const gyre_snapshot *from, gyre_snapshot *to) {
    to->completed = from->completed;
    memcpy(to->parameters, from->parameters, m->parameters * sizeof(float));
    memcpy(to->buffers, from->buffers, m->buffers * sizeof(float));
    for (int i = 0; i < from->state_count; i++) {
        memcpy(to->states[i], from->states[i], m->parameters * sizeof(float));
    }
}

gyre_status find_state_begin(gyre_trainer *t, const gyre_snapshot *before, bool redraw,
                             uint64_t seed, int64_t n) {
    copy(t->resolved->model, before, &t->snapshot);
    if (n > 0 && redraw) {
        gyre_model_init(t->resolved->model, seed, t->snapshot.parameters, t->snapshot.buffers);
    }
    return gyre_trainer_load(t);
}

gyre_status find_state_keep(gyre_trainer *t, gyre_snapshot *before) {
    gyre_status status = gyre_snapshot_open(t->resolved->model, t->snapshot.state_count, before);
    GYRE_TRY(gyre_comm_agree(t->comm, status));
    GYRE_TRY(gyre_trainer_fatal(t, gyre_trainer_save(t)));
    copy(t->resolved->model, &t->snapshot, before);
    return GYRE_OK;
}

gyre_status find_state_put_back(gyre_trainer *t, const gyre_snapshot *before) {
    copy(t->resolved->model, before, &t->snapshot);
    return gyre_trainer_load(t);
}

/* The rates of a sweep, as a course's. */
typedef struct {
    const gyre_find_options *options;
    double momentum;
} sweep_rates;

static gyre_rate rate_of_sweep(const void *of, int64_t step) {
    const sweep_rates *r = of;
    return (gyre_rate){.lr = find_sweep_rate(r->options, step), .momentum = r->momentum};
}

static sweep_rates rates_for(const gyre_trainer *t, const gyre_find_options *o) {
    return (sweep_rates){o, gyre_config_momentum(&t->resolved->settings.optimizer)};
}

static find_course course_of(const sweep_rates *r) {
    const gyre_find_options *o = r->options;
    return (find_course){rate_of_sweep, r, o->steps, o->every, o->quiet};
}

gyre_status find_sweeps_run(gyre_trainer *t, gyre_evaluator *e, const gyre_view *view, bool redraw,
                            const gyre_find_keeper *keeper, gyre_find *f) {
    gyre_snapshot before = {0};
    gyre_status status = GYRE_OK;
    const sweep_rates rates = rates_for(t, &f->options);
    const find_course course = course_of(&rates);
    GYRE_GOTO(find_state_keep(t, &before));
    while (f->whole < f->options.repeats) {
        const int r = f->whole;
        uint64_t seed = find_seed(t->resolved->settings.seed, r);
        find_sweep_curve curve = {.rows = f->rows + f->row_count,
                                  .scores = f->scores + f->score_count,
                                  .by_scores = find_reads_scores(f)};
        GYRE_GOTO(find_state_begin(t, &before, redraw, seed, r));
        if (t->rank == 0 && !f->options.quiet && f->options.repeats > 1) {
            gyre_say("repeat %d of %d", r + 1, f->options.repeats);
        }
        GYRE_GOTO(find_sweep_run(t, e, view, &course, seed, r, &curve));
        f->row_count += (size_t)curve.row_count;
        f->score_count += (size_t)curve.score_count;
        f->whole++;
        GYRE_GOTO(find_save(keeper, t, f));
    }
    status = find_state_put_back(t, &before);
out:
    gyre_snapshot_close(&before);
    return status;
}

gyre_status find_save(const gyre_find_keeper *keeper, gyre_trainer *t, const gyre_find *f) {
    if (keeper == NULL || keeper->save == NULL) return GYRE_OK;
    return gyre_comm_agree(t->comm, t->rank == 0 ? keeper->save(keeper->context, f) : GYRE_OK);
}

/* ---- constant rates */

static double loss_at(const find_sweep_curve *c, int64_t i) {
    return c->by_scores ? c->scores[i].loss : c->rows[i].loss;
}

/* Mean and its standard error over the last quarter of the rows, or scores. */
static void conclude(const find_sweep_curve *c, gyre_find_trial *trial) {
    const int64_t count = c->by_scores ? c->score_count : c->row_count;
    int64_t first = count - count / 4 - 1, n = count - first;
    double sum = 0, squares = 0;
    for (int64_t i = first; i < count; i++) sum += loss_at(c, i);
    double mean = sum / (double)n;
    for (int64_t i = first; i < count; i++) {
        squares += (loss_at(c, i) - mean) * (loss_at(c, i) - mean);
    }
    trial->loss = c->diverged ? (double)NAN : mean;
    trial->error = c->diverged ? (double)NAN : sqrt(squares) / (double)n;
    trial->metric =
        c->score_count > 0 && !c->diverged ? c->scores[c->score_count - 1].metric : (double)NAN;
}

gyre_status find_trials_run(gyre_trainer *t, gyre_evaluator *e, const gyre_view *view,
                            gyre_find *f) {
    const gyre_find_marks *m = &f->verdict.value;
    const double rates[GYRE_FIND_TRIALS] = {m->base_lr / 2, m->base_lr,    m->max_lr / 2,
                                            m->max_lr,      2 * m->max_lr, 4 * m->max_lr};
    gyre_find_options o = f->options;
    gyre_snapshot before = {0};
    enum { SCORES = 16 };
    gyre_find_score scores[SCORES + 2];
    gyre_status status = GYRE_OK;
    o.linear = true;
    const bool by_scores = find_reads_scores(f);
    const sweep_rates constant = rates_for(t, &o);
    o.steps = o.every = (o.steps + 1) / 2;
    if (by_scores) o.every = (o.steps + SCORES - 1) / SCORES;
    gyre_find_row *rows = calloc((size_t)o.steps, sizeof *rows);
    if (rows == NULL) status = gyre_no_memory("verifying rates");
    GYRE_GOTO(gyre_comm_agree(t->comm, status));
    GYRE_GOTO(find_state_keep(t, &before));
    for (int i = 0; i < GYRE_FIND_TRIALS; i++) {
        find_sweep_curve curve = {.rows = rows, .scores = scores, .by_scores = by_scores};
        o.from = o.to = f->trials[i].rate = rates[i];
        GYRE_GOTO(find_state_put_back(t, &before));
        const find_course course = course_of(&constant);
        GYRE_GOTO(find_sweep_run(t, e, view, &course, t->resolved->settings.seed, 0, &curve));
        conclude(&curve, &f->trials[i]);
        f->trial_count++;
    }
    status = find_state_put_back(t, &before);
out:
    gyre_snapshot_close(&before);
    free(rows);
    return status;
}
