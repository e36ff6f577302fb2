/* The run's folder and what is open in it: tables and log. Rank 0 only; elsewhere all is empty.
 * Internal to src/run. */
#ifndef GYRE_RUN_FILES_H
#define GYRE_RUN_FILES_H

#include "gyre/events.h"
#include "gyre/metrics.h"
#include "gyre/model.h"
#include "gyre/progress.h"
#include "gyre/run_folder.h"
#include "gyre/tensorboard.h"

typedef struct {
    gyre_run_folder folder;
    gyre_metrics *metrics;
    gyre_events *events;
    gyre_tensorboard *tensorboard; /* NULL: none was asked for */
    gyre_progress *progress;       /* taken off the terminal before a warning */
    double followed;               /* clock: when the folder was last looked for */
    bool rows_wait;             /* rows or log lines could not be written, a warning was printed */
    bool lost;                  /* the folder is gone: no result would be kept */
    char error[GYRE_ERROR_MAX]; /* why */
} run_files;

/* Nothing is open yet. */
run_files run_files_none(gyre_progress *progress);
/* Opens tables, with the rows of the first `completed` updates, and log. */
gyre_status run_files_open(run_files *f, const gyre_model *model, const gyre_settings *s,
                           int64_t completed);
/* Begins an event file, should the settings ask for one. */
gyre_status run_files_open_tensorboard(run_files *f, const gyre_settings *s,
                                       const gyre_metric *metric, int64_t completed);
void run_files_close(run_files *f);

/* Before files of the run folder are written by name: the folder may have been moved, or removed
 * (GYRE_EIO, which ends the run). */
gyre_status run_files_follow(run_files *f);

/* A row or a log line that could not be written does not end a run: warns, once. Rows wait in
 * memory and are tried again each second. */
void run_files_tolerate(run_files *f, gyre_status status);
/* Ends a line of the log likewise. */
void run_files_log(run_files *f, gyre_json *line);

#endif
