/* Opening what a run computes with, and the one update; see gyre/trainer.h. */
#include "gyre/trainer.h"

#include "averages.h"
#include "batches.h"
#include "gyre/augment.h"
#include "gyre/child.h"
#include "gyre/clock.h"
#include "gyre/config.h"
#include "gyre/log.h"
#include "gyre/version.h"
#include "input.h"
#include "machines.h"
#include "profile.h"
#include "replicas.h"
#include "whiten.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What record() tells steps of one phase from those of another by. */
typedef struct gyre_trainer_phase {
    gyre_trainer *trainer;
} trainer_phase;

/* ---- the operations of an update */

static void enter(gyre_trainer *t, run_phase phase) {
    gyre_watchdog_phase(t->watchdog, run_phase_name(phase), t->completed);
    run_profile_enter(t->profile, phase);
}

/* What an update does on the device. A backend that replays it does not call it, and stays in the
 * phase in which it was told to. */
static gyre_status operations(void *context) {
    gyre_trainer *t = ((const trainer_phase *)context)->trainer;
    const gyre_settings *s = &t->resolved->settings;
    gyre_backend *b = t->backend;
    gyre_f32 leaf = NULL;
    b->ops->range_push(b, run_phase_name(RUN_PHASE_GRADIENTS));
    GYRE_TRY(gyre_shards_run(t->shards, &t->last.batch, 1.0f / (float)s->batch_size, &leaf));
    b->ops->range_pop(b);
    enter(t, RUN_PHASE_REDUCE);
    b->ops->range_push(b, run_phase_name(RUN_PHASE_REDUCE));
    GYRE_TRY(b->ops->reduce_end(b));
    b->ops->range_pop(b);
    enter(t, RUN_PHASE_UPDATE);
    b->ops->range_push(b, run_phase_name(RUN_PHASE_UPDATE));
    GYRE_TRY(gyre_optimizer_apply(t->optimizer, t->completed, leaf));
    GYRE_TRY(run_averages_apply(t));
    b->ops->range_pop(b);
    return GYRE_OK;
}

/* ---- opening */

static gyre_status open_phases(gyre_trainer *t) {
    const int groups = t->resolved->model->group_count;
    t->phases = calloc((size_t)groups + 1, sizeof *t->phases);
    if (t->phases == NULL) return gyre_no_memory("the phases of a run");
    for (int i = 0; i <= groups; i++) t->phases[i].trainer = t;
    return GYRE_OK;
}

static gyre_status open_device(gyre_trainer *t) {
    const gyre_settings *s = &t->resolved->settings;
    gyre_backend_options options = gyre_backend_options_of(s);
    options.timed = t->profile != NULL;
    gyre_watchdog_phase(t->watchdog, "opening the device", -1);
    gyre_status status = gyre_backend_open(s->backend, &options, t->comm, &t->backend);
    return gyre_comm_agree(t->comm, status);
}

/* What a step needs of the device, and what then computes it on all ranks. */
static gyre_status prepare_step(gyre_trainer *t) {
    const gyre_settings *s = &t->resolved->settings;
    const gyre_backend_ops *ops = t->backend->ops;
    t->last.batch =
        (gyre_batch){.count = s->batch_size / t->ranks,
                     .target_values = (int64_t)gyre_target_values(&t->resolved->model->target)};
    gyre_status status = ops->prepare(t->backend, operations, &t->phases[0]);
    GYRE_TRY(gyre_comm_agree(t->comm, status));
    snprintf(t->machine, sizeof t->machine, "gyre %s; %s", GYRE_VERSION, ops->describe(t->backend));
    return run_machines_join(t->comm, t->machine, &t->unlike);
}

static int count_states(const gyre_optimizer *o) {
    int count = 0;
    gyre_f32 vector;
    while (count < GYRE_STATES_MAX && gyre_optimizer_state(o, count, &vector) != NULL) count++;
    return count;
}

static gyre_status open_lookahead(gyre_trainer *t) {
    const gyre_lookahead_settings *s = &t->resolved->settings.optimizer.lookahead;
    if (s->every == 0) return GYRE_OK;
    GYRE_TRY(
        gyre_lookahead_open(s, t->weights, gyre_optimizer_scalars(t->optimizer), &t->lookahead));
    return gyre_snapshot_open_slow(t->resolved->model, &t->snapshot);
}

