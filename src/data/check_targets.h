/* What every dataset must keep, whether it is read or about to be written. Internal to src/data. */
#ifndef GYRE_DATA_CHECK_LABELS_H
#define GYRE_DATA_CHECK_LABELS_H

#include "gyre/status.h"
#include <stdint.h>

/* GYRE_EIO naming the first label of /part/labels in `path` that is not in 0..classes-1. */
gyre_status data_labels_check(const char *path, const char *part, const int32_t *labels,
                              int64_t count, int classes);

#endif
