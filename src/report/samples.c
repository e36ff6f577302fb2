/* What cells made at their end; see samples.h. */
#include "samples.h"

#include "gyre/file.h"
#include "gyre/grid.h"
#include "gyre/latents.h"
#include "gyre/run_folder.h"
#include "gyre/sampling.h"
#include "labels.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { COLUMNS = 8 };

/* ---- measures */

static const gyre_cell_result *result_of(const gyre_results *e, int arm, int seed) {
    const gyre_results_cell *c = gyre_results_at(e, arm, seed);
    return gyre_cell_counts(c) && c->result.samples > 0 ? &c->result : NULL;
}

/* NaN: the cell has none, or does not count. */
static double value_at(const gyre_results *e, int arm, int seed, int measure) {
    const gyre_cell_result *r = result_of(e, arm, seed);
    if (r == NULL) return NAN;
    return measure == REPORT_COPYING ? 100 * r->copying : r->kernel_distance;
}

bool report_samples_exist(const gyre_results *e, int group) {
    for (int i = 0; i < e->study->arm_count; i++) {
        if (e->study->arms[i].group != group) continue;
        for (int seed = 0; seed < e->study->seed_count; seed++) {
            if (result_of(e, i, seed) != NULL) return true;
        }
    }
    return false;
}

const char *report_samples_features(const gyre_results *e, int group) {
    const char *name = NULL;
    for (int i = 0; i < e->study->arm_count; i++) {
        if (e->study->arms[i].group != group) continue;
        for (int seed = 0; seed < e->study->seed_count; seed++) {
            const gyre_cell_result *r = result_of(e, i, seed);
            if (r == NULL) continue;
            if (name == NULL) name = r->features;
            if (r->features[0] == '\0' || strcmp(name, r->features) != 0) return NULL;
        }
    }
    return name;
}

int report_samples_values(const gyre_results *e, int arm, int measure, double *values) {
    int count = 0;
    for (int seed = 0; seed < e->study->seed_count; seed++) {
        const double value = value_at(e, arm, seed, measure);
        if (isfinite(value)) values[count++] = value;
    }
    return count;
}

int report_samples_differences(const gyre_results *e, int arm, int measure, double *values) {
    const int control = e->main_control[e->study->arms[arm].group];
    int count = 0;
    if (control < 0 || control == arm) return 0;
    for (int seed = 0; seed < e->study->seed_count; seed++) {
        const double own = value_at(e, arm, seed, measure);
        const double other = value_at(e, control, seed, measure);
        if (isfinite(own) && isfinite(other)) values[count++] = own - other;
    }
    return count;
}

/* ---- the grid */

static char *path_of(const gyre_results *e, int arm, int seed, const char *name) {
    char *folder = gyre_study_cell_folder(e->study, arm, seed);
    char *dir = folder == NULL ? NULL : gyre_path_join(folder, GYRE_SAMPLES);
    char *path = dir == NULL ? NULL : gyre_path_join(dir, name);
    free(dir);
    free(folder);
    return path;
}

static bool is_there(const gyre_results *e, int arm, int seed) {
    char *path = path_of(e, arm, seed, GYRE_SAMPLES_PICTURES);
    bool there = path != NULL && gyre_file_exists(path);
    free(path);
    return there && result_of(e, arm, seed) != NULL;
}

/* The first seed with which all arms of the group made pictures; -1: there is none. */
static int find_seed(const gyre_results *e, int group) {
    for (int seed = 0; seed < e->study->seed_count; seed++) {
        bool all = true;
        for (int i = 0; i < e->study->arm_count && all; i++) {
            all = e->study->arms[i].group != group || is_there(e, i, seed);
        }
        if (all) return seed;
    }
    return -1;
}

typedef struct {
    int h, w, c, columns; /* of all rows: those of the first */
    int rows;
    uint8_t **pictures; /* (rows), each (columns, h, w, c) */
    char (*labels)[REPORT_NAME_MAX];
} grid;

