/* Evaluation; see gyre/evaluator.h. Batch i belongs to rank i mod ranks; a rank takes its batches
 * in rounds, so that what is gathered on the host stays small. */
#include "gyre/evaluator.h"

#include "batches.h"
#include "gyre/defaults.h"
#include "gyre/gather.h"
#include "gyre/size.h"
#include "gyre/text.h"
#include "views.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct gyre_evaluator {
    gyre_weights *weights;
    gyre_comm *comm;
    gyre_watchdog *watchdog;
    gyre_net *net;
    int64_t batch;
    gyre_passes passes; /* through the view */
    size_t sums;        /* that a batch leaves: the loss's, then (2, model->bands) */
    int slots;          /* batches of a round */
    size_t pixels;      /* bytes of a sample; of the first view, as what follows */
    gyre_raw stats;
    gyre_fitter **fitters; /* one for each slot; of the first view that is evaluated */
    gyre_crop *crops;      /* (slots, batch): the device resizes; or NULL */
    uint8_t *images;       /* (slots, batch, pixels) */
    int64_t *rows;         /* (slots, batch) */
    char *targets;         /* (slots, batch, target_bytes) */
    size_t target_bytes;   /* of a sample */
    float *logits;         /* (slots, batch, outputs) */
    int64_t *taken_rows; /* (batch): of the batch that rank 0 takes; these three are made for it */
    int32_t *taken_labels; /* (batch) */
    float *taken_outputs;  /* (batch, outputs) */
    float *results;        /* (slots, sums) */
    run_views_room *views; /* (slots); NULL: each picture by itself */
};

gyre_passes gyre_evaluate_passes(const gyre_evaluate_settings *s, bool at_end) {
    gyre_passes p = {.count = GYRE_DEFAULT_EVALUATE_PAIRS};
    if (s == NULL) return p;
    if (s->pairs > 0) p.count = s->pairs;
    if (at_end && s->test_pairs > 0) p.count = s->test_pairs;
    p.seed = s->seed;
    p.views = s->views;
    return p;
}

gyre_status gyre_views_check(const gyre_model *m, gyre_views views) {
    if (views == GYRE_VIEWS_NONE) return GYRE_OK;
    if (!gyre_model_tells_label(m)) {
        return gyre_fail(
            GYRE_EUSAGE,
            "views: expected none, since outputs of several views of a picture are "
            "averaged for a network that tells its class, and this one has the loss %s",
            m->loss);
    }
    if (views == GYRE_VIEWS_MIRROR || (m->h > 1 && m->w > 1)) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "views: samples of %d x %d cannot be moved by a pixel; take mirror, or none",
                     m->h, m->w);
}

static gyre_status open_views(gyre_evaluator *e) {
    const size_t slots = (size_t)e->slots;
    if (e->passes.views == GYRE_VIEWS_NONE) return GYRE_OK;
    GYRE_TRY(gyre_views_check(e->weights->model, e->passes.views));
    e->views = calloc(slots, sizeof *e->views);
    if (e->views == NULL) return gyre_no_memory("evaluation");
    for (size_t i = 0; i < slots; i++)
        GYRE_TRY(run_views_open(e->batch, gyre_model_outputs(e->weights->model), &e->views[i]));
    return GYRE_OK;
}

static gyre_status no_memory(int64_t batch) {
    return gyre_no_memory("evaluation batches of %lld samples; lower evaluate.batch",
                          (long long)batch);
}

gyre_status gyre_evaluator_open(gyre_weights *weights, int batch, gyre_passes passes,
                                gyre_comm *comm, gyre_watchdog *watchdog, gyre_evaluator **out) {
    const gyre_model *m = weights->model;
    gyre_status status = GYRE_OK;
    gyre_evaluator *e = calloc(1, sizeof *e);
    if (e == NULL) return gyre_no_memory("evaluation");
    e->weights = weights;
    e->comm = comm;
    e->watchdog = watchdog;
    e->batch = batch;
    gyre_evaluator_set_passes(e, passes);
    e->sums = GYRE_LOSS_SUMS + 2 * (size_t)m->bands;
    e->slots = 2 * weights->backend->lanes;
    e->target_bytes = gyre_target_values(&m->target) * sizeof(float);
    size_t samples = (size_t)e->slots * (size_t)batch;
    e->fitters = calloc((size_t)e->slots, sizeof *e->fitters);
    e->rows = malloc(samples * sizeof *e->rows);
    e->targets = malloc(samples * e->target_bytes);
    e->logits = malloc(samples * gyre_model_outputs(m) * sizeof *e->logits);
    e->results = malloc(e->sums * (size_t)e->slots * sizeof *e->results);
    if (!e->fitters || !e->rows || !e->targets || !e->logits || !e->results) {
        status = no_memory(batch);
        goto out;
    }
    GYRE_GOTO(weights->backend->ops->alloc(weights->backend,
                                           e->sums * (size_t)e->slots * sizeof(float), &e->stats));
    GYRE_GOTO(open_views(e));
    status = gyre_net_open(weights, batch, 0, &e->net);
out:
    if (status != GYRE_OK) {
        gyre_evaluator_close(e);
        e = NULL;
    }
    *out = e;
    return status;
}

