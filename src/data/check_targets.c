/* Targets are checked by one file, in datasets that are read and in those about to be written. */
#include "check_targets.h"

#include <math.h>
#include <stdlib.h>

gyre_status data_labels_check(const char *path, const char *part, const int32_t *labels,
                              int64_t count, int classes) {
    for (int64_t i = 0; i < count; i++) {
        if (labels[i] >= 0 && labels[i] < classes) continue;
        return gyre_fail(GYRE_EIO, "'%s': /%s/labels[%lld] is %d; labels of %d classes are 0 to %d",
                         path, part, (long long)i, labels[i], classes, classes - 1);
    }
    return GYRE_OK;
}

/* One sample's targets, as a loss takes them. */
typedef union {
    const int32_t *classes;
    const float *values;
    void *room;
} row;

static gyre_status check_classes(const char *path, const char *part, int64_t sample,
                                 const int32_t *found, size_t count, int classes,
                                 int32_t *greatest) {
    for (size_t i = 0; i < count; i++) {
        if (found[i] < -1 || (classes > 0 && found[i] >= classes)) {
            return gyre_fail(GYRE_EIO,
                             "'%s': /%s/targets has class %d in sample %lld; classes are -1 (none) "
                             "and 0 to %d",
                             path, part, found[i], (long long)sample,
                             classes > 0 ? classes - 1 : GYRE_CLASSES_MAX - 1);
        }
        if (found[i] > *greatest) *greatest = found[i];
    }
    return GYRE_OK;
}

static gyre_status check_values(const char *path, const char *part, int64_t sample,
                                const float *values, size_t count) {
    for (size_t i = 0; i < count; i++) {
        if (isfinite(values[i])) continue;
        return gyre_fail(GYRE_EIO,
                         "'%s': /%s/targets holds %g in sample %lld; every value must be a finite "
                         "number",
                         path, part, (double)values[i], (long long)sample);
    }
    return GYRE_OK;
}

gyre_status data_targets_check(const char *path, const char *part, const gyre_images *p,
                               int classes, int32_t *greatest) {
    enum { PIECE = 1 << 16 };
    size_t values = gyre_target_values(&p->target), rows = values < PIECE ? PIECE / values : 1;
    row piece = {.room = malloc(rows * values * sizeof(float))};
    gyre_status status = piece.room != NULL ? GYRE_OK : gyre_no_memory("the targets of '%s'", path);
    GYRE_GOTO(status);
    for (int64_t sample = 0; sample < p->count; sample++) {
        size_t at = (size_t)(sample % (int64_t)rows) * values;
        int64_t left = p->count - sample;
        if (at == 0) {
            GYRE_GOTO(gyre_targets_read(p, sample, left < (int64_t)rows ? left : (int64_t)rows,
                                        piece.room));
        }
        GYRE_GOTO(p->target.classes ? check_classes(path, part, sample, piece.classes + at, values,
                                                    classes, greatest)
                                    : check_values(path, part, sample, piece.values + at, values));
    }
out:
    free(piece.room);
    return status;
}
