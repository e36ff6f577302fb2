/* Files that gyre may replace: those it wrote itself. Internal to src/report. */
#ifndef GYRE_OURS_H
#define GYRE_OURS_H

#include "gyre/status.h"

/* GYRE_OK when nothing is at `path`, or a file that begins with `mark` (at most 63 bytes), as all
 * that gyre writes there does; else GYRE_EIO. */
gyre_status gyre_ours_check(const char *path, const char *mark);

/* The same for a figure "NAME.svg": ours has its script NAME.gp beside it. */
gyre_status gyre_ours_check_figure(const char *path);

#endif
