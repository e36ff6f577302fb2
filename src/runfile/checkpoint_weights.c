/* The weights of a checkpoint that are meant: its last ones, or their average. */
#include "gyre/checkpoint.h"

#include <stdlib.h>
#include <string.h>

gyre_status gyre_checkpoint_load_weights(const char *path, const gyre_model *m,
                                         gyre_weights_choice choice, gyre_snapshot *out) {
    gyre_snapshot head;
    GYRE_TRY(gyre_checkpoint_scalars(path, &head));
    const bool there = head.average[0] != '\0';
    if (!there && choice == GYRE_WEIGHTS_AVERAGE) {
        return gyre_fail(GYRE_EIO,
                         "'%s' has no average of its weights, since average.kind of its run was "
                         "\"none\"; take the last ones",
                         path);
    }
    out->averaged = there && choice != GYRE_WEIGHTS_LAST;
    if (out->averaged) GYRE_TRY(gyre_snapshot_open_averages(m, out));
    GYRE_TRY(gyre_checkpoint_load(path, m, out));
    if (!out->averaged) return GYRE_OK;
    memcpy(out->parameters, out->averages, m->parameters * sizeof(float));
    memcpy(out->buffers, out->averages + m->parameters, m->buffers * sizeof(float));
    free(out->averages);
    out->averages = NULL;
    return GYRE_OK;
}