void gyre_evaluator_set_passes(gyre_evaluator *e, gyre_passes passes) {
    e->passes = passes;
    if (!e->weights->model->draws_in_evaluation) e->passes.count = 1;
}

void gyre_evaluator_close(gyre_evaluator *e) {
    if (e == NULL) return;
    if (e->net != NULL) gyre_net_close(e->net);
    if (e->stats != NULL) e->weights->backend->ops->release(e->weights->backend, e->stats);
    for (int i = 0; e->fitters != NULL && i < e->slots; i++) gyre_fitter_close(e->fitters[i]);
    for (int i = 0; e->views != NULL && i < e->slots; i++) run_views_close(&e->views[i]);
    free(e->views);
    free(e->fitters);
    free(e->images);
    free(e->crops);
    free(e->rows);
    free(e->targets);
    free(e->logits);
    free(e->taken_rows);
    free(e->taken_labels);
    free(e->taken_outputs);
    free(e->results);
    free(e);
}

/* A round: batches first, first + ranks, ... of the view, one in each slot. */
typedef struct {
    gyre_evaluator *e;
    const gyre_view *view;
    int64_t first, stride;
    const gyre_score_details *details; /* NULL: none */
} evaluation_round;

static int64_t count_of(const gyre_evaluator *e, const gyre_view *v, int64_t batch) {
    int64_t left = v->count - batch * e->batch;
    return left < e->batch ? left : e->batch;
}

static gyre_status gather(const evaluation_round *r, int slot, gyre_batch *out) {
    const gyre_evaluator *e = r->e;
    const gyre_view *v = r->view;
    int64_t begin = (r->first + slot * r->stride) * e->batch;
    uint8_t *images = e->images + (size_t)slot * (size_t)e->batch * e->pixels;
    int64_t *rows = e->rows + slot * e->batch;
    gyre_crop *crops = e->crops == NULL ? NULL : e->crops + slot * e->batch;
    char *targets = e->targets + (size_t)slot * (size_t)e->batch * e->target_bytes;
    *out = (gyre_batch){.step = -1,
                        .first = begin,
                        .count = count_of(e, v, r->first + slot * r->stride),
                        .element = v->images->element,
                        .images = images,
                        .crops = crops,
                        .targets = targets,
                        .target_values = (int64_t)(e->target_bytes / sizeof(float))};
    for (int64_t i = 0; i < out->count; i++) rows[i] = gyre_view_row(v, begin + i);
    return gyre_gather(v, rows, out->count, NULL, e->fitters[slot],
                       &(gyre_gather_room){.images = images, .crops = crops, .targets = targets});
}

static gyre_status evaluate_batch(void *context, gyre_queue *q, int slot) {
    evaluation_round *r = context;
    gyre_evaluator *e = r->e;
    gyre_batch batch;
    GYRE_TRY(gather(r, slot, &batch));
    gyre_f32 stats = gyre_f32_at((gyre_f32)(void *)e->stats, e->sums * (size_t)slot);
    if (e->views == NULL)
        GYRE_TRY(gyre_net_evaluate(e->net, q, &batch, stats));
    else
        GYRE_TRY(run_views_evaluate(e->passes.views, &e->views[slot], e->net, q, &batch, stats));
    if (r->details == NULL) return GYRE_OK;
    size_t most = (size_t)e->batch * gyre_model_outputs(e->weights->model);
    return gyre_net_logits(e->net, q, e->logits + (size_t)slot * most);
}

int gyre_largest_output(const float *outputs, size_t n) {
    size_t best = 0;
    for (size_t k = 0; k < n; k++) {
        if (isnan(outputs[k])) return -1;
        if (outputs[k] > outputs[best]) best = k;
    }
    return (int)best;
}

static const float *logits_of(const gyre_evaluator *e, int slot) {
    return e->logits + (size_t)slot * (size_t)e->batch * gyre_model_outputs(e->weights->model);
}

static const int32_t *labels_of(const gyre_evaluator *e, int slot) {
    return (const int32_t *)(const void *)(e->targets +
                                           (size_t)slot * (size_t)e->batch * e->target_bytes);
}

