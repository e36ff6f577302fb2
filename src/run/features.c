/* Features of pictures; see features.h. Each rank computes those of a part of the batches. */
#include "features.h"

#include "device.h"
#include "gyre/run.h"
#include "gyre/size.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 50 };

/* ---- the network */

static gyre_status check(const char *path, int h, int w, int c, const gyre_trained *t) {
    const gyre_model *m = t->model;
    const char *pixels = gyre_element_name(GYRE_ELEMENT_U8);
    const bool bytes = t->snapshot.element[0] == '\0' || !strcmp(t->snapshot.element, pixels);
    if (!gyre_model_tells_label(m)) {
        return gyre_fail(GYRE_EUSAGE,
                         "'%s': expected a network that tells a class for each picture, found one "
                         "with the loss %s",
                         path, m->loss);
    }
    if (m->h != h || m->w != w || m->c != c || !bytes) {
        return gyre_fail(GYRE_EUSAGE,
                         "'%s': expected a network for pictures of %d x %d x %d (height, width, "
                         "channels), found one for %s of %d x %d x %d",
                         path, h, w, c, bytes ? "pictures" : "arrays", m->h, m->w, m->c);
    }
    if (gyre_model_features(m) > 0) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "'%s': expected a network with some layers before its last one, whose "
                     "outputs are features; this one has none",
                     path);
}

gyre_status run_features_open(const char *path, int h, int w, int c, run_features *f) {
    uint64_t hash = 0;
    int64_t completed = 0;
    *f = (run_features){0};
    GYRE_TRY(gyre_trained_open(path, GYRE_WEIGHTS_ANY, &f->trained));
    GYRE_TRY(check(path, h, w, c, &f->trained));
    GYRE_TRY(gyre_checkpoint_hash(f->trained.checkpoint, &hash, &completed));
    f->count = gyre_model_features(f->trained.model);
    snprintf(f->name, sizeof f->name, "%s %016" PRIx64, f->trained.snapshot.model, hash);
    return GYRE_OK;
}

void run_features_close(run_features *f) {
    if (f->trained.checkpoint != NULL) gyre_trained_close(&f->trained);
    *f = (run_features){0};
}

gyre_status gyre_features_check(const char *path, int h, int w, int c) {
    run_features f;
    gyre_status status = run_features_open(path, h, w, c, &f);
    run_features_close(&f);
    return status;
}

/* ---- at work */

typedef struct {
    const run_features *f;
    gyre_backend *backend;
    gyre_weights *weights;
    gyre_net *net;
    gyre_raw stats;
    int32_t *targets; /* (BATCH), all class 0 */
    float *features;  /* (BATCH, count) */
} worker;

static void close_worker(worker *w) {
    if (w->stats != NULL) w->backend->ops->release(w->backend, w->stats);
    if (w->net != NULL) gyre_net_close(w->net);
    if (w->weights != NULL) gyre_weights_close(w->weights);
    if (w->backend != NULL) w->backend->ops->close(w->backend);
    free(w->targets);
    free(w->features);
    *w = (worker){0};
}

/* All but the backend. */
static gyre_status open_worker(worker *w) {
    const gyre_model *m = w->f->trained.model;
    w->targets = calloc(BATCH, sizeof *w->targets);
    w->features = malloc(BATCH * gyre_size_of(w->f->count, sizeof *w->features));
    if (w->targets == NULL || w->features == NULL) return gyre_no_memory("features of pictures");
    GYRE_TRY(run_device_load(m, &w->f->trained.snapshot, w->backend, &w->weights));
    size_t sums = GYRE_LOSS_SUMS + 2 * (size_t)m->bands;
    GYRE_TRY(w->backend->ops->alloc(w->backend, sums * sizeof(float), &w->stats));
    return gyre_net_open(w->weights, BATCH, 0, &w->net);
}

static gyre_status compute(const worker *w, const uint8_t *pictures, int64_t count, float *out) {
    gyre_queue *q = w->backend->main;
    const gyre_batch batch = {.step = -1,
                              .count = count,
                              .element = GYRE_ELEMENT_U8,
                              .images = pictures,
                              .targets = w->targets,
                              .target_values = 1};
    GYRE_TRY(gyre_net_evaluate(w->net, q, &batch, (gyre_f32)(void *)w->stats));
    GYRE_TRY(gyre_net_features(w->net, q, w->features));
    memcpy(out, w->features, (size_t)count * w->f->count * sizeof *out);
    return GYRE_OK;
}

/* This rank's batches, the others as 0. */
static gyre_status compute_own(const worker *w, const uint8_t *pictures, int64_t n, gyre_comm *comm,
                               double *out) {
    const gyre_model *m = w->f->trained.model;
    const size_t bytes = (size_t)m->h * (size_t)m->w * (size_t)m->c, each = w->f->count;
    float *found = malloc(BATCH * each * sizeof *found);
    gyre_status status = found == NULL ? gyre_no_memory("features of pictures") : GYRE_OK;
    const int64_t stride = BATCH * (int64_t)gyre_comm_size(comm);
    for (int64_t i = BATCH * (int64_t)gyre_comm_rank(comm); i < n && status == GYRE_OK;
         i += stride) {
        const int64_t count = n - i < BATCH ? n - i : BATCH;
        gyre_watchdog_beat(gyre_comm_watchdog(comm));
        status = compute(w, pictures + (size_t)i * bytes, count, found);
        for (size_t k = 0; k < (size_t)count * each && status == GYRE_OK; k++) {
            out[(size_t)i * each + k] = (double)found[k];
        }
    }
    free(found);
    return status;
}

gyre_status run_features_of(const run_features *f, const uint8_t *pictures, int64_t n,
                            gyre_comm *comm, float *out) {
    worker w = {.f = f};
    const size_t all = gyre_size_of((size_t)n, f->count);
    double *sums = calloc(all, sizeof *sums);
    gyre_status status = sums == NULL ? gyre_no_memory("features of pictures") : GYRE_OK;
    GYRE_GOTO(gyre_comm_agree(comm, status));
    GYRE_GOTO(run_device_open(NULL, comm, &w.backend));
    gyre_watchdog_phase(gyre_comm_watchdog(comm), "features of pictures", -1);
    status = open_worker(&w);
    if (status == GYRE_OK) status = compute_own(&w, pictures, n, comm, sums);
    GYRE_GOTO(gyre_comm_agree(comm, status));
    GYRE_GOTO(gyre_comm_sum_f64(comm, sums, all));
    for (size_t i = 0; i < all; i++) out[i] = (float)sums[i];
out:
    close_worker(&w);
    free(sums);
    return status;
}
