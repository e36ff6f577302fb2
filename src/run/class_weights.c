/* Counts each class of the training samples. */
#include "class_weights.h"

#include "gyre/gather.h"
#include "gyre/size.h"
#include <stdlib.h>

static gyre_status count(const gyre_view *train, int classes, double *counts) {
    size_t values = gyre_target_values(&train->images->target);
    gyre_status status = GYRE_OK;
    int32_t *target = malloc(gyre_size_of(values, sizeof *target));
    if (target == NULL) return gyre_no_memory("the targets of a sample");
    for (int j = 0; j < classes; j++) counts[j] = 0;
    for (int64_t i = 0; i < train->count && status == GYRE_OK; i++) {
        status = gyre_targets_read(train->images, gyre_view_row(train, i), 1, target);
        for (size_t k = 0; status == GYRE_OK && k < values; k++) {
            if (target[k] >= 0) counts[target[k]]++;
        }
    }
    free(target);
    return status;
}

gyre_status run_balance_classes(const gyre_view *train, int classes, double *out) {
    double all = 0, present = 0;
    if (!gyre_target_has_classes(&train->images->target)) {
        return gyre_fail(GYRE_EUSAGE, "model.class_weights: \"balanced\" counts classes, and the "
                                      "dataset's targets are values");
    }
    GYRE_TRY(count(train, classes, out));
    for (int j = 0; j < classes; j++) {
        all += out[j];
        present += out[j] > 0;
    }
    if (all == 0) {
        return gyre_fail(GYRE_EUSAGE, "model.class_weights: \"balanced\" counts classes, and no "
                                      "training sample has one");
    }
    for (int j = 0; j < classes; j++) out[j] = out[j] > 0 ? all / (present * out[j]) : 0;
    return GYRE_OK;
}
