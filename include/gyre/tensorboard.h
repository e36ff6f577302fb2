/* Event files, in which TensorBoard shows a run: loss, rates, metrics over completed updates, the
 * config as text and as hyper-parameters.
 *
 * A point's step is the number of completed updates, for training and evaluation alike (metrics.h5
 * counts training rows from 0). Rank 0 writes. */
#ifndef GYRE_TENSORBOARD_H
#define GYRE_TENSORBOARD_H

#include "gyre/events.h"
#include "gyre/metrics.h"
#include "gyre/run_folder.h"
#include "gyre/settings.h"
#include "gyre/status.h"
#include <stdbool.h>
#include <stdint.h>

typedef struct gyre_tensorboard gyre_tensorboard;

/* Begins a file in the run's folder `dir`, beside those of earlier launches, whose points after
 * `completed` updates TensorBoard then drops. Where there are none, the rows of `before` come first
 * (NULL: there are no rows). Nothing is written yet. GYRE_EIO: the folder cannot be read. */
gyre_status gyre_tensorboard_open(const char *dir, const gyre_settings *settings,
                                  const gyre_metric *metric, int64_t completed,
                                  const gyre_tables *before, gyre_tensorboard **out);
/* Add a row; with `t` NULL they do nothing. As in gyre_metrics_train, a row that cannot be written
 * yet (a full disk) waits in memory: GYRE_EIO then says why, and later calls try again.
 * GYRE_EDEVICE: out of memory, the row is lost. */
gyre_status gyre_tensorboard_train(gyre_tensorboard *t, const gyre_train_row *row);
gyre_status gyre_tensorboard_validation(gyre_tensorboard *t, const gyre_validation_row *row);
gyre_status gyre_tensorboard_test(gyre_tensorboard *t, const gyre_test_row *row); /* time: now */
/* A PNG of this step. */
gyre_status gyre_tensorboard_picture(gyre_tensorboard *t, int64_t step, const char *tag,
                                     const char *png, size_t size);
/* Hands all rows to the operating system: a checkpoint must not outlive them. */
gyre_status gyre_tensorboard_flush(gyre_tensorboard *t);
/* The run's folder was moved, and is at `dir` from now on. GYRE_EDEVICE. */
gyre_status gyre_tensorboard_moved(gyre_tensorboard *t, const char *dir);
/* The run has ended, as it should or not; one that is to be resumed has not. */
void gyre_tensorboard_end(gyre_tensorboard *t, bool success);
gyre_status gyre_tensorboard_close(gyre_tensorboard *t); /* writes all that waits */

/* A file of all rows of a run, in `dir`, which is there: *path, free() it. Replaces such a file
 * that was made before, and refuses to write beside others. `log` is the run's log.jsonl, which has
 * its begin and its test scores. GYRE_EIO, GYRE_EDEVICE. */
gyre_status gyre_tensorboard_export(const gyre_run_content *run, const char *log, const char *dir,
                                    char **path);

#endif
