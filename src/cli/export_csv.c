/* gyre export csv: a run's tables, for spreadsheets, R and pandas. */
#include "export.h"

#include "cli.h"
#include "gyre/file.h"
#include "gyre/log.h"
#include "gyre/metrics.h"
#include "gyre/overwrite.h"
#include "holds.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* 17 digits bring the same double back. NaN and Inf as R and pandas read them. */
static void number(FILE *f, double value, char after) {
    if (isnan(value)) {
        fprintf(f, "NaN%c", after);
    } else if (isinf(value)) {
        fprintf(f, "%sInf%c", value < 0 ? "-" : "", after);
    } else {
        fprintf(f, "%.17g%c", value, after);
    }
}

static void numbers(FILE *f, const double *values, size_t count) {
    for (size_t i = 0; i < count; i++) number(f, values[i], i + 1 < count ? ',' : '\n');
}

static void print_train(const gyre_tables *t, FILE *f) {
    for (size_t i = 0; i < t->train_count; i++) {
        const gyre_train_row *r = &t->train[i];
        fprintf(f, "%" PRId64 ",%" PRId64 ",%" PRId64 ",", r->step, r->epoch, r->cycle);
        numbers(f,
                (double[]){r->lr, r->momentum, r->loss, r->grad_norm, r->samples_per_s, r->seconds},
                6);
    }
}

static void print_validation(const gyre_tables *t, FILE *f) {
    for (size_t i = 0; i < t->validation_count; i++) {
        const gyre_validation_row *r = &t->validation[i];
        fprintf(f, "%" PRId64 ",%" PRId64 ",%" PRId64 ",", r->step, r->epoch, r->cycle);
        numbers(f, (double[]){r->loss, r->metric, r->seconds}, 3);
    }
}

static void print_cycles(const gyre_tables *t, FILE *f) {
    for (size_t i = 0; i < t->cycle_count; i++) {
        const gyre_cycle_row *r = &t->cycles[i];
        fprintf(f, "%" PRId64 ",%" PRId64 ",", r->cycle, r->end_step);
        numbers(f, (double[]){r->lr, r->loss, r->metric}, 3);
    }
}

static void print_bands(const gyre_tables *t, FILE *f) {
    for (size_t i = 0; i < t->bands_count; i++) {
        fprintf(f, "%" PRId64 ",", t->bands[i].step);
        numbers(f, t->bands[i].bands, GYRE_LOSS_BANDS_MAX);
    }
}

static void print_averages(const gyre_tables *t, FILE *f) {
    for (size_t i = 0; i < t->averages_count; i++) {
        const gyre_averages_row *r = &t->averages[i];
        double values[2 * GYRE_AVERAGE_COUNT];
        memcpy(values, r->loss, sizeof r->loss);
        memcpy(values + GYRE_AVERAGE_COUNT, r->metric, sizeof r->metric);
        fprintf(f, "%" PRId64 ",", r->step);
        numbers(f, values, 2 * (size_t)GYRE_AVERAGE_COUNT);
    }
}

static bool has_bands(const gyre_tables *t) {
    return t->bands != NULL;
}

static bool has_averages(const gyre_tables *t) {
    return t->averages != NULL;
}

/* The columns up to the metric's, whether it has one, and those behind it. `exists` NULL: of every
 * run. */
static const struct {
    const char *name, *before;
    bool has_metric;
    const char *behind;
    void (*print)(const gyre_tables *t, FILE *f);
    bool (*exists)(const gyre_tables *t);
} files[] = {
    {"train.csv", "step,epoch,cycle,lr,momentum,loss,grad_norm,samples_per_s,seconds", false, "",
     print_train, NULL},
    {"validation.csv", "step,epoch,cycle,loss,", true, ",seconds", print_validation, NULL},
    {"cycles.csv", "cycle,end_step,lr,loss,", true, "", print_cycles, NULL},
    {"bands.csv", "step,band_0,band_1,band_2,band_3,band_4,band_5,band_6,band_7,band_8,band_9",
     false, "", print_bands, has_bands},
    {"averages.csv",
     "step,loss_last,loss_ema,loss_swa,loss_minima,loss_schedule_free,metric_last,"
     "metric_ema,metric_swa,metric_minima,metric_schedule_free",
     false, "", print_averages, has_averages},
};
enum { FILES = sizeof files / sizeof *files };

