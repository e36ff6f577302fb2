/* Runs gnuplot. Internal to src/report. */
#ifndef GYRE_GNUPLOT_H
#define GYRE_GNUPLOT_H

#include "gyre/status.h"

/* Runs STEM.gp in folder `dir` with the gnuplot variable `output` set to `output` (relative to
 * `dir`). No shell is involved. GYRE_EIO when gnuplot is missing or fails, with its first words. */
gyre_status gyre_gnuplot_run(const char *dir, const char *stem, const char *output);

#endif
