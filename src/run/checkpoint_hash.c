/* The identity of trained parameters, and parameters from files that gyre did not write. */
#include "gyre/checkpoint.h"

#include "gyre/log.h"
#include "gyre/seal.h"
#include "vector.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* Chained: the hash so far is the seed of the next parameter's. */
static uint64_t chain(uint64_t hash, const float *values, size_t count) {
    return XXH3_64bits_withSeed(values, count * sizeof *values, hash);
}

uint64_t gyre_parameters_hash(const gyre_model *m, const float *parameters) {
    uint64_t hash = 0;
    for (int i = 0; i < m->param_count; i++) {
        hash = chain(hash, parameters + m->params[i].offset, m->params[i].count);
    }
    return hash;
}

/* One array after the other, each read as a whole: what gyre has written fits the file. */
static gyre_status hash_array(gyre_h5_reader *r, const gyre_h5_entry *e, uint64_t *hash) {
    size_t count = gyre_h5_count(e);
    if (count > gyre_h5_reader_size(r) / sizeof(float)) {
        char shape[128];
        gyre_h5_shape(e, shape, sizeof shape);
        return gyre_fail(GYRE_EIO, "'%s' is damaged: %s is %s, which its file cannot hold",
                         gyre_h5_reader_path(r), e->name, shape);
    }
    float *values = malloc(count * sizeof *values + 1);
    if (values == NULL) {
        return gyre_fail(GYRE_EDEVICE, "no memory for the %zu values of %s", count, e->name);
    }
    gyre_status status = gyre_h5_reader_floats(r, e, values, count);
    if (status == GYRE_OK) *hash = chain(*hash, values, count);
    free(values);
    return status;
}

/* The list is in the order in which they were written, which is that of the layers. */
static gyre_status hash_parameters(gyre_h5_reader *r, uint64_t *hash) {
    static const char group[] = "/parameters/";
    size_t count = 0, found = 0;
    const gyre_h5_entry *list = gyre_h5_reader_list(r, &count);
    *hash = 0;
    for (size_t i = 0; i < count; i++) {
        if (strncmp(list[i].name, group, sizeof group - 1) != 0) continue;
        GYRE_TRY(hash_array(r, &list[i], hash));
        found++;
    }
    if (found > 0) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "'%s' has no parameters", gyre_h5_reader_path(r));
}

gyre_status gyre_checkpoint_hash(const char *path, uint64_t *out, int64_t *completed) {
    gyre_snapshot scalars;
    gyre_h5_reader *r = NULL;
    GYRE_TRY(gyre_checkpoint_scalars(path, &scalars));
    *completed = scalars.completed;
    GYRE_TRY(gyre_h5_reader_open(path, &r));
    gyre_status status = hash_parameters(r, out);
    gyre_h5_reader_close(r);
    return status;
}

/* A name that both have, with another shape, is perhaps a mistake. */
static void warn_of_shape(gyre_h5_reader *r, const char *group, const char *name) {
    char whole[128];
    snprintf(whole, sizeof whole, "%s/%s", group, name);
    if (gyre_h5_reader_find(r, whole) == NULL) return;
    gyre_warn("model.init_from: '%s' in '%s' has another shape than the model's; it is drawn",
              whole, gyre_h5_reader_path(r));
}

/* Reads what `arrays` and the group have in common, and counts it. */
static gyre_status import_group(gyre_h5_reader *r, const char *group, const gyre_array *arrays,
                                int count, float *vector, int *taken) {
    *taken = 0;
    for (int i = 0; i < count; i++) {
        bool found = false;
        GYRE_TRY(gyre_array_read(r, group, &arrays[i], vector, &found));
        *taken += found;
        if (!found) warn_of_shape(r, group, arrays[i].name);
    }
    return GYRE_OK;
}

gyre_status gyre_parameters_import(const char *path, const gyre_model *m, float *parameters,
                                   float *buffers, int *skipped) {
    gyre_status status = GYRE_OK;
    gyre_array *arrays = NULL, *moments = NULL;
    int count = 0, moment_count = 0, taken = 0, ignored = 0;
    bool sealed = false;
    gyre_h5_reader *r = NULL;
    GYRE_GOTO(gyre_seal_check(path, "checkpoint", &sealed));
    GYRE_GOTO(gyre_h5_reader_open(path, &r));
    GYRE_GOTO(gyre_arrays_of_parameters(m, &arrays, &count));
    GYRE_GOTO(gyre_arrays_of_buffers(m, &moments, &moment_count));
    GYRE_GOTO(import_group(r, "/parameters", arrays, count, parameters, &taken));
    GYRE_GOTO(import_group(r, "/state/buffers", moments, moment_count, buffers, &ignored));
    *skipped = count - taken;
    if (taken == 0) {
        status = gyre_fail(GYRE_EIO,
                           "'%s' has no parameter of model %s with the same shape; one was "
                           "expected at /parameters/%s",
                           path, m->name, count > 0 ? m->params[0].name : "NAME");
    }
out:
    gyre_h5_reader_close(r);
    free(arrays);
    free(moments);
    return status;
}