static bool is_of(const gyre_tables *t, int file) {
    return files[file].exists == NULL || files[file].exists(t);
}

/* The first line, which is what tells that gyre wrote the file. */
typedef struct {
    char text[200];
} header;
static header header_of(const gyre_tables *t, int file) {
    header h;
    snprintf(h.text, sizeof h.text, "%s%s%s\n", files[file].before,
             files[file].has_metric ? t->metric->name : "", files[file].behind);
    return h;
}

static gyre_status check_place(const gyre_tables *t, const char *dir, int file) {
    char *path = gyre_path_join(dir, files[file].name);
    if (path == NULL) return gyre_no_memory("writing '%s'", files[file].name);
    gyre_status status = gyre_overwrite_check(path, header_of(t, file).text);
    free(path);
    return status;
}

/* A run's tables only grow, so that an earlier export is the beginning of this one. A file that is
 * not was changed by hand, or is of a run that has gone on from an earlier checkpoint. */
static gyre_status keep_changed(const char *path, const char *text, size_t size) {
    enum { LARGEST = 1 << 30 };
    char *there = NULL, *kept = NULL;
    size_t length = 0;
    if (!gyre_file_exists(path)) return GYRE_OK;
    GYRE_TRY(gyre_file_read(path, LARGEST, &there, &length));
    bool beginning = length <= size && memcmp(there, text, length) == 0;
    free(there);
    if (beginning) return GYRE_OK;
    GYRE_TRY(gyre_overwrite_keep(path, "before", &kept));
    gyre_warn("'%s' is not the beginning of this export, as it would be of this run and unchanged; "
              "that file is '%s' now",
              path, kept);
    free(kept);
    return GYRE_OK;
}

static gyre_status write_table(const gyre_tables *t, const char *dir, int file) {
    gyre_status status = GYRE_OK;
    const char *name = files[file].name;
    char *text = NULL, *path = gyre_path_join(dir, name);
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    if (f == NULL || path == NULL) {
        status = gyre_no_memory("writing '%s'", name);
        if (f != NULL) fclose(f);
        goto out;
    }
    fputs(header_of(t, file).text, f);
    files[file].print(t, f);
    if (ferror(f) | fclose(f)) {
        status = gyre_no_memory("writing '%s'", path);
        goto out;
    }
    GYRE_GOTO(keep_changed(path, text, size));
    GYRE_GOTO(gyre_file_write_atomic(path, text, size));
    cli_print_path(path);
out:
    free(text);
    free(path);
    return status;
}

static gyre_status export_run(const char *run_dir, gyre_weights_choice weights, const char *given) {
    gyre_status status = GYRE_OK;
    gyre_tables tables = {0};
    char *own = gyre_path_join(run_dir, "csv"), *metrics = NULL;
    (void)weights;
    if (own == NULL) {
        status = gyre_no_memory("exporting '%s'", run_dir);
        goto out;
    }
    GYRE_GOTO(cli_metrics_of(run_dir, &metrics));
    const char *dir = given == NULL ? own : given;
    GYRE_GOTO(gyre_tables_read(metrics, &tables));
    GYRE_GOTO(gyre_dir_make(dir));
    for (int i = 0; i < FILES; i++) {
        if (is_of(&tables, i)) GYRE_GOTO(check_place(&tables, dir, i));
    }
    for (int i = 0; i < FILES; i++) {
        if (is_of(&tables, i)) GYRE_GOTO(write_table(&tables, dir, i));
    }
out:
    gyre_tables_free(&tables);
    free(own);
    free(metrics);
    return status;
}

const cli_export_format cli_export_csv = {"csv", CLI_HOLDS_RUN, export_run};
