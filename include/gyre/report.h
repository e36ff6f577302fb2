/* Reports: one page and CSV files that say what a study, or a run, shows; and what a single file
 * holds. */
#ifndef GYRE_REPORT_H
#define GYRE_REPORT_H

#include "gyre/status.h"
#include <stdio.h>

/* Reports the study or run in `folder` into the folder `out` (made when it is not there; NULL:
 * FOLDER/report): index.html, cells.csv and curves.csv, for a study arms.csv and comparisons.csv,
 * and figures/ with each figure, its data and its script. `target`: the value of the metric, in
 * its unit for people, that "steps to the target" counts to; NaN: the final mean of the control.
 * Except for seconds, the files are a pure function of what the cells computed. GYRE_EIO when the
 * folder holds neither, when gnuplot is missing, or when a file would be overwritten that gyre did
 * not write; page and tables are then as they were. */
gyre_status gyre_report_write(const char *folder, const char *out, double target);

/* Prints a summary of what a run folder, checkpoint, metrics file or dataset holds, and verifies
 * its checksums. */
gyre_status gyre_inspect(const char *path, FILE *out);
/* Name and shape of all that an HDF5 file, or a run folder's newest checkpoint, holds. */
gyre_status gyre_inspect_names(const char *path, FILE *out);

#endif
