/* What the targets of every dataset must keep, whether it is read or about to be written. Internal
 * to src/data. */
#ifndef GYRE_DATA_CHECK_TARGETS_H
#define GYRE_DATA_CHECK_TARGETS_H

#include "gyre/dataset.h"

/* What the targets of a dataset's parts hold. */
typedef struct {
    int32_t greatest; /* class */
    uint8_t *seen;    /* (GYRE_CLASSES_MAX) gets `bit` where a class occurs; NULL: not asked */
    uint8_t bit;
} data_classes_found;

/* GYRE_EIO naming the first label of /part/labels in `path` that is not in 0..classes-1. */
gyre_status data_labels_check(const char *path, const char *part, const int32_t *labels,
                              int64_t count, int classes);

/* Reads all targets of a part that are no labels. GYRE_EIO naming the first value that is not
 * finite, or the first class below -1 (no class: such a pixel is not counted) or, with `classes`
 * above 0, beyond them. */
gyre_status data_targets_check(const char *path, const char *part, const gyre_images *p,
                               int classes, data_classes_found *found);

/* GYRE_EUSAGE naming the first value of a part that is not 0 to 1, as `loss` takes them. */
gyre_status data_targets_yes_or_no(const char *path, const char *part, const gyre_images *p,
                                   const char *loss);

#endif
