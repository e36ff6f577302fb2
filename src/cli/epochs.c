/* The steps of an epoch; see epochs.h. */
#include "epochs.h"

#include "gyre/resolve.h"

gyre_status cli_steps_per_epoch(const gyre_settings *s, int64_t *out) {
    gyre_status status = GYRE_OK;
    gyre_dataset *data = NULL;
    gyre_samples samples = {0};
    gyre_epochs epochs = {0};
    const char *missing = s->data.path == NULL ? "data.path"
                          : s->batch_size == 0 ? "batch.size"
                                               : NULL;
    if (missing != NULL) {
        return gyre_fail(GYRE_EUSAGE,
                         "a length is in epochs, and without %s the steps of an epoch are not "
                         "known; add it, or give lengths in steps",
                         missing);
    }
    GYRE_GOTO(gyre_resolve_data(s, &data, &samples, &epochs));
    *out = epochs.steps_per_epoch;
out:
    gyre_samples_close(&samples);
    if (data != NULL) gyre_dataset_close(data);
    return status;
}
