/* A figure: script and data written beside it, then gnuplot. Internal to src/report.
 *
 * The script names its files relative to its own folder, so it can be edited and run again by hand:
 * `cd FOLDER && gnuplot NAME.gp`. */
#ifndef GYRE_FIGURE_H
#define GYRE_FIGURE_H

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
} gyre_figure;

/* Checks the name and opens the two streams. GYRE_EUSAGE when `output` ends in neither .svg nor
 * .png; GYRE_EIO when a script or data file of that name is there that gyre did not write. Close it
 * in any case. */
gyre_status gyre_figure_open(const char *output, gyre_figure *f);
/* Writes script and data, runs gnuplot, and puts the figure in its place when that went well. */
gyre_status gyre_figure_finish(gyre_figure *f);
void gyre_figure_close(gyre_figure *f);

enum { GYRE_FIGURE_TEXT = 2048 }; /* bytes of a text that are shown */
/* `text` as a gnuplot string, safe against quotes and backquotes, as gyre_text_visible shows it: an
 * SVG file with bytes that are not UTF-8 is none. */
void gyre_figure_quote(FILE *gp, const char *text);
/* The same for the path of a file, byte by byte. */
void gyre_figure_quote_path(FILE *gp, const char *path);

/* Appends a block of data; its index is what `plot DATA index I` wants. An empty block holds one
 * undefined point, since gnuplot does not count empty ones. */
int gyre_figure_block(gyre_figure *f, const char *words, const gyre_point *points, size_t count);

/* The same for rows of `columns` numbers; what is not finite is drawn nowhere. */
int gyre_figure_rows(gyre_figure *f, const char *words, const double *values, size_t rows,
                     int columns);

/* The range of an axis. */
typedef struct {
    double lo, hi;
    bool log;
} gyre_range;

/* The frame that all panels share: terminal, title, one x axis in steps. `panels` are stacked. */
typedef struct {
    int panels;
    const char *title, *subtitle;
    const char *x_label;
    int64_t steps;
    int legend_columns,
        legend_rows; /* a legend under the title: rows that need room of their own */
} gyre_frame;
void gyre_frame_begin(gyre_figure *f, const gyre_frame *frame);
/* What every script begins with: its mark, the names of its files, and the terminal of so many
 * pixels (a PNG has one and a half as many). */
void gyre_frame_prolog(gyre_figure *f, int width, int pixels);
/* The distance of an axis' numbers for about four of them: 1, 2 or 5 times a power of ten. */
double gyre_frame_tics(gyre_range range);
/* Panel `index` from the top: a plot command must follow. */
void gyre_frame_panel(gyre_figure *f, const gyre_frame *frame, int index, const char *heading,
                      gyre_range range);
void gyre_frame_end(gyre_figure *f);

/* Places the legend of the panel that follows under the title. */
void gyre_frame_legend(gyre_figure *f, const gyre_frame *frame);

/* Alternate bands for the cycles of `s` in every panel that follows, a dotted line at each minimum.
 */
void gyre_frame_cycles(gyre_figure *f, const gyre_schedule *s);
/* "cycle 1", ... at the top of the panel that follows; later panels go without. */
void gyre_frame_cycle_names(gyre_figure *f, const gyre_schedule *s);
void gyre_frame_cycle_names_end(gyre_figure *f, const gyre_schedule *s);

/* lr(t) as a block of data, straight stretches as two points. */
gyre_status gyre_plot_schedule_line(gyre_figure *f, const gyre_schedule *s, const char *words,
                                    int *index);

#endif