static gyre_status open_net(gyre_trainer *t) {
    const gyre_settings *s = &t->resolved->settings;
    const gyre_model *m = t->resolved->model;
    int local = s->shards / t->ranks, size = s->batch_size / s->shards;
    gyre_status status = GYRE_OK;
    size_t count = (size_t)m->h * (size_t)m->w * (size_t)m->c;
    float *mean = malloc(count * sizeof *mean), *scale = malloc((size_t)m->c * sizeof *scale);
    if (mean == NULL || scale == NULL) {
        status = gyre_no_memory("the input's mean");
        goto out;
    }
    run_input_scaling(&s->data, &t->resolved->samples.stats,
                      t->resolved->samples.train.images->element, m, mean, scale);
    GYRE_GOTO(gyre_weights_open(m, t->backend, mean, scale, &t->weights));
    GYRE_GOTO(gyre_net_open(t->weights, size, local, &t->net));
    GYRE_GOTO(gyre_shards_open(t->net, local, size, &t->shards));
    GYRE_GOTO(gyre_optimizer_open(&s->optimizer, t->weights, s->shards, &t->optimizer));
    GYRE_GOTO(gyre_snapshot_open(m, count_states(t->optimizer), &t->snapshot));
    GYRE_GOTO(run_averages_open(t));
    GYRE_GOTO(open_lookahead(t));
    GYRE_GOTO(open_phases(t));
    GYRE_GOTO(run_replicas_open(t));
    t->snapshot.names = gyre_dataset_class_names(t->resolved->data);
    t->snapshot.network = t->resolved->layers;
    GYRE_GOTO(gyre_config_print(s, &t->config));
    t->snapshot.config = t->config;
    memcpy(t->snapshot.mean, mean, count * sizeof *mean);
    memcpy(t->snapshot.scale, scale, (size_t)m->c * sizeof *scale);
    for (int i = 0; i < t->snapshot.state_count; i++) {
        gyre_f32 vector;
        snprintf(t->snapshot.state_names[i], sizeof t->snapshot.state_names[i], "%s",
                 gyre_optimizer_state(t->optimizer, i, &vector));
    }
out:
    free(mean);
    free(scale);
    return status;
}

static gyre_status first_input(gyre_trainer *t, const char *from) {
    const gyre_element element = t->resolved->samples.train.images->element;
    if (t->resolved->settings.data.normalize != GYRE_NORMALIZE_INIT_FROM) return GYRE_OK;
    return gyre_input_import(from, t->resolved->model, element, t->snapshot.mean,
                             t->snapshot.scale);
}

/* Keyed parameters on every rank; what rank 0 makes from images, and with init_from what it reads
 * in the place of all. */
static gyre_status first_parameters(gyre_trainer *t, bool fresh) {
    gyre_snapshot *s = &t->snapshot;
    const gyre_model *model = t->resolved->model;
    const gyre_model_settings *settings = &t->resolved->settings.model;
    const char *from = fresh ? settings->init_from : NULL;
    gyre_status status = GYRE_OK;
    gyre_model_init(model, t->resolved->settings.seed, s->parameters, s->buffers);
    if (fresh && t->rank == 0) {
        status = run_whiten(t->resolved, s->mean, s->scale, t->watchdog, s->parameters);
    }
    if (from != NULL && t->rank == 0 && status == GYRE_OK) {
        status = gyre_weights_hash(from, &s->init_hash);
        if (status == GYRE_OK) status = first_input(t, from);
        if (status == GYRE_OK)
            status = gyre_parameters_import(from, model, 0, settings->init_weights, s);
        status = gyre_fail_in("model.init_from", status);
    }
    GYRE_TRY(gyre_comm_agree(t->comm, status));
    if (s->slow != NULL) {
        memcpy(s->slow, s->parameters, model->parameters * sizeof *s->slow);
        memcpy(s->slow + model->parameters, s->buffers, model->buffers * sizeof *s->slow);
    }
    return gyre_trainer_load(t);
}

gyre_status gyre_trainer_open(gyre_trainer *t, const gyre_resolved *resolved, gyre_comm *comm,
                              struct gyre_profile *profile, bool fresh) {
    *t = (gyre_trainer){.resolved = resolved,
                        .comm = comm,
                        .rank = gyre_comm_rank(comm),
                        .ranks = gyre_comm_size(comm),
                        .watchdog = gyre_comm_watchdog(comm),
                        .profile = profile};
    GYRE_TRY(open_device(t));
    gyre_watchdog_phase(t->watchdog, "building the network", -1);
    GYRE_TRY(gyre_comm_agree(t->comm, open_net(t)));
    GYRE_TRY(prepare_step(t));
    gyre_watchdog_phase(t->watchdog, "the first parameters", -1);
    return first_parameters(t, fresh);
}

gyre_status gyre_trainer_start(gyre_trainer *t, uint64_t seed, int64_t last) {
    t->seed = seed;
    gyre_child_end_resting();
    gyre_watchdog_phase(t->watchdog, "starting the loader", -1);
    if (t->profile != NULL) t->profile->first = t->completed + 2;
    gyre_status status = run_batches_prepare(t);
    if (status == GYRE_OK) status = run_batches_open(t, t->completed, last, &t->loader);
    return gyre_comm_agree(t->comm, status);
}

void gyre_trainer_stop(gyre_trainer *t) {
    if (t->loader != NULL) gyre_loader_close(t->loader);
    t->loader = NULL;
}

