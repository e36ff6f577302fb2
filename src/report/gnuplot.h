/* gnuplot: running it, and text for its scripts. Internal to src/report. */
#ifndef GYRE_REPORT_GNUPLOT_H
#define GYRE_REPORT_GNUPLOT_H

#include "gyre/status.h"
#include <stdio.h>

/* Runs STEM.gp in folder `dir` with the gnuplot variable `output` set to `output` (relative to
 * `dir`). No shell is involved. GYRE_EIO when gnuplot is missing or fails, with the beginning of
 * its output. */
gyre_status report_gnuplot_run(const char *dir, const char *stem, const char *output);

enum { REPORT_FIGURE_TEXT = 2048 }; /* bytes of a text that are shown */
/* `text` as a gnuplot string, safe against quotes and backquotes, as gyre_text_visible shows it: an
 * SVG file with bytes that are not UTF-8 is none. */
void report_quote(FILE *gp, const char *text);
/* The same for the path of a file, byte by byte. */
void report_quote_path(FILE *gp, const char *path);

#endif
