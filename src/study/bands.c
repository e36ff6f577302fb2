/* Curves over seeds: mean, least and greatest at each step. Evaluations count only at steps that
 * all cells of a group share, so that an arm with more minima is not drawn more often. */
#include "bands.h"

#include <math.h>
#include <stdlib.h>

enum { STRETCHES = 200 }; /* of a curve of training losses */

typedef struct {
    double step, value;
} sample;

/* A single run is shown whatever became of it. */
static bool is_shown(const gyre_results *e, const gyre_results_cell *c) {
    return e->single || gyre_cell_counts(c);
}

/* ---- the common grid */

static bool has_step(const gyre_tables *t, int64_t step) {
    size_t low = 0, high = t->validation_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (t->validation[middle].step < step) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low < t->validation_count && t->validation[low].step == step;
}

static bool shared_by_all(const gyre_results *e, int group, int64_t step) {
    for (int arm = 0; arm < e->study->arm_count; arm++) {
        if (e->study->arms[arm].group != group) continue;
        for (int seed = 0; seed < e->study->seed_count; seed++) {
            const gyre_results_cell *c = gyre_results_at(e, arm, seed);
            if (is_shown(e, c) && !has_step(&c->tables, step)) return false;
        }
    }
    return true;
}

static const gyre_tables *first_counted(const gyre_results *e, int group) {
    for (int arm = 0; arm < e->study->arm_count; arm++) {
        if (e->study->arms[arm].group != group) continue;
        for (int seed = 0; seed < e->study->seed_count; seed++) {
            const gyre_results_cell *c = gyre_results_at(e, arm, seed);
            if (is_shown(e, c)) return &c->tables;
        }
    }
    return NULL;
}

gyre_status gyre_results_grid(const gyre_results *e, int group, int64_t **steps, size_t *count) {
    const gyre_tables *t = first_counted(e, group);
    size_t room = t == NULL ? 0 : t->validation_count;
    *count = 0;
    *steps = calloc(room + 1, sizeof **steps);
    if (*steps == NULL) return gyre_no_memory("%zu evaluations", room);
    for (size_t i = 0; i < room; i++) {
        int64_t step = t->validation[i].step;
        if (shared_by_all(e, group, step)) (*steps)[(*count)++] = step;
    }
    return GYRE_OK;
}

/* ---- bands */

static int by_step(const void *a, const void *b) {
    const sample *x = a, *y = b;
    if (x->step != y->step) return x->step < y->step ? -1 : 1;
    return (x->value > y->value) - (x->value < y->value); /* so sums do not depend on qsort */
}

/* Samples of all seeds, mixed, become points. */
static gyre_status gather(sample *samples, size_t count, gyre_band *band) {
    band->points = calloc(count + 1, sizeof *band->points);
    if (band->points == NULL) return gyre_no_memory("a curve");
    qsort(samples, count, sizeof *samples, by_step);
    for (size_t i = 0, end; i < count; i = end) {
        gyre_band_point p = {samples[i].step, 0, 0, INFINITY, -INFINITY};
        for (end = i; end < count && samples[end].step == samples[i].step; end++) {
            p.seeds++;
            p.mean += samples[end].value;
            p.least = fmin(p.least, samples[end].value);
            p.greatest = fmax(p.greatest, samples[end].value);
        }
        p.mean /= p.seeds;
        band->points[band->count++] = p;
    }
    return GYRE_OK;
}

typedef struct {
    sample *loss, *metric;
    size_t losses, metrics;
} samples;

/* The metric as it is shown. */
static void add(samples *s, int64_t step, double loss, double metric) {
    if (isfinite(loss)) s->loss[s->losses++] = (sample){(double)step, loss};
    if (isfinite(metric)) s->metric[s->metrics++] = (sample){(double)step, metric};
}

static void add_evaluations(samples *s, const gyre_metric *m, const gyre_tables *t,
                            const int64_t *grid, size_t count) {
    size_t g = 0;
    for (size_t i = 0; i < t->validation_count; i++) {
        const gyre_validation_row *row = &t->validation[i];
        while (g < count && grid[g] < row->step) g++;
        if (g < count && grid[g] == row->step) {
            add(s, row->step, row->loss, gyre_metric_shown(m, row->metric));
        }
    }
}

static void add_minima(samples *s, const gyre_metric *m, const gyre_tables *t) {
    for (size_t i = 0; i < t->cycle_count; i++) {
        const gyre_cycle_row *row = &t->cycles[i];
        add(s, row->end_step, row->loss, gyre_metric_shown(m, row->metric));
    }
}

/* Means of the training loss over equal stretches, each at its last completed update. */
static void add_training(samples *s, const gyre_tables *t) {
    size_t rows = t->train_count, stretches = rows < STRETCHES ? rows : STRETCHES;
    for (size_t k = 0; k < stretches; k++) {
        size_t first = k * rows / stretches, end = (k + 1) * rows / stretches;
        double sum = 0;
        for (size_t i = first; i < end; i++) sum += t->train[i].loss;
        add(s, t->train[end - 1].step + 1, sum / (double)(end - first), NAN);
    }
}

typedef enum { TRAINING, EVALUATIONS, MINIMA } source;

static size_t rows_of(const gyre_tables *t, source from) {
    if (from == TRAINING) return STRETCHES;
    return from == MINIMA ? t->cycle_count : t->validation_count;
}

/* `metric` may be NULL. */
static gyre_status collect(const gyre_results *e, int arm, source from, const int64_t *grid,
                           size_t grid_count, gyre_band *loss, gyre_band *metric) {
    gyre_status status = GYRE_OK;
    size_t room = 1;
    for (int seed = 0; seed < e->study->seed_count; seed++) {
        room += rows_of(&gyre_results_at(e, arm, seed)->tables, from);
    }
    samples s = {calloc(room, sizeof *s.loss), calloc(room, sizeof *s.metric), 0, 0};
    if (s.loss == NULL || s.metric == NULL) {
        status = gyre_no_memory("a curve of %zu points", room);
        goto out;
    }
    for (int seed = 0; seed < e->study->seed_count; seed++) {
        const gyre_results_cell *c = gyre_results_at(e, arm, seed);
        if (!is_shown(e, c)) continue;
        if (from == TRAINING) add_training(&s, &c->tables);
        if (from == EVALUATIONS) add_evaluations(&s, e->metric, &c->tables, grid, grid_count);
        if (from == MINIMA) add_minima(&s, e->metric, &c->tables);
    }
    GYRE_GOTO(gather(s.loss, s.losses, loss));
    if (metric != NULL) status = gather(s.metric, s.metrics, metric);
out:
    free(s.loss);
    free(s.metric);
    return status;
}

static gyre_status draw_group(gyre_results *e, int group) {
    gyre_status status = GYRE_OK;
    int64_t *grid = NULL;
    size_t count = 0;
    GYRE_TRY(gyre_results_grid(e, group, &grid, &count));
    for (int i = 0; i < e->study->arm_count; i++) {
        gyre_results_arm *a = &e->arms[i];
        if (e->study->arms[i].group != group) continue;
        GYRE_GOTO(collect(e, i, TRAINING, NULL, 0, &a->train, NULL));
        GYRE_GOTO(collect(e, i, EVALUATIONS, grid, count, &a->loss, &a->metric));
        GYRE_GOTO(collect(e, i, MINIMA, NULL, 0, &a->minima_loss, &a->minima_metric));
    }
out:
    free(grid);
    return status;
}

gyre_status study_draw_bands(gyre_results *e) {
    for (int g = 0; g < e->study->group_count; g++) GYRE_TRY(draw_group(e, g));
    return GYRE_OK;
}
