/* The weights of a checkpoint that are meant: its last ones, or one of their averages. */
#include "gyre/checkpoint.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In the place of the last ones; *average is used up. */
static void put(const gyre_model *m, float **average, gyre_snapshot *out) {
    memcpy(out->parameters, *average, m->parameters * sizeof(float));
    memcpy(out->buffers, *average + m->parameters, m->buffers * sizeof(float));
    free(*average);
    *average = NULL;
}

static gyre_status load_beside(const char *path, const gyre_model *m, gyre_average_kind kind,
                               gyre_snapshot *out) {
    GYRE_TRY(gyre_snapshot_open_beside(m, kind, out));
    GYRE_TRY(gyre_checkpoint_load(path, m, out));
    put(m, &out->beside[kind], out);
    out->averaged = true;
    snprintf(out->average, sizeof out->average, "%s", gyre_average_name(kind));
    return GYRE_OK;
}

gyre_status gyre_checkpoint_load_weights(const char *path, const gyre_model *m,
                                         gyre_weights_choice choice, gyre_snapshot *out) {
    gyre_snapshot head;
    const gyre_average_kind kind = gyre_weights_kind(choice);
    GYRE_TRY(gyre_checkpoint_scalars(path, &head));
    const bool there = head.average[0] != '\0';
    if (kind != GYRE_AVERAGE_NONE && strcmp(head.average, gyre_average_name(kind)) != 0)
        return load_beside(path, m, kind, out);
    if (!there && choice == GYRE_WEIGHTS_AVERAGE) {
        return gyre_fail(GYRE_EIO,
                         "'%s' has no average of its weights, since average.kind of its run was "
                         "\"none\"; take the last ones",
                         path);
    }
    out->averaged = there && choice != GYRE_WEIGHTS_LAST;
    if (out->averaged) GYRE_TRY(gyre_snapshot_open_averages(m, out));
    GYRE_TRY(gyre_checkpoint_load(path, m, out));
    if (out->averaged) put(m, &out->averages, out);
    return GYRE_OK;
}
