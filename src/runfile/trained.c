/* Opens the network of a checkpoint; see gyre/trained.h. */
#include "gyre/trained.h"

#include "gyre/file.h"
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

gyre_status gyre_trained_checkpoint(const char *path, char **out) {
    struct stat st;
    *out = NULL;
    if (stat(path, &st) != 0) return gyre_fail(GYRE_EIO, "'%s' does not exist", path);
    if (!S_ISDIR(st.st_mode)) {
        *out = strdup(path);
    } else {
        GYRE_TRY(gyre_checkpoint_newest(path, out));
        if (*out == NULL) *out = gyre_checkpoint_best_path(path);
        if (*out != NULL && !gyre_file_exists(*out)) {
            free(*out);
            *out = NULL;
            return gyre_fail(GYRE_EIO, "'%s' holds no checkpoint", path);
        }
    }
    return *out != NULL ? GYRE_OK : gyre_no_memory("finding the checkpoint of '%s'", path);
}

/* Every checkpoint that gyre has written tells the size of its samples. */
static gyre_status read_size(const char *path, int size[3]) {
    uint64_t stored[3] = {0};
    bool known = false;
    GYRE_TRY(gyre_checkpoint_input_size(path, stored, &known));
    for (int i = 0; i < 3; i++) {
        if (!known || stored[i] < 1 || stored[i] > INT_MAX) {
            return gyre_fail(GYRE_EIO,
                             "'%s' does not tell the size of its samples: /state/input/mean of "
                             "(height, width, channels) was expected",
                             path);
        }
        size[i] = (int)stored[i];
    }
    return GYRE_OK;
}

static gyre_status open_model(const gyre_snapshot *scalars, const char *path, gyre_model **out) {
    char *layers = NULL;
    int size[3];
    GYRE_TRY(read_size(path, size));
    GYRE_TRY(gyre_checkpoint_network(path, &layers));
    gyre_model_settings settings = {.name = (char *)scalars->model,
                                    .layers = layers,
                                    .loss = scalars->loss[0] == '\0' ? NULL : (char *)scalars->loss,
                                    .any_target = true};
    gyre_status status =
        gyre_model_open(&settings, size[0], size[1], size[2], scalars->classes, out);
    free(layers);
    if (status != GYRE_EUSAGE) return status;
    return gyre_fail(GYRE_EIO, "the network of '%s' cannot be made: %s", path, gyre_error_text());
}

gyre_status gyre_trained_open(const char *path, gyre_weights_choice weights, gyre_trained *out) {
    gyre_snapshot scalars;
    gyre_status status = GYRE_OK;
    *out = (gyre_trained){0};
    GYRE_GOTO(gyre_trained_checkpoint(path, &out->checkpoint));
    GYRE_GOTO(gyre_checkpoint_scalars(out->checkpoint, &scalars));
    GYRE_GOTO(open_model(&scalars, out->checkpoint, &out->model));
    GYRE_GOTO(gyre_snapshot_open(out->model, 0, &out->snapshot));
    GYRE_GOTO(gyre_checkpoint_load_weights(out->checkpoint, out->model, weights, &out->snapshot));
    status = gyre_checkpoint_class_names(out->checkpoint, &out->names);
out:
    if (status != GYRE_OK) gyre_trained_close(out);
    return status;
}

void gyre_trained_close(gyre_trained *t) {
    gyre_snapshot_close(&t->snapshot);
    gyre_model_close(t->model);
    free(t->names.names);
    free(t->checkpoint);
    *t = (gyre_trained){0};
}