/* What samples with one label each add to the details. */
static void count_classes(const evaluation_round *r, int slot) {
    const gyre_model *m = r->e->weights->model;
    double *samples = r->details->classes, *hits = samples + m->classes;
    const float *logits = logits_of(r->e, slot);
    const int32_t *labels = labels_of(r->e, slot);
    int64_t count = count_of(r->e, r->view, r->first + slot * r->stride);
    if (!gyre_model_tells_label(m)) return;
    for (int64_t i = 0; i < count; i++, logits += m->classes) {
        int best = gyre_largest_output(logits, (size_t)m->classes);
        samples[labels[i]] += 1;
        if (best == labels[i]) hits[labels[i]] += 1;
    }
}

/* ---- outputs, batch by batch to rank 0 */

static gyre_status open_taken(gyre_evaluator *e) {
    size_t batch = (size_t)e->batch;
    if (e->taken_outputs != NULL) return GYRE_OK;
    e->taken_rows = malloc(batch * sizeof *e->taken_rows);
    e->taken_labels = malloc(batch * sizeof *e->taken_labels);
    e->taken_outputs =
        malloc(batch * gyre_model_outputs(e->weights->model) * sizeof *e->taken_outputs);
    return e->taken_rows && e->taken_labels && e->taken_outputs ? GYRE_OK : no_memory(e->batch);
}

/* Batch `at` of the view, in `slot` of its rank. Collective. */
static gyre_status hand_over(const evaluation_round *r, int64_t at, int slot) {
    gyre_evaluator *e = r->e;
    const gyre_model *m = e->weights->model;
    int rank = gyre_comm_rank(e->comm), owner = (int)(at % r->stride);
    size_t count = (size_t)count_of(e, r->view, at), outputs = count * gyre_model_outputs(m);
    bool labelled = gyre_model_tells_label(m);
    gyre_status status = GYRE_OK;
    if (rank == owner) {
        memcpy(e->taken_outputs, logits_of(e, slot), outputs * sizeof(float));
        if (labelled) memcpy(e->taken_labels, labels_of(e, slot), count * sizeof(int32_t));
    }
    GYRE_TRY(gyre_comm_broadcast(e->comm, e->taken_outputs, outputs * sizeof(float), owner));
    if (labelled) {
        GYRE_TRY(gyre_comm_broadcast(e->comm, e->taken_labels, count * sizeof(int32_t), owner));
    }
    for (size_t i = 0; i < count; i++) {
        e->taken_rows[i] = gyre_view_row(r->view, at * e->batch + (int64_t)i);
    }
    if (rank == 0) {
        status =
            r->details->take(r->details->context,
                             &(gyre_outputs){(int64_t)count, e->taken_rows,
                                             labelled ? e->taken_labels : NULL, e->taken_outputs});
    }
    return gyre_comm_agree(e->comm, status);
}

/* All views that an evaluator sees are of one dataset, so of one shape. */
static gyre_status open_input(gyre_evaluator *e, const gyre_view *view) {
    if (e->images == NULL) {
        bool resizes = false;
        GYRE_TRY(run_batches_resize(e->weights->backend, view, &resizes));
        e->pixels = resizes ? gyre_images_row(view->images) : gyre_view_image_bytes(view);
        if (resizes) e->crops = calloc((size_t)e->slots * (size_t)e->batch, sizeof *e->crops);
        if (resizes && e->crops == NULL) return no_memory(e->batch);
        e->images = malloc(gyre_size_of((size_t)e->slots * (size_t)e->batch, e->pixels));
        if (e->images == NULL) return no_memory(e->batch);
    }
    for (int i = 0; i < e->slots; i++) {
        if (e->fitters[i] != NULL) continue;
        GYRE_TRY(gyre_fitter_open(view->images, view->size, &e->fitters[i]));
    }
    return GYRE_OK;
}

/* A failure of one rank, of which the others, in the middle of something collective, know nothing.
 */
static gyre_status abort_alone(const gyre_evaluator *e, gyre_status status) {
    if (status != GYRE_OK && gyre_comm_size(e->comm) > 1) gyre_comm_abort(e->comm, status);
    return status;
}

/* This rank's batches of a round; results(batches, sums) get what the loss adds up for each. */
static gyre_status evaluate_slots(evaluation_round *r, int slots, double *results) {
    gyre_evaluator *e = r->e;
    const gyre_backend_ops *ops = e->weights->backend->ops;
    if (slots == 0) return GYRE_OK;
    GYRE_TRY(ops->parallel(e->weights->backend, slots, evaluate_batch, r));
    GYRE_TRY(ops->download(e->weights->backend->main, e->results, (gyre_f32)(void *)e->stats,
                           e->sums * (size_t)slots));
    for (int slot = 0; slot < slots; slot++) {
        double *result = results + e->sums * (size_t)(r->first + slot * r->stride);
        const float *found = e->results + e->sums * (size_t)slot;
        for (size_t k = 0; k < e->sums; k++) result[k] += found[k];
        if (r->details != NULL) count_classes(r, slot);
    }
    return GYRE_OK;
}

