/* Titles, axes and legends of a figure of runs. Internal to src/report. */
#ifndef GYRE_REPORT_CAPTIONS_H
#define GYRE_REPORT_CAPTIONS_H

#include "plot_run.h"
#include "units.h"

/* Each is cut to `room` bytes. Part: "test", "validation", or "evaluation" when
 * the runs differ. The x axis names the length of an epoch when the rows show one that all share.
 */
const char *report_caption_part(const report_run *runs, int count);
/* "NAME: MODEL on DATASET, POLICY, N cycles" of one run. */
void report_caption_describe(const char *name, const gyre_settings *s,
                             const gyre_schedule *schedule, char *out, size_t room);
void report_caption_title(const report_run *runs, int count, char *out, size_t room);
void report_caption_subtitle(const report_run *runs, int count, char *out, size_t room);
void report_caption_x_label(const report_run *runs, int count, char *out, size_t room);
void report_caption_legend(const report_run *r, char *out, size_t room);

#endif