void gyre_trainer_close(gyre_trainer *t) {
    gyre_trainer_stop(t);
    run_averages_close(t);
    gyre_lookahead_close(t->lookahead);
    if (t->optimizer != NULL) gyre_optimizer_close(t->optimizer);
    if (t->shards != NULL) gyre_shards_close(t->shards);
    if (t->net != NULL) gyre_net_close(t->net);
    if (t->weights != NULL) gyre_weights_close(t->weights);
    if (t->digests != NULL) t->backend->ops->release(t->backend, (gyre_raw)(void *)t->digests);
    if (t->backend != NULL) t->backend->ops->close(t->backend);
    gyre_snapshot_close(&t->snapshot);
    free(t->config);
    free(t->phases);
    *t = (gyre_trainer){0};
}

/* ---- one update */

static gyre_status update(gyre_trainer *t, gyre_rate rate, gyre_ticket *ticket) {
    gyre_backend *b = t->backend;
    trainer_phase *phase = &t->phases[gyre_optimizer_phase(t->optimizer, t->completed)];
    enter(t, RUN_PHASE_LOADER);
    GYRE_TRY(gyre_loader_next(t->loader, &t->last.batch));
    const gyre_image_shape shape = {(int)t->last.batch.count, t->resolved->model->h,
                                    t->resolved->model->w, t->resolved->model->c};
    enter(t, RUN_PHASE_GRADIENTS);
    b->ops->range_push(b, "step");
    GYRE_TRY(b->ops->prefetch_batch(b, &shape, &t->last.batch));
    GYRE_TRY(gyre_optimizer_begin(t->optimizer, t->completed, rate));
    GYRE_TRY(run_averages_begin(t));
    GYRE_TRY(gyre_net_begin_step(t->net, t->seed, t->completed, t->rank * t->last.batch.count,
                                 t->resolved->settings.batch_size));
    GYRE_TRY(b->ops->record(b, operations, phase));
    if (t->lookahead != NULL) GYRE_TRY(gyre_lookahead_apply(t->lookahead, t->completed + 1));
    GYRE_TRY(run_averages_take(t));
    GYRE_TRY(b->ops->read_later(b->main, gyre_optimizer_scalars(t->optimizer), GYRE_SCALAR_COUNT,
                                ticket));
    b->ops->range_pop(b);
    return GYRE_OK;
}

gyre_status gyre_trainer_drain(gyre_trainer *t, gyre_step_result *last) {
    float scalars[GYRE_SCALAR_COUNT];
    *last = (gyre_step_result){.step = -1, .finite = true};
    if (!t->last.pending) return GYRE_OK;
    t->last.pending = false;
    t->backend->ops->range_push(t->backend, "results");
    GYRE_TRY(gyre_trainer_fatal(t, t->backend->ops->read(t->backend, t->last.ticket, scalars)));
    t->backend->ops->range_pop(t->backend);
    *last = (gyre_step_result){.step = t->completed - 1,
                               .time = t->last.time,
                               .rate = t->last.rate,
                               .loss = scalars[GYRE_SCALAR_LOSS],
                               .norm = scalars[GYRE_SCALAR_NORM],
                               .finite = scalars[GYRE_SCALAR_FINITE] != 0};
    return GYRE_OK;
}

gyre_status gyre_trainer_step(gyre_trainer *t, gyre_rate rate, gyre_wish mine,
                              gyre_step_result *previous, gyre_wish *agreed) {
    gyre_step_claim claim = {.step = (uint64_t)t->completed,
                             .config_hash = t->resolved->config_hash,
                             .stop = (uint64_t)mine};
    gyre_ticket ticket;
    uint64_t stop = 0;
    memcpy(&claim.lr_bits, &rate.lr, sizeof claim.lr_bits);
    if (t->profile != NULL && t->completed == t->profile->first) {
        GYRE_TRY(gyre_trainer_fatal(t, run_profile_begin(t->profile, t->net)));
    }
    GYRE_TRY(gyre_trainer_fatal(t, gyre_comm_step_begin(t->comm, &claim)));
    GYRE_TRY(gyre_trainer_fatal(t, update(t, rate, &ticket)));
    GYRE_TRY(gyre_trainer_drain(t, previous));
    t->last.pending = true;
    t->last.ticket = ticket;
    t->last.rate = rate;
    t->completed++;
    enter(t, RUN_PHASE_AGREE);
    GYRE_TRY(gyre_comm_step_end(t->comm, &stop));
    t->last.time = gyre_clock();
    run_profile_enter(t->profile, RUN_PHASE_OUTSIDE);
    *agreed = (gyre_wish)stop;
    return GYRE_OK;
}

gyre_status gyre_trainer_leave(gyre_trainer *t) {
    const gyre_step_claim claim = {.step = (uint64_t)t->completed, .leaves = 1};
    uint64_t stop;
    GYRE_TRY(gyre_trainer_fatal(t, gyre_comm_step_begin(t->comm, &claim)));
    return gyre_trainer_fatal(t, gyre_comm_step_end(t->comm, &stop));
}
