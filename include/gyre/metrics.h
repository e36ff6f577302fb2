/* metrics.h5: the tables of a run, readable at any moment while it is written.
 *
 * Compound tables in HDF5's default format without filters, flushed at most once a second, file
 * locking off (gyre's own lock file guards the folder). Rank 0 writes; readers are h5dump, h5py,
 * `gyre plot`, `gyre export`, `gyre inspect`. */
#ifndef GYRE_METRICS_H
#define GYRE_METRICS_H

#include "gyre/metric.h"
#include "gyre/settings.h"
#include "gyre/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    int64_t step; /* update index t */
    int64_t epoch, cycle;
    double lr, momentum, loss, grad_norm, samples_per_s, seconds;
} gyre_train_row;

typedef struct {
    int64_t step; /* completed updates */
    int64_t epoch, cycle;
    double loss, metric, seconds;
} gyre_validation_row;

typedef struct {
    int64_t cycle, end_step; /* completed updates */
    double lr;               /* of the last update */
    double loss, metric;     /* of the evaluation at that step; NaN when there was none */
} gyre_cycle_row;

/* The metric in each band of a loss that has bands (gyre_score), beside the validation row of the
 * step; NaN where no sample was in it, and behind the last band. */
typedef struct {
    int64_t step;
    double bands[GYRE_LOSS_BANDS_MAX];
} gyre_bands_row;

/* Of a run that averages its weights: the scores of the last weights (GYRE_AVERAGE_NONE) and of its
 * averages, by their kind, beside the validation row of the step; NaN of those that it does not
 * keep. */
typedef struct {
    int64_t step;
    double loss[GYRE_AVERAGE_COUNT], metric[GYRE_AVERAGE_COUNT];
} gyre_averages_row;

typedef struct gyre_metrics gyre_metrics;

/* Tables that some runs have alone. */
enum { GYRE_METRICS_BANDS = 1, GYRE_METRICS_AVERAGES = 2 };

/* Creates `path`, or opens it and cuts the rows after `completed` updates, so that a resume neither
 * doubles nor loses one. `metric` is the one of the rows: its name is their column. `parts`: what
 * of the above there is. */
gyre_status gyre_metrics_open(const char *path, const gyre_metric *metric, unsigned parts,
                              int64_t completed, gyre_metrics **out);
/* Add a row. A row that cannot be written yet (a full disk) waits in memory: GYRE_EIO then says
 * why, and later calls try again. GYRE_EDEVICE: out of memory, the row is lost. */
gyre_status gyre_metrics_train(gyre_metrics *m, const gyre_train_row *row);
gyre_status gyre_metrics_validation(gyre_metrics *m, const gyre_validation_row *row);
gyre_status gyre_metrics_cycle(gyre_metrics *m, const gyre_cycle_row *row);
gyre_status gyre_metrics_bands(gyre_metrics *m, const gyre_bands_row *row); /* where it has any */
gyre_status gyre_metrics_averages(gyre_metrics *m, const gyre_averages_row *row); /* likewise */
/* `check` is asked before a file takes the place of the one that is there, since the folder may
 * have been moved away, and another run's may be in its place. */
void gyre_metrics_guard(gyre_metrics *m, gyre_status (*check)(void *context), void *context);
/* The file's folder was moved: it is at `path` from now on. GYRE_EDEVICE. */
gyre_status gyre_metrics_moved(gyre_metrics *m, const char *path);
/* Hands all rows to the operating system. */
gyre_status gyre_metrics_flush(gyre_metrics *m);
/* A descriptor of the file as it was flushed, the caller's to close, for fsync in another thread: a
 * checkpoint must not outlive its rows in a power cut. */
gyre_status gyre_metrics_descriptor(const gyre_metrics *m, int *out);
/* `seconds` of the last training row kept at open, 0 without one: where a resumed run's clock goes
 * on. */
double gyre_metrics_seconds(const gyre_metrics *m);
/* Completed updates after the last training row of the file that was opened; 0: it had none. */
int64_t gyre_metrics_end(const gyre_metrics *m);
gyre_status gyre_metrics_close(gyre_metrics *m); /* writes everything and calls fsync */

/* Everything in one file, read at once; free with gyre_tables_free. */
typedef struct {
    const gyre_metric *metric; /* what the rows' metric is */
    gyre_train_row *train;
    gyre_validation_row *validation;
    gyre_cycle_row *cycles;
    gyre_bands_row *bands;       /* NULL: the loss has none */
    gyre_averages_row *averages; /* NULL: the run has none */
    size_t train_count, validation_count, cycle_count, bands_count, averages_count;
} gyre_tables;
gyre_status gyre_tables_read(const char *path, gyre_tables *out);
void gyre_tables_free(gyre_tables *t);

#endif
