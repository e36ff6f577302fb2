/* Files that gyre may replace: those it wrote itself. Asked before the first of several is written.
 */
#ifndef GYRE_OVERWRITE_H
#define GYRE_OVERWRITE_H

#include "gyre/status.h"

/* GYRE_OK when nothing is at `path`, or a file that begins with `mark` (at most 127 bytes), as all
 * that gyre writes there does; else GYRE_EIO. A link is not replaced, whatever it leads to. */
gyre_status gyre_overwrite_check(const char *path, const char *mark);

/* The same for a figure "NAME.svg" or "NAME.png": gyre's has its script NAME.gp beside it, whose
 * own mark is checked by gyre_overwrite_check. */
gyre_status gyre_overwrite_check_figure(const char *path);

#endif
