/* Evaluation; see gyre/evaluator.h. Batch i belongs to rank i mod ranks; a rank takes its batches
 * in rounds, so that what is gathered on the host stays small. */
#include "gyre/evaluator.h"

#include "gyre/gather.h"
#include "gyre/size.h"
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
    int slots;     /* batches of a round */
    size_t pixels; /* bytes of a stored sample; of the first view, as what follows */
    gyre_raw stats;
    gyre_fitter **fitters; /* one for each slot; of the first view that is evaluated */
    uint8_t *images;       /* (slots, batch, pixels) */
    int64_t *rows;         /* (slots, batch) */
    char *targets;         /* (slots, batch, target_bytes) */
    size_t target_bytes;   /* of a sample */
    float *logits;         /* (slots, batch, outputs) */
    float *results;        /* (slots, 2) */
};

static gyre_status no_memory(int64_t batch) {
    return gyre_no_memory("evaluation batches of %lld samples; lower evaluate.batch",
                          (long long)batch);
}

gyre_status gyre_evaluator_open(gyre_weights *weights, int batch, gyre_comm *comm,
                                gyre_watchdog *watchdog, gyre_evaluator **out) {
    const gyre_model *m = weights->model;
    gyre_status status = GYRE_OK;
    gyre_evaluator *e = calloc(1, sizeof *e);
    if (e == NULL) return gyre_no_memory("evaluation");
    e->weights = weights;
    e->comm = comm;
    e->watchdog = watchdog;
    e->batch = batch;
    e->slots = 2 * weights->backend->lanes;
    e->target_bytes = gyre_target_values(&m->target) * sizeof(float);
    size_t samples = (size_t)e->slots * (size_t)batch;
    e->fitters = calloc((size_t)e->slots, sizeof *e->fitters);
    e->rows = malloc(samples * sizeof *e->rows);
    e->targets = malloc(samples * e->target_bytes);
    e->logits = malloc(samples * gyre_model_outputs(m) * sizeof *e->logits);
    e->results = malloc(2 * (size_t)e->slots * sizeof *e->results);
    if (!e->fitters || !e->rows || !e->targets || !e->logits || !e->results) {
        status = no_memory(batch);
        goto out;
    }
    GYRE_GOTO(weights->backend->ops->alloc(weights->backend, 2 * (size_t)e->slots * sizeof(float),
                                           &e->stats));
    status = gyre_net_open(weights, batch, false, &e->net);
out:
    if (status != GYRE_OK) {
        gyre_evaluator_close(e);
        e = NULL;
    }
    *out = e;
    return status;
}

