/* A trainer's state: to the host and back, and the same on all ranks; see gyre/trainer.h. */
#include "gyre/trainer.h"

#include <stdio.h>
#include <string.h>

gyre_status gyre_trainer_fatal(gyre_trainer *t, gyre_status status) {
    if (status != GYRE_OK && t->ranks > 1) gyre_comm_abort(t->comm, status);
    return status;
}

/* ---- averages of the weights */

float *gyre_trainer_average(const gyre_trainer *t, int kind) {
    const bool taken = kind == (int)t->resolved->settings.average.kind;
    return taken ? t->snapshot.averages : t->snapshot.beside[kind];
}

static gyre_status save_averages(gyre_trainer *t) {
    for (int kind = 0; kind < GYRE_AVERAGE_COUNT; kind++) {
        if (t->averages[kind] == NULL) continue;
        GYRE_TRY(gyre_average_download(t->averages[kind], gyre_trainer_average(t, kind)));
    }
    return GYRE_OK;
}

static size_t state_bytes(const gyre_model *m) {
    return (m->parameters + m->buffers) * sizeof(float);
}

static gyre_status share_averages(gyre_trainer *t) {
    const size_t bytes = state_bytes(t->resolved->model);
    for (int kind = 0; kind < GYRE_AVERAGE_COUNT; kind++) {
        if (t->averages[kind] == NULL) continue;
        GYRE_TRY(gyre_comm_broadcast(t->comm, gyre_trainer_average(t, kind), bytes, 0));
    }
    return GYRE_OK;
}

static gyre_status upload_averages(gyre_trainer *t) {
    for (int kind = 0; kind < GYRE_AVERAGE_COUNT; kind++) {
        if (t->averages[kind] == NULL) continue;
        GYRE_TRY(gyre_average_upload(t->averages[kind], gyre_trainer_average(t, kind)));
    }
    return GYRE_OK;
}

/* ---- all of it */

static size_t pixels_of(const gyre_model *m) {
    return (size_t)m->h * (size_t)m->w * (size_t)m->c;
}

gyre_status gyre_trainer_save(gyre_trainer *t) {
    const gyre_backend_ops *ops = t->backend->ops;
    gyre_queue *q = t->backend->main;
    gyre_snapshot *s = &t->snapshot;
    s->completed = t->completed;
    s->config_hash = t->resolved->config_hash;
    s->data_hash = t->resolved->data_hash;
    const gyre_model_settings *model = &t->resolved->settings.model;
    snprintf(s->model, sizeof s->model, "%s", t->resolved->model->name);
    snprintf(s->loss, sizeof s->loss, "%s", model->loss == NULL ? "" : model->loss);
    snprintf(s->element, sizeof s->element, "%s",
             gyre_element_name(t->resolved->samples.train.images->element));
    snprintf(s->average, sizeof s->average, "%s",
             gyre_average_name(t->resolved->settings.average.kind));
    s->classes = t->resolved->model->classes;
    s->ranks = t->ranks;
    snprintf(s->machine, sizeof s->machine, "%s", t->machine);
    GYRE_TRY(
        ops->download(q, s->parameters, t->weights->parameters, t->resolved->model->parameters));
    if (t->resolved->model->buffers > 0) {
        GYRE_TRY(ops->download(q, s->buffers, t->weights->buffers, t->resolved->model->buffers));
    }
    size_t channels = (size_t)t->resolved->model->c;
    GYRE_TRY(save_averages(t));
    if (t->lookahead != NULL) GYRE_TRY(gyre_lookahead_download(t->lookahead, s->slow));
    GYRE_TRY(ops->download(q, s->mean, t->weights->mean, pixels_of(t->resolved->model)));
    GYRE_TRY(ops->download(q, s->scale, t->weights->scale, channels));
    for (int i = 0; i < s->state_count; i++) {
        gyre_f32 vector = NULL;
        gyre_optimizer_state(t->optimizer, i, &vector);
        GYRE_TRY(ops->download(q, s->states[i], vector, t->resolved->model->parameters));
    }
    return GYRE_OK;
}

static gyre_status upload(gyre_trainer *t) {
    const gyre_backend_ops *ops = t->backend->ops;
    gyre_queue *q = t->backend->main;
    const gyre_snapshot *s = &t->snapshot;
    GYRE_TRY(ops->upload(q, t->weights->parameters, s->parameters, t->resolved->model->parameters));
    if (t->resolved->model->buffers > 0) {
        GYRE_TRY(ops->upload(q, t->weights->buffers, s->buffers, t->resolved->model->buffers));
    }
    GYRE_TRY(upload_averages(t));
    if (t->lookahead != NULL) GYRE_TRY(gyre_lookahead_upload(t->lookahead, s->slow));
    GYRE_TRY(ops->upload(q, t->weights->mean, s->mean, pixels_of(t->resolved->model)));
    GYRE_TRY(ops->upload(q, t->weights->scale, s->scale, (size_t)t->resolved->model->c));
    for (int i = 0; i < s->state_count; i++) {
        gyre_f32 vector = NULL;
        gyre_optimizer_state(t->optimizer, i, &vector);
        GYRE_TRY(ops->upload(q, vector, s->states[i], t->resolved->model->parameters));
    }
    GYRE_TRY(gyre_optimizer_restart(t->optimizer));
    GYRE_TRY(gyre_weights_pack(t->weights));
    return ops->sync(t->backend);
}

gyre_status gyre_trainer_load(gyre_trainer *t) {
    gyre_snapshot *s = &t->snapshot;
    size_t bytes = t->resolved->model->parameters * sizeof(float);
    GYRE_TRY(gyre_comm_broadcast(t->comm, &s->completed, sizeof s->completed, 0));
    GYRE_TRY(gyre_comm_broadcast(t->comm, s->parameters, bytes, 0));
    GYRE_TRY(
        gyre_comm_broadcast(t->comm, s->buffers, t->resolved->model->buffers * sizeof(float), 0));
    GYRE_TRY(share_averages(t));
    if (t->lookahead != NULL)
        GYRE_TRY(gyre_comm_broadcast(t->comm, s->slow, state_bytes(t->resolved->model), 0));
    const size_t pixels = pixels_of(t->resolved->model), channels = (size_t)t->resolved->model->c;
    GYRE_TRY(gyre_comm_broadcast(t->comm, s->mean, pixels * sizeof(float), 0));
    GYRE_TRY(gyre_comm_broadcast(t->comm, s->scale, channels * sizeof(float), 0));
    for (int i = 0; i < s->state_count; i++) {
        GYRE_TRY(gyre_comm_broadcast(t->comm, s->states[i], bytes, 0));
    }
    t->completed = s->completed;
    return gyre_comm_agree(t->comm, upload(t));
}