/* All ranks go through the same rounds, at the last of which some have no batch. */
static gyre_status evaluate_rounds(gyre_evaluator *e, const gyre_view *view, int64_t batches,
                                   double *results, const gyre_score_details *details) {
    int64_t ranks = gyre_comm_size(e->comm), all = ranks * e->slots;
    evaluation_round r = {.e = e, .view = view, .stride = ranks, .details = details};
    bool taken = details != NULL && details->take != NULL;
    for (int64_t begin = 0; begin < batches; begin += all) {
        r.first = begin + gyre_comm_rank(e->comm);
        int64_t left = r.first < batches ? (batches - r.first + ranks - 1) / ranks : 0;
        if (e->watchdog != NULL) gyre_watchdog_beat(e->watchdog);
        GYRE_TRY(
            abort_alone(e, evaluate_slots(&r, left < e->slots ? (int)left : e->slots, results)));
        for (int64_t i = begin; taken && i < batches && i < begin + all; i++) {
            GYRE_TRY(hand_over(&r, i, (int)((i - begin) / ranks)));
        }
    }
    return GYRE_OK;
}

const char *gyre_score_text(const gyre_score *s, char *out, size_t size) {
    char value[64];
    snprintf(out, size, "loss %.4f, %s %s", s->loss, gyre_metric_prose(s->of).text,
             gyre_metric_text(s->of, s->metric, value, sizeof value));
    if (s->views > 1) gyre_text_add(out, size, ", of %d views", s->views);
    return out;
}

/* Of all batches, in their order. */
static void total(const gyre_evaluator *e, const double *results, int64_t batches, double *sums) {
    for (size_t k = 0; k < e->sums; k++) {
        sums[k] = 0;
        for (int64_t i = 0; i < batches; i++) sums[k] += results[(size_t)i * e->sums + k];
    }
}

static void score_of(const gyre_evaluator *e, const double *sums, int64_t samples,
                     gyre_score *out) {
    const gyre_model *m = e->weights->model;
    const double *bands = sums + GYRE_LOSS_SUMS, *counts = bands + m->bands;
    if (samples == 0) return;
    out->loss = sums[0] / (double)samples;
    /* outputs that are no numbers are right or wrong by chance, so no share of them is told */
    out->metric = isnan(out->loss) ? (double)NAN
                                   : gyre_metric_value(m->metric, sums[m->metric->sum], samples);
    for (int b = 0; b < m->bands; b++) {
        out->bands[b] = counts[b] > 0 ? bands[b] / counts[b] : (double)NAN;
    }
}

/* All passes through the view. Only of the first one something is told besides. */
static gyre_status evaluate_passes(gyre_evaluator *e, const gyre_view *view, int64_t batches,
                                   double *results, const gyre_score_details *details) {
    for (int pass = 0; pass < e->passes.count; pass++) {
        GYRE_TRY(gyre_net_begin_pass(e->net, e->passes, pass));
        GYRE_TRY(evaluate_rounds(e, view, batches, results, pass == 0 ? details : NULL));
    }
    return GYRE_OK;
}

gyre_status gyre_evaluator_run(gyre_evaluator *e, const gyre_view *view,
                               const gyre_score_details *details, gyre_score *out) {
    gyre_status status = GYRE_OK;
    int64_t batches = (view->count + e->batch - 1) / e->batch;
    const gyre_model *m = e->weights->model;
    size_t classes = 2 * (size_t)m->classes, count = e->sums * (size_t)batches;
    *out = (gyre_score){.of = m->metric,
                        .passes = e->passes.count,
                        .views = run_views_count(e->passes.views),
                        .band_count = m->bands};
    double *results = calloc(count + e->sums, sizeof *results);
    if (e->watchdog != NULL) gyre_watchdog_phase(e->watchdog, "evaluating", -1);
    if (results == NULL) status = gyre_no_memory("evaluation");
    if (status == GYRE_OK) status = open_input(e, view);
    if (details != NULL) {
        memset(details->classes, 0, classes * sizeof *details->classes);
        if (status == GYRE_OK && details->take != NULL) status = open_taken(e);
    }
    GYRE_GOTO(abort_alone(e, status));
    GYRE_GOTO(evaluate_passes(e, view, batches, results, details));
    GYRE_GOTO(gyre_comm_sum_f64(e->comm, results, count));
    if (details != NULL) GYRE_GOTO(gyre_comm_sum_f64(e->comm, details->classes, classes));
    total(e, results, batches, results + count);
    score_of(e, results + count, view->count * e->passes.count, out);
out:
    free(results);
    return status;
}
