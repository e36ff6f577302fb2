/* What importers ask before long work. Internal to src/data. */
#ifndef GYRE_DATA_WRITE_H
#define GYRE_DATA_WRITE_H

#include "gyre/status.h"
#include <stdbool.h>

/* GYRE_EIO when `path` is taken (a regular file may be replaced with `force`), or its folder is
 * missing or not writable. */
gyre_status gyre_output_check(const char *path, bool force);

#endif
