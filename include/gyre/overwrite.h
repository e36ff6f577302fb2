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

/* Before `path` is replaced: what is there gets the name PATH.WORD as well, or PATH.WORD-2 and so
 * on, whichever is free, and keeps it. Where the file system has no links, that is its only name
 * then. *kept is the new name, free() it. GYRE_EIO, GYRE_EDEVICE. */
gyre_status gyre_overwrite_keep(const char *path, const char *word, char **kept);

/* The same, and `path` is free then. */
gyre_status gyre_overwrite_set_aside(const char *path, const char *word, char **kept);

#endif
