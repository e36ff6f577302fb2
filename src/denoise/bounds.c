/* The two bounds over a whole evaluation; see gyre/bounds.h. The work is cut into portions of a few
 * samples in one pass; each leaves its samples' errors, which are added in the order of passes and
 * samples, so that ranks and lanes do not matter. */
#include "gyre/bounds.h"

#include "bound.h"
#include "gyre/denoiser.h"
#include "gyre/diffusion.h"
#include "gyre/size.h"
#include "rows.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PORTION = 16 }; /* samples for which the training images are read once */

typedef struct {
    const gyre_bounds_question *q;
    gyre_denoiser denoiser;
    gyre_diffusion_shape shape;
    double *alpha_bar; /* (steps) */
    denoise_rows train, view;
    float *train_values, *view_values; /* behind them */
    denoise_linear *linear;            /* NULL: not known */
    denoise_memory *memory;
    int64_t portions;                      /* of a pass */
    int64_t first, stride;                 /* of the round */
    double *linear_errors, *memory_errors; /* (passes, samples) */
} work;

static void close_work(work *w) {
    free(w->alpha_bar);
    free(w->train_values);
    free(w->view_values);
    denoise_linear_close(w->linear);
    denoise_memory_close(w->memory);
    free(w->linear_errors);
    free(w->memory_errors);
}

static gyre_status open_work(const gyre_bounds_question *q, gyre_watchdog *watchdog, work *w) {
    const size_t samples = (size_t)q->view->count * (size_t)q->passes.count;
    w->q = q;
    gyre_denoiser_of(q->model, &w->denoiser);
    w->shape = (gyre_diffusion_shape){.c = (size_t)q->model->c,
                                      .from = (uint32_t)w->denoiser.from,
                                      .range = (uint32_t)(w->denoiser.to - w->denoiser.from),
                                      .offset = w->denoiser.offset};
    w->alpha_bar = malloc((size_t)w->denoiser.schedule.steps * sizeof *w->alpha_bar);
    w->linear_errors = calloc(samples + 1, sizeof *w->linear_errors);
    w->memory_errors = calloc(samples + 1, sizeof *w->memory_errors);
    if (!w->alpha_bar || !w->linear_errors || !w->memory_errors) {
        return gyre_no_memory("bounds of %zu samples", samples);
    }
    gyre_noise_alpha_bar(&w->denoiser.schedule, w->alpha_bar);
    GYRE_TRY(denoise_rows_read(q->train, q->mean, q->scale, &w->train_values, &w->train));
    GYRE_TRY(denoise_rows_read(q->view, q->mean, q->scale, &w->view_values, &w->view));
    w->portions = (q->view->count + PORTION - 1) / PORTION;
    GYRE_TRY(denoise_memory_open(w->train, &w->memory));
    if (w->train.width > DENOISE_LINEAR_WIDTH_MAX) return GYRE_OK;
    return denoise_linear_open(w->train, watchdog, &w->linear);
}

/* ---- a portion */

static uint32_t time_of(const work *w, int pass, int64_t sample) {
    uint32_t draws[GYRE_DRAW_WORDS];
    gyre_pass_draws(w->q->passes, pass, draws);
    return gyre_diffusion_time(&w->shape, draws, (uint32_t)sample);
}

static void noise_of(const work *w, const uint32_t *draws, int64_t sample, float *out) {
    const size_t width = w->view.width, c = w->shape.c;
    for (size_t k = 0; k < width; k += 4) {
        const gyre_diffusion_normals four =
            gyre_diffusion_four(draws, (uint32_t)(k / 4), (uint32_t)sample, GYRE_DIFFUSION_NOISE);
        for (size_t i = 0; i < 4 && k + i < width; i++) out[k + i] = four.v[i];
    }
    for (size_t k = 0; w->shape.offset != 0 && k < width; k++) {
        const gyre_diffusion_normals four = gyre_diffusion_four(
            draws, (uint32_t)(k % c / 4), (uint32_t)sample, GYRE_DIFFUSION_OFFSET);
        out[k] += w->shape.offset * four.v[k % c % 4];
    }
}

typedef struct {
    int pass;
    int64_t begin; /* sample */
    size_t count;
    double a[PORTION], s[PORTION];
} portion;

static portion portion_at(const work *w, int64_t index) {
    portion p = {.pass = (int)(index / w->portions), .begin = index % w->portions * PORTION};
    const int64_t left = w->q->view->count - p.begin;
    p.count = left < PORTION ? (size_t)left : PORTION;
    for (size_t i = 0; i < p.count; i++) {
        const double alpha_bar = w->alpha_bar[time_of(w, p.pass, p.begin + (int64_t)i)];
        p.a[i] = sqrt(alpha_bar);
        p.s[i] = sqrt(1 - alpha_bar);
    }
    return p;
}

/* Errors of v; of the noise they are a^2 times as large. */
static double factor(const work *w, const portion *p, size_t i) {
    return w->denoiser.predict == GYRE_PREDICT_V ? 1 : p->a[i] * p->a[i];
}

