/* Labels are checked by one function, in files that are read and in those about to be written. */
#include "check_labels.h"

gyre_status data_labels_check(const char *path, const char *part, const int32_t *labels,
                              int64_t count, int classes) {
    for (int64_t i = 0; i < count; i++) {
        if (labels[i] >= 0 && labels[i] < classes) continue;
        return gyre_fail(GYRE_EIO, "'%s': /%s/labels[%lld] is %d; labels of %d classes are 0 to %d",
                         path, part, (long long)i, labels[i], classes, classes - 1);
    }
    return GYRE_OK;
}