void gyre_evaluator_close(gyre_evaluator *e) {
    if (e == NULL) return;
    if (e->net != NULL) gyre_net_close(e->net);
    if (e->stats != NULL) e->weights->backend->ops->release(e->weights->backend, e->stats);
    for (int i = 0; e->fitters != NULL && i < e->slots; i++) gyre_fitter_close(e->fitters[i]);
    free(e->fitters);
    free(e->images);
    free(e->rows);
    free(e->targets);
    free(e->logits);
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

static gyre_status gather(const evaluation_round *r, int slot, gyre_batch *out) {
    const gyre_evaluator *e = r->e;
    const gyre_view *v = r->view;
    int64_t begin = (r->first + slot * r->stride) * e->batch, left = v->count - begin;
    uint8_t *images = e->images + (size_t)slot * (size_t)e->batch * e->pixels;
    int64_t *rows = e->rows + slot * e->batch;
    char *targets = e->targets + (size_t)slot * (size_t)e->batch * e->target_bytes;
    *out = (gyre_batch){.step = -1,
                        .count = left < e->batch ? left : e->batch,
                        .element = v->images->element,
                        .images = images,
                        .targets = targets,
                        .target_values = (int64_t)(e->target_bytes / sizeof(float))};
    for (int64_t i = 0; i < out->count; i++) rows[i] = gyre_view_row(v, begin + i);
    return gyre_gather(v, rows, out->count, NULL, e->fitters[slot],
                       &(gyre_gather_room){.images = images, .targets = targets});
}

static gyre_status evaluate_batch(void *context, gyre_queue *q, int slot) {
    evaluation_round *r = context;
    gyre_evaluator *e = r->e;
    gyre_batch batch;
    GYRE_TRY(gather(r, slot, &batch));
    gyre_f32 stats = gyre_f32_at((gyre_f32)(void *)e->stats, 2 * (size_t)slot);
    GYRE_TRY(gyre_net_evaluate(e->net, q, &batch, stats));
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

/* What samples with one label each add to the details. */
static void count_classes(const gyre_score_details *d, const int32_t *labels, const float *logits,
                          int64_t count, int n) {
    for (int64_t i = 0; i < count; i++, logits += n) {
        int best = gyre_largest_output(logits, (size_t)n), label = labels[i];
        d->classes[label] += 1;
        if (best == label) d->classes[n + label] += 1;
    }
}

/* What the samples of a batch add to the details. */
static void add_details(const evaluation_round *r, int slot) {
    const gyre_evaluator *e = r->e;
    const gyre_model *m = e->weights->model;
    const gyre_score_details *d = r->details;
    int64_t begin = (r->first + slot * r->stride) * e->batch, left = r->view->count - begin;
    int64_t count = left < e->batch ? left : e->batch;
    size_t outputs = gyre_model_outputs(m);
    bool labelled = gyre_target_is_label(&m->target);
    const float *logits = e->logits + (size_t)slot * (size_t)e->batch * outputs;
    const char *targets = e->targets + (size_t)slot * (size_t)e->batch * e->target_bytes;
    const int32_t *labels = (const int32_t *)(const void *)targets;
    if (d->outputs != NULL) {
        memcpy(d->outputs + (size_t)begin * outputs, logits,
               (size_t)count * outputs * sizeof *logits);
    }
    if (d->outputs != NULL && labelled) {
        memcpy(d->labels + begin, labels, (size_t)count * sizeof *labels);
    }
    if (labelled) count_classes(d, labels, logits, count, m->classes);
}

/* All views that an evaluator sees are of one dataset, so of one shape. */
static gyre_status open_input(gyre_evaluator *e, const gyre_view *view) {
    if (e->images == NULL) {
        e->pixels = gyre_view_image_bytes(view);
        e->images = malloc(gyre_size_of((size_t)e->slots * (size_t)e->batch, e->pixels));
        if (e->images == NULL) return no_memory(e->batch);
    }
    for (int i = 0; i < e->slots; i++) {
        if (e->fitters[i] != NULL) continue;
        GYRE_TRY(gyre_fitter_open(view->images, view->size, &e->fitters[i]));
    }
    return GYRE_OK;
}

/* This rank's batches; results[2 i] and [2 i + 1] get what the loss adds up for batch i. */
static gyre_status evaluate_mine(gyre_evaluator *e, const gyre_view *view, int64_t batches,
                                 double *results, const gyre_score_details *details) {
    const gyre_backend_ops *ops = e->weights->backend->ops;
    int64_t ranks = gyre_comm_size(e->comm);
    evaluation_round r = {.e = e, .view = view, .stride = ranks, .details = details};
    GYRE_TRY(open_input(e, view));
    for (r.first = gyre_comm_rank(e->comm); r.first < batches; r.first += ranks * e->slots) {
        int64_t left = (batches - r.first + ranks - 1) / ranks;
        int slots = left < e->slots ? (int)left : e->slots;
        if (e->watchdog != NULL) gyre_watchdog_beat(e->watchdog);
        GYRE_TRY(ops->parallel(e->weights->backend, slots, evaluate_batch, &r));
        GYRE_TRY(ops->download(e->weights->backend->main, e->results, (gyre_f32)(void *)e->stats,
                               2 * (size_t)slots));
        for (int slot = 0; slot < slots; slot++) {
            double *result = results + 2 * (r.first + slot * ranks);
            const float *found = e->results + 2 * (size_t)slot;
            result[0] = found[0];
            result[1] = found[1];
            if (details != NULL) add_details(&r, slot);
        }
    }
    return GYRE_OK;
}

const char *gyre_score_text(const gyre_score *s, char *out, size_t size) {
    char value[64];
    snprintf(out, size, "loss %.4f, %s %s", s->loss, gyre_metric_prose(s->of).text,
             gyre_metric_text(s->of, s->metric, value, sizeof value));
    return out;
}

/* Each rank has its own samples, and zeros for the others. */
static gyre_status sum_outputs(gyre_evaluator *e, const gyre_score_details *d, int64_t count) {
    enum { PIECE = 1 << 16 };
    size_t each = gyre_model_outputs(e->weights->model), all = (size_t)count * (each + 1);
    double *piece = malloc(PIECE * sizeof *piece);
    gyre_status status = piece == NULL ? gyre_no_memory("the outputs") : GYRE_OK;
    if (status != GYRE_OK) gyre_comm_abort(e->comm, status);
    for (size_t at = 0; at < all && status == GYRE_OK; at += PIECE) {
        size_t n = all - at < PIECE ? all - at : PIECE, outputs = (size_t)count * each;
        for (size_t i = 0; i < n; i++) {
            size_t k = at + i;
            piece[i] = k < outputs ? (double)d->outputs[k] : (double)d->labels[k - outputs];
        }
        status = gyre_comm_sum_f64(e->comm, piece, n);
        for (size_t i = 0; i < n && status == GYRE_OK; i++) {
            size_t k = at + i;
            if (k < outputs)
                d->outputs[k] = (float)piece[i];
            else
                d->labels[k - outputs] = (int32_t)piece[i];
        }
    }
    free(piece);
    return status;
}

static gyre_status sum_details(gyre_evaluator *e, const gyre_score_details *d, int64_t count) {
    if (d == NULL) return GYRE_OK;
    GYRE_TRY(gyre_comm_sum_f64(e->comm, d->classes, 2 * (size_t)e->weights->model->classes));
    return d->outputs == NULL ? GYRE_OK : sum_outputs(e, d, count);
}

static void clear_details(const gyre_evaluator *e, const gyre_score_details *d, int64_t count) {
    size_t classes = (size_t)e->weights->model->classes, n = (size_t)count;
    if (d == NULL) return;
    memset(d->classes, 0, 2 * classes * sizeof *d->classes);
    if (d->outputs == NULL) return;
    memset(d->outputs, 0, n * gyre_model_outputs(e->weights->model) * sizeof *d->outputs);
    memset(d->labels, 0, n * sizeof *d->labels);
}

gyre_status gyre_evaluator_run(gyre_evaluator *e, const gyre_view *view,
                               const gyre_score_details *details, gyre_score *out) {
    gyre_status status = GYRE_OK;
    int64_t batches = (view->count + e->batch - 1) / e->batch;
    const gyre_model *m = e->weights->model;
    *out = (gyre_score){.of = m->metric};
    double *results = calloc(2 * (size_t)batches + 1, sizeof *results);
    if (e->watchdog != NULL) gyre_watchdog_phase(e->watchdog, "evaluating", -1);
    clear_details(e, details, view->count);
    if (results == NULL) {
        status = gyre_no_memory("evaluation");
    } else {
        status = evaluate_mine(e, view, batches, results, details);
    }
    if (status != GYRE_OK && gyre_comm_size(e->comm) > 1) gyre_comm_abort(e->comm, status);
    GYRE_GOTO(status);
    GYRE_GOTO(gyre_comm_sum_f64(e->comm, results, 2 * (size_t)batches));
    GYRE_GOTO(sum_details(e, details, view->count));
    double loss = 0, sum = 0;
    for (int64_t i = 0; i < batches; i++) {
        loss += results[2 * i];
        sum += results[2 * i + m->metric->sum];
    }
    if (view->count > 0) {
        out->loss = loss / (double)view->count;
        /* outputs that are no numbers are right or wrong by chance, so no share of them is told */
        out->metric =
            isnan(out->loss) ? (double)NAN : gyre_metric_value(m->metric, sum, view->count);
    }
out:
    free(results);
    return status;
}