static double *errors_at(const work *w, double *errors, const portion *p) {
    return errors + (size_t)p->pass * w->view.count + (size_t)p->begin;
}

static gyre_status score_linear(const work *w, const portion *p) {
    double *squares = malloc(w->view.width * sizeof *squares);
    double *errors = errors_at(w, w->linear_errors, p);
    gyre_status status = squares == NULL ? gyre_no_memory("bounds") : GYRE_OK;
    for (size_t i = 0; i < p->count && status == GYRE_OK; i++) {
        const float *image = w->view.values + ((size_t)p->begin + i) * w->view.width;
        status = denoise_linear_squares(w->linear, image, squares);
        if (status != GYRE_OK) break;
        errors[i] = factor(w, p, i) * denoise_linear_error(w->linear, squares, p->a[i], p->s[i]);
    }
    free(squares);
    return status;
}

static gyre_status score_memory(const work *w, const portion *p) {
    const size_t width = w->view.width;
    const float *images[PORTION];
    double *errors = errors_at(w, w->memory_errors, p);
    float *noised = malloc(p->count * width * sizeof *noised);
    uint32_t draws[GYRE_DRAW_WORDS];
    if (noised == NULL) return gyre_no_memory("bounds");
    gyre_pass_draws(w->q->passes, p->pass, draws);
    for (size_t i = 0; i < p->count; i++) {
        float *x = noised + i * width;
        images[i] = w->view.values + ((size_t)p->begin + i) * width;
        noise_of(w, draws, p->begin + (int64_t)i, x);
        for (size_t k = 0; k < width; k++) {
            x[k] = (float)(p->a[i] * (double)images[i][k] + p->s[i] * (double)x[k]);
        }
    }
    const denoise_batch batch = {p->count, images, noised, p->a, p->s, errors};
    gyre_status status = denoise_memory_errors(w->memory, &batch);
    for (size_t i = 0; i < p->count; i++) errors[i] *= factor(w, p, i);
    free(noised);
    return status;
}

static gyre_status score_portion(void *context, gyre_queue *queue, int slot) {
    const work *w = context;
    const portion p = portion_at(w, w->first + slot * w->stride);
    (void)queue;
    if (w->linear != NULL) GYRE_TRY(score_linear(w, &p));
    return score_memory(w, &p);
}

/* ---- all of them */

/* This rank's portions are those whose number is its own modulo the ranks. A failure of one rank
 * aborts the job, since the others do not ask until the end. */
static gyre_status score_all(work *w, gyre_backend *b, gyre_comm *comm) {
    const int64_t all = w->portions * w->q->passes.count, ranks = gyre_comm_size(comm);
    gyre_status status = GYRE_OK;
    w->stride = ranks;
    for (w->first = gyre_comm_rank(comm); w->first < all && status == GYRE_OK;
         w->first += ranks * b->lanes) {
        const int64_t left = (all - w->first + ranks - 1) / ranks;
        const int slots = left < b->lanes ? (int)left : b->lanes;
        gyre_watchdog_beat(gyre_comm_watchdog(comm));
        status = b->ops->parallel(b, slots, score_portion, w);
    }
    return gyre_comm_agree(comm, status);
}

static void total(const work *w, const double *errors, gyre_bound *out) {
    double counts[GYRE_LOSS_BANDS_MAX] = {0};
    const int bands = w->q->model->bands, steps = w->denoiser.schedule.steps;
    *out = (gyre_bound){0};
    for (int pass = 0; pass < w->q->passes.count; pass++) {
        for (size_t i = 0; i < w->view.count; i++) {
            const double error = errors[(size_t)pass * w->view.count + i];
            const int b = (int)(time_of(w, pass, (int64_t)i) * (uint32_t)bands / (uint32_t)steps);
            out->mean += error;
            out->bands[b] += error;
            counts[b]++;
        }
    }
    out->mean /= (double)w->view.count * w->q->passes.count;
    for (int b = 0; b < bands; b++) {
        out->bands[b] = counts[b] > 0 ? out->bands[b] / counts[b] : (double)NAN;
    }
}

gyre_status gyre_bounds_of(const gyre_bounds_question *q, gyre_backend *b, gyre_comm *comm,
                           gyre_bounds *out) {
    work w = {0};
    const size_t samples = (size_t)q->view->count * (size_t)q->passes.count;
    *out = (gyre_bounds){.train = q->train->count};
    gyre_watchdog_phase(gyre_comm_watchdog(comm), "computing bounds", -1);
    gyre_status status = gyre_comm_agree(comm, open_work(q, gyre_comm_watchdog(comm), &w));
    if (status != GYRE_OK) goto out;
    out->linear_known = w.linear != NULL;
    GYRE_GOTO(score_all(&w, b, comm));
    GYRE_GOTO(gyre_comm_sum_f64(comm, w.linear_errors, samples));
    GYRE_GOTO(gyre_comm_sum_f64(comm, w.memory_errors, samples));
    total(&w, w.linear_errors, &out->linear);
    total(&w, w.memory_errors, &out->memory);
out:
    close_work(&w);
    return status;
}