static void close_grid(grid *g) {
    for (int i = 0; g->pictures != NULL && i < g->rows; i++) free(g->pictures[i]);
    free(g->pictures);
    free(g->labels);
}

static gyre_status open_grid(const gyre_results *e, grid *g) {
    const size_t most = (size_t)e->study->arm_count + 1;
    *g = (grid){.pictures = calloc(most, sizeof *g->pictures),
                .labels = calloc(most, sizeof *g->labels)};
    return g->pictures && g->labels ? GYRE_OK : gyre_no_memory("a grid");
}

static gyre_status take_pictures(const gyre_latents *l, const char *path, grid *g) {
    if (g->rows == 0) {
        *g = (grid){l->h, l->w,        l->c,     l->count < COLUMNS ? l->count : COLUMNS,
                    0,    g->pictures, g->labels};
    }
    if (l->h != g->h || l->w != g->w || l->c != g->c || l->count < g->columns ||
        (l->c != 1 && l->c != 3)) {
        return gyre_fail(GYRE_EIO,
                         "'%s': expected %d pictures of %d x %d with %d channels, found %d of %d x "
                         "%d with %d",
                         path, g->columns, g->h, g->w, g->c == 1 ? 1 : 3, l->count, l->h, l->w,
                         l->c);
    }
    const size_t values = (size_t)g->columns * (size_t)g->h * (size_t)g->w * (size_t)g->c;
    uint8_t *pixels = malloc(values);
    if (pixels == NULL) return gyre_no_memory("a grid");
    for (size_t i = 0; i < values; i++) pixels[i] = gyre_sampling_pixel((double)l->values[i]);
    g->pictures[g->rows++] = pixels;
    return GYRE_OK;
}

/* One more row, the pictures of a file. */
static gyre_status add_row(const gyre_results *e, int arm, int seed, const char *name, grid *g) {
    gyre_latents l = {0};
    char *path = path_of(e, arm, seed, name);
    gyre_status status = path == NULL ? gyre_no_memory("a grid") : gyre_latents_read(path, &l);
    if (status == GYRE_OK) status = take_pictures(&l, path, g);
    free(l.values);
    free(path);
    return status;
}

static gyre_status add_rows(const gyre_results *e, int group, int seed, grid *g) {
    int first = -1;
    for (int i = 0; i < e->study->arm_count; i++) {
        if (e->study->arms[i].group != group) continue;
        if (first < 0) first = i;
        report_arm(e, i, g->labels[g->rows]);
        GYRE_TRY(add_row(e, i, seed, GYRE_SAMPLES_PICTURES, g));
    }
    snprintf(g->labels[g->rows], REPORT_NAME_MAX, "training picture\nnearest to row 1");
    return add_row(e, first, seed, GYRE_SAMPLES_NEAREST, g);
}

static gyre_status draw(const grid *g, char **png, size_t *size) {
    static const char *const heads[COLUMNS] = {"0", "1", "2", "3", "4", "5", "6", "7"};
    const char **labels = calloc((size_t)g->rows, sizeof *labels);
    if (labels == NULL) return gyre_no_memory("a grid");
    for (int i = 0; i < g->rows; i++) labels[i] = g->labels[i];
    const gyre_grid picture = {.h = g->h,
                               .w = g->w,
                               .c = g->c,
                               .rows = g->rows,
                               .columns = g->columns,
                               .pictures = (const uint8_t *const *)g->pictures,
                               .labels = labels,
                               .corner = "noise",
                               .heads = heads};
    gyre_status status = gyre_grid_png(&picture, png, size);
    free(labels);
    return status;
}

gyre_status report_samples_grid(const gyre_results *e, int group, char **png, size_t *size,
                                uint64_t *seed) {
    grid g;
    const int which = find_seed(e, group);
    *png = NULL;
    if (which < 0) return GYRE_OK;
    *seed = e->study->seeds[which];
    gyre_status status = open_grid(e, &g);
    if (status == GYRE_OK) status = add_rows(e, group, which, &g);
    if (status == GYRE_OK) status = draw(&g, png, size);
    close_grid(&g);
    return status;
}
