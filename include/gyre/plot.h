/* Figures, drawn by gnuplot. Script and data are kept beside the figure (NAME.gp, NAME.dat). */
#ifndef GYRE_PLOT_H
#define GYRE_PLOT_H

#include "gyre/find.h"
#include "gyre/model.h"
#include "gyre/schedule.h"
#include "gyre/status.h"

/* Can a figure be written there? For a command that works long before it draws. Errors as the
 * figures'. */
gyre_status gyre_plot_check(const char *output);

/* LR, training loss, validation loss and metric of runs over steps; cycles shaded, minima marked;
 * several runs overlaid. `output` ends in .svg or .png, else GYRE_EUSAGE. GYRE_EIO when gnuplot is
 * missing (naming the package) or fails. */
gyre_status gyre_plot_runs(char *const *run_dirs, int count, const char *output);

/* lr(t) of a schedule, cycles shaded, extremes marked. */
gyre_status gyre_plot_schedule(const gyre_schedule *s, const char *title, const char *output);

/* A network as a graph, drawn by graphviz's dot into FILE.svg alone. GYRE_EIO when dot is missing.
 */
gyre_status gyre_plot_model(const gyre_model *m, const char *output);

/* Loss and metric of a range test over the rate, what it suggests marked. */
gyre_status gyre_plot_find(const gyre_find *x, const char *title, const char *output);

/* The metric in the bands of a loss that has them: one line each, on a logarithmic axis. */
typedef struct {
    const char *name;
    const double *bands; /* NaN: none there */
} gyre_plot_line;
gyre_status gyre_plot_bands(const gyre_metric *m, const gyre_plot_line *lines, int count, int bands,
                            const char *output);

#endif
