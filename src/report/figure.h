/* A figure: script and data written beside it, then gnuplot. Internal to src/report.
 *
 * The script names its files relative to its own folder, so it can be edited and run again by hand:
 * `cd FOLDER && gnuplot NAME.gp`. */
#ifndef GYRE_REPORT_FIGURE_H
#define GYRE_REPORT_FIGURE_H

#include "gyre/schedule.h"
#include "gyre/status.h"
#include "series.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

typedef struct {
    const char *output;
    char *dir, *stem;          /* folder, and name without extension */
    char *script, *data;       /* DIR/STEM.gp, DIR/STEM.dat */
    char *script_text, *table; /* what the two streams below have written */
    size_t script_size, table_size;
    FILE *gp, *dat; /* write the script and the data here */
    bool png;
    int blocks; /* data blocks so far */
} report_figure;

/* Checks the name and opens the two streams. GYRE_EUSAGE when `output` ends in neither .svg nor
 * .png; GYRE_EIO when a script or data file of that name is there that gyre did not write. Close it
 * in any case. */
gyre_status report_figure_open(const char *output, report_figure *f);
/* Writes script and data, runs gnuplot, and puts the figure in its place when that went well. */
gyre_status report_figure_finish(report_figure *f);
void report_figure_close(report_figure *f);

/* Appends a block of data; its index is what `plot DATA index I` takes. An empty block holds one
 * undefined point, since gnuplot does not count empty ones. */
int report_figure_block(report_figure *f, const char *comment, const report_point *points,
                        size_t count);

/* The same for rows of `columns` numbers; what is not finite is drawn nowhere. */
int report_figure_rows(report_figure *f, const char *comment, const double *values, size_t rows,
                       int columns);

/* The range of an axis. */
typedef struct {
    double lo, hi;
    bool log;
} report_range;

/* The frame that all panels share: terminal, title, one x axis in steps. `panels` are stacked. */
typedef struct {
    int panels;
    const char *title, *subtitle;
    const char *x_label;
    int64_t steps;
    int legend_columns,
        legend_rows; /* a legend under the title: rows that need room of their own */
} report_frame;
void report_frame_begin(report_figure *f, const report_frame *frame);
/* What every script begins with: its mark, the names of its files, and the terminal of so many
 * pixels (a PNG has one and a half as many). */
void report_frame_prolog(report_figure *f, int width, int pixels);
/* The distance of an axis' numbers for about four of them: 1, 2 or 5 times a power of ten. */
double report_frame_tics(report_range range);
/* Panel `index` from the top: a plot command must follow. */
void report_frame_panel(report_figure *f, const report_frame *frame, int index, const char *heading,
                        report_range range);
void report_frame_end(report_figure *f);

/* Places the legend of the panel that follows under the title. */
void report_frame_legend(report_figure *f, const report_frame *frame);

/* Alternate bands for the cycles of `s` in every panel that follows, a dotted line at each minimum.
 */
void report_frame_cycles(report_figure *f, const gyre_schedule *s);
/* "cycle 1", ... at the top of the panel that follows; later panels go without. */
void report_frame_cycle_names(report_figure *f, const gyre_schedule *s);
void report_frame_cycle_names_end(report_figure *f, const gyre_schedule *s);

/* lr(t) as a block of data, straight stretches as two points. */
gyre_status report_plot_schedule_line(report_figure *f, const gyre_schedule *s, const char *comment,
                                      int *index);

#endif
