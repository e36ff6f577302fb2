/* Nearest training samples, by comparing with each; see gyre/nearest.h. Rank r compares samples r,
 * r + ranks, ... */
#include "gyre/nearest.h"

#include "gyre/fitter.h"
#include "gyre/gather.h"
#include <math.h>
#include <stdlib.h>

/* Reads samples of a view. */
typedef struct {
    const gyre_view *view;
    const gyre_sampling_input *in;
    size_t values;
    gyre_fitter *fitter;
    uint8_t *stored;
} reader;

static void close_reader(reader *r) {
    gyre_fitter_close(r->fitter);
    free(r->stored);
    *r = (reader){0};
}

static gyre_status open_reader(const gyre_view *view, const gyre_sampling_input *in, reader *r) {
    *r = (reader){.view = view,
                  .in = in,
                  .values = (size_t)in->h * (size_t)in->w * (size_t)in->c,
                  .stored = malloc(gyre_view_image_bytes(view))};
    gyre_status status = r->stored == NULL ? gyre_no_memory("the nearest training samples")
                                           : gyre_fitter_open(view->images, view->size, &r->fitter);
    if (status != GYRE_OK) close_reader(r);
    return status;
}

static gyre_status read_sample(const reader *r, int64_t index, float *x) {
    const gyre_sampling_input *in = r->in;
    GYRE_TRY(gyre_fitter_read(r->fitter, r->view->images, gyre_view_row(r->view, index), NULL,
                              r->stored));
    gyre_element_floats(r->view->images->element, r->stored, r->values, x);
    for (size_t i = 0; i < r->values; i++) {
        x[i] = (x[i] - in->mean[i]) * in->scale[i % (size_t)in->c];
    }
    return GYRE_OK;
}

/* Of n numbers; any number above `most` where it is above. */
static double squared_distance(const float *a, const float *b, size_t n, double most) {
    enum { LANES = 16, BLOCK = 256 };
    double sum = 0;
    for (size_t begin = 0; begin < n && !(sum > most); begin += BLOCK) {
        size_t end = begin + BLOCK < n ? begin + BLOCK : n, i = begin;
        float lanes[LANES] = {0};
        for (; i + LANES <= end; i += LANES) {
            for (size_t k = 0; k < LANES; k++) {
                float d = a[i + k] - b[i + k];
                lanes[k] += d * d;
            }
        }
        for (size_t k = 0; i < end; i++, k++) lanes[k] += (a[i] - b[i]) * (a[i] - b[i]);
        for (size_t k = 0; k < LANES; k++) sum += (double)lanes[k];
    }
    return sum;
}

/* This rank's best, `distance` still squared; index -1: none. */
static gyre_status search(const gyre_view *view, const gyre_sampling_input *in, const float *x,
                          int count, gyre_comm *comm, gyre_neighbour *best) {
    enum { BEAT = 256 };
    reader r;
    GYRE_TRY(open_reader(view, in, &r));
    gyre_status status = GYRE_OK;
    float *y = malloc(r.values * sizeof *y);
    if (y == NULL) GYRE_GOTO(gyre_no_memory("the nearest training samples"));
    for (int k = 0; k < count; k++) best[k] = (gyre_neighbour){-1, INFINITY};
    int64_t ranks = gyre_comm_size(comm);
    for (int64_t i = gyre_comm_rank(comm); i < view->count; i += ranks) {
        if (i / ranks % BEAT == 0) gyre_watchdog_beat(gyre_comm_watchdog(comm));
        GYRE_GOTO(read_sample(&r, i, y));
        for (int k = 0; k < count; k++) {
            double d = squared_distance(x + (size_t)k * r.values, y, r.values, best[k].distance);
            if (d < best[k].distance) best[k] = (gyre_neighbour){i, d};
        }
    }
out:
    free(y);
    close_reader(&r);
    return status;
}

/* The best of all ranks, each of which puts its own into a place of its own. */
static gyre_status join(gyre_comm *comm, int count, gyre_neighbour *best) {
    int ranks = gyre_comm_size(comm), rank = gyre_comm_rank(comm);
    size_t all = 2 * (size_t)ranks * (size_t)count;
    double *table = calloc(all, sizeof *table); /* (ranks, count, 2) */
    gyre_status status = table == NULL ? gyre_no_memory("the nearest training samples") : GYRE_OK;
    GYRE_GOTO(gyre_comm_agree(comm, status));
    for (int k = 0; k < count; k++) {
        double *own = table + 2 * ((size_t)rank * (size_t)count + (size_t)k);
        own[0] = (double)best[k].index;
        own[1] = isfinite(best[k].distance) ? best[k].distance : -1;
    }
    GYRE_GOTO(gyre_comm_sum_f64(comm, table, all));
    for (int k = 0; k < count; k++) {
        best[k] = (gyre_neighbour){-1, INFINITY};
        for (int r = 0; r < ranks; r++) {
            const double *its = table + 2 * ((size_t)r * (size_t)count + (size_t)k);
            bool nearer = its[1] < best[k].distance ||
                          (its[1] == best[k].distance && (int64_t)its[0] < best[k].index);
            if (its[1] >= 0 && nearer) best[k] = (gyre_neighbour){(int64_t)its[0], its[1]};
        }
        best[k].distance = sqrt(best[k].distance);
    }
out:
    free(table);
    return status;
}

gyre_status gyre_nearest(const gyre_view *view, const gyre_sampling_input *in, const float *x,
                         int count, gyre_comm *comm, gyre_neighbour *out) {
    gyre_watchdog_phase(gyre_comm_watchdog(comm), "looking for the nearest training samples", -1);
    GYRE_TRY(gyre_comm_agree(comm, search(view, in, x, count, comm, out)));
    return join(comm, count, out);
}

gyre_status gyre_nearest_read(const gyre_view *view, const gyre_sampling_input *in,
                              const gyre_neighbour *which, int count, float *x) {
    reader r;
    GYRE_TRY(open_reader(view, in, &r));
    gyre_status status = GYRE_OK;
    for (int k = 0; k < count && status == GYRE_OK; k++) {
        status = read_sample(&r, which[k].index, x + (size_t)k * r.values);
    }
    close_reader(&r);
    return status;
}
