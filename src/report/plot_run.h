/* A run as figures show it. Internal to src/report. */
#ifndef GYRE_REPORT_PLOT_RUN_H
#define GYRE_REPORT_PLOT_RUN_H

#include "gyre/run_folder.h"
#include "losses.h"

typedef struct {
    const char *dir;
    char *name; /* last part of the folder's name; more of them where runs would share it */
    gyre_run_content content;
} report_run;

/* GYRE_EIO when `dir` holds no run, or one that has not
 * begun. Close it in any case. */
gyre_status report_run_open(const char *dir, report_run *r);
void report_run_close(report_run *r);
/* Makes the names differ, by putting parent folders before those that are the same. */
gyre_status report_runs_name(report_run *runs, int count);
/* The metric of all runs, which one panel shows: GYRE_EUSAGE when they have several. The unit of
 * their losses (losses.h). */
gyre_status report_runs_units(const report_run *runs, int count, const gyre_metric **metric,
                              char loss_unit[REPORT_UNIT_MAX]);

#endif
