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
                                 const int32_t *targets, size_t count, int classes,
                                 data_classes_found *found) {
    int end = classes > 0 ? classes : GYRE_CLASSES_MAX;
    for (size_t i = 0; i < count; i++) {
        if (targets[i] < -1 || targets[i] >= end) {
            return gyre_fail(GYRE_EIO,
                             "'%s': /%s/targets has class %d in sample %lld; classes are -1 (none) "
                             "and 0 to %d",
                             path, part, targets[i], (long long)sample, end - 1);
        }
        if (targets[i] > found->greatest) found->greatest = targets[i];
        if (targets[i] >= 0 && found->seen != NULL) found->seen[targets[i]] |= found->bit;
    }
    return GYRE_OK;
}

static gyre_status check_values(const char *path, const char *part, int64_t sample,
                                const float *values, size_t count, const char *yes_or_no) {
    for (size_t i = 0; i < count; i++) {
        bool within = values[i] >= 0 && values[i] <= 1;
        if (isfinite(values[i]) && (yes_or_no == NULL || within)) continue;
        if (yes_or_no != NULL) {
            return gyre_fail(GYRE_EUSAGE,
                             "model.loss: %s takes targets of 0 (no) to 1 (yes), and /%s/targets "
                             "of '%s' holds %g in sample %lld",
                             yes_or_no, part, path, (double)values[i], (long long)sample);
        }
        return gyre_fail(GYRE_EIO,
                         "'%s': /%s/targets holds %g in sample %lld; every value must be a finite "
                         "number",
                         path, part, (double)values[i], (long long)sample);
    }
    return GYRE_OK;
}

/* All targets of a part; `yes_or_no` names the loss that takes 0 to 1 alone, NULL: any value. */
static gyre_status check(const char *path, const char *part, const gyre_images *p, int classes,
                         data_classes_found *found, const char *yes_or_no) {
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
        GYRE_GOTO(
            p->target.classes
                ? check_classes(path, part, sample, piece.classes + at, values, classes, found)
                : check_values(path, part, sample, piece.values + at, values, yes_or_no));
    }
out:
    free(piece.room);
    return status;
}

gyre_status data_targets_check(const char *path, const char *part, const gyre_images *p,
                               int classes, data_classes_found *found) {
    return check(path, part, p, classes, found, NULL);
}

gyre_status data_targets_yes_or_no(const char *path, const char *part, const gyre_images *p,
                                   const char *loss) {
    return check(path, part, p, 0, NULL, loss);
}
