/* A run folder as figures want it. Internal to src/report. */
#ifndef GYRE_PLOT_RUN_H
#define GYRE_PLOT_RUN_H

#include "gyre/metrics.h"
#include "gyre/schedule.h"
#include "gyre/settings.h"
#include "gyre/status.h"

typedef struct {
    const char *dir;
    char *name; /* last part of the folder's name; more of them where runs would share it */
    gyre_settings *settings;
    gyre_schedule *schedule;
    gyre_tables tables;
} gyre_plot_run;

/* Reads the resolved config and the tables. GYRE_EIO when `dir` holds no run, or one that has not
 * begun. Close it in any case. */
gyre_status gyre_plot_run_open(const char *dir, gyre_plot_run *r);
void gyre_plot_run_close(gyre_plot_run *r);
/* Makes the names differ, by putting parent folders before those that are the same. */
gyre_status gyre_plot_runs_name(gyre_plot_run *runs, int count);

/* Words for a figure of runs, cut to `room` bytes. Part: "test", "validation", or "evaluation" when
 * the runs differ. The x axis names the length of an epoch when the rows show one that all share.
 */
const char *gyre_plot_part(const gyre_plot_run *runs, int count);
void gyre_plot_title(const gyre_plot_run *runs, int count, char *out, size_t room);
void gyre_plot_subtitle(const gyre_plot_run *runs, int count, char *out, size_t room);
void gyre_plot_x_label(const gyre_plot_run *runs, int count, char *out, size_t room);
void gyre_plot_legend(const gyre_plot_run *r, char *out, size_t room);

#endif
