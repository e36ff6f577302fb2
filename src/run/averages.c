/* The averages of a run's weights; see averages.h.
 *
 * Running statistics are made by the training net, whose weights point to an average's parameters
 * for as long as it takes: its shards, their tree and its reduction give the same bits on any
 * number of ranks and threads, as in training. */
#include "averages.h"

#include "batches.h"
#include "gyre/config.h"

static gyre_status open_average(gyre_trainer *t, gyre_average_kind kind) {
    const gyre_average_settings *s = &t->resolved->settings.average;
    const gyre_model *m = t->resolved->model;
    GYRE_TRY(gyre_average_open(s, kind, t->resolved->members[kind], t->weights,
                               gyre_optimizer_scalars(t->optimizer), &t->averages[kind]));
    if (kind == GYRE_AVERAGE_FREE) {
        gyre_f32 ahead = NULL;
        gyre_optimizer_state(t->optimizer, 0, &ahead);
        gyre_average_follow(t->averages[kind], ahead,
                            gyre_config_momentum(&t->resolved->settings.optimizer));
    }
    return s->kind == kind ? gyre_snapshot_open_averages(m, &t->snapshot)
                           : gyre_snapshot_open_beside(m, kind, &t->snapshot);
}

gyre_status run_averages_open(gyre_trainer *t) {
    for (int k = 0; k < GYRE_AVERAGE_COUNT; k++) {
        const gyre_average_kind kind = (gyre_average_kind)k;
        if (!gyre_average_is_kept(&t->resolved->settings.average, kind)) continue;
        GYRE_TRY(open_average(t, kind));
    }
    return GYRE_OK;
}

void run_averages_close(gyre_trainer *t) {
    for (int kind = 0; kind < GYRE_AVERAGE_COUNT; kind++) gyre_average_close(t->averages[kind]);
}

gyre_status run_averages_begin(gyre_trainer *t) {
    gyre_average *ema = t->averages[GYRE_AVERAGE_EMA];
    return ema == NULL ? GYRE_OK : gyre_average_begin(ema, t->completed);
}

gyre_status run_averages_apply(gyre_trainer *t) {
    gyre_average *ema = t->averages[GYRE_AVERAGE_EMA];
    return ema == NULL ? GYRE_OK : gyre_average_apply(ema);
}

gyre_status run_averages_take(gyre_trainer *t) {
    for (int kind = 0; kind < GYRE_AVERAGE_COUNT; kind++) {
        gyre_average *a = t->averages[kind];
        if (a != NULL) GYRE_TRY(gyre_average_take(a, t->completed + 1));
    }
    return GYRE_OK;
}

/* ---- running statistics of means */

/* How many of the run's first batches have as many samples as settings ask for. */
static int64_t batches_of(const gyre_trainer *t) {
    const gyre_settings *s = &t->resolved->settings;
    const int64_t most = t->resolved->epochs.steps_per_epoch;
    const int64_t count = ((int64_t)s->average.statistics - 1) / s->batch_size + 1;
    return count < most ? count : most;
}

/* The batches of steps 0 to count - 1 through the training net, whose parameters the average's are;
 * their draws, too, are those of these steps. */
static gyre_status take_batches(gyre_trainer *t, gyre_loader *loader, int64_t count,
                                gyre_f32 running) {
    gyre_backend *b = t->backend;
    for (int64_t i = 0; i < count; i++) {
        gyre_batch batch;
        gyre_f32 moments = NULL;
        gyre_watchdog_beat(t->watchdog);
        GYRE_TRY(gyre_loader_next(loader, &batch));
        GYRE_TRY(gyre_net_begin_step(t->net, t->seed, i, t->rank * batch.count,
                                     t->resolved->settings.batch_size));
        GYRE_TRY(gyre_shards_moments(t->shards, &batch, &moments));
        GYRE_TRY(b->ops->reduce_end(b));
        GYRE_TRY(gyre_optimizer_take_moments(t->optimizer, moments, i, running));
        GYRE_TRY(b->ops->sync(b)); /* the loader overwrites what was read */
    }
    return GYRE_OK;
}

static gyre_status make_statistics(gyre_trainer *t, gyre_average *a) {
    const int64_t count = batches_of(t);
    const gyre_weights *average = gyre_average_weights(a);
    gyre_f32 own = t->weights->parameters;
    gyre_loader *loader = NULL;
    GYRE_TRY(run_batches_open(t, 0, count, &loader));
    t->weights->parameters = average->parameters;
    gyre_status status = gyre_weights_pack(t->weights);
    if (status == GYRE_OK) status = take_batches(t, loader, count, average->buffers);
    t->weights->parameters = own;
    gyre_loader_close(loader);
    return status == GYRE_OK ? gyre_weights_pack(t->weights) : status;
}

gyre_status run_averages_settle(gyre_trainer *t) {
    gyre_watchdog_phase(t->watchdog, "averaging the weights", t->completed);
    for (int kind = 0; kind < GYRE_AVERAGE_COUNT; kind++) {
        bool stale = false;
        if (t->averages[kind] == NULL) continue;
        gyre_status status = gyre_average_settle(t->averages[kind], t->completed, &stale);
        if (status == GYRE_OK && stale) status = make_statistics(t, t->averages[kind]);
        GYRE_TRY(gyre_trainer_fatal(t, status));
    }
    return GYRE_OK;
}

/* ---- in the weights' place */

gyre_weights *gyre_trainer_evaluated(const gyre_trainer *t) {
    gyre_average *a = t->averages[t->resolved->settings.average.kind];
    return a == NULL ? t->weights : gyre_average_weights(a);
}

static void exchange(gyre_weights *a, gyre_weights *b) {
    const gyre_f32 parameters = a->parameters, buffers = a->buffers;
    a->parameters = b->parameters;
    a->buffers = b->buffers;
    b->parameters = parameters;
    b->buffers = buffers;
}

gyre_status gyre_trainer_evaluate(gyre_trainer *t, gyre_evaluator *e, gyre_average_kind kind,
                                  const gyre_view *view, gyre_score *out) {
    if (t->averages[kind] == NULL) return gyre_evaluator_run(e, view, NULL, out);
    gyre_weights *average = gyre_average_weights(t->averages[kind]);
    exchange(t->weights, average);
    gyre_status status = gyre_trainer_fatal(t, gyre_weights_pack(t->weights));
    if (status == GYRE_OK) status = gyre_evaluator_run(e, view, NULL, out);
    exchange(t->weights, average);
    if (status == GYRE_OK) status = gyre_trainer_fatal(t, gyre_weights_pack(t->weights));
    return status;
}
