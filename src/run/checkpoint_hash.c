/* The identity of trained parameters, and parameters from files that gyre did not write. */
#include "gyre/checkpoint.h"

#include "gyre/log.h"
#include "gyre/seal.h"
#include "vector.h"
#include <stdlib.h>
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

typedef struct {
    uint64_t hash;
    const char *path;
    gyre_status status;
} hashing;

static herr_t hash_one(hid_t group, const char *name, const H5L_info_t *info, void *context) {
    hashing *h = context;
    (void)info;
    float *values = NULL;
    hid_t dataset = H5Dopen2(group, name, H5P_DEFAULT), space = H5Dget_space(dataset);
    hssize_t count = H5Sget_simple_extent_npoints(space);
    if (count >= 0) values = malloc((size_t)count * sizeof *values + 1);
    bool ok = values != NULL &&
              H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT, values) >= 0;
    if (ok) {
        h->hash = chain(h->hash, values, (size_t)count);
    } else {
        h->status = gyre_fail(GYRE_EIO, "cannot read '%s' in '%s'", name, h->path);
    }
    gyre_h5_close(space);
    gyre_h5_close(dataset);
    free(values);
    return ok ? 0 : -1;
}

gyre_status gyre_checkpoint_hash(const char *path, uint64_t *out, int64_t *completed) {
    hashing h = {.path = path};
    bool sealed = false;
    gyre_h5_quiet();
    GYRE_TRY(gyre_seal_check(path, "checkpoint", &sealed));
    if (!sealed) return gyre_fail(GYRE_EIO, "'%s' is not a checkpoint of gyre", path);
    hid_t access_list = gyre_h5_access(), file = H5Fopen(path, H5F_ACC_RDONLY, access_list);
    hid_t state = file < 0 ? -1 : H5Gopen2(file, "/state", H5P_DEFAULT);
    hid_t a = state < 0 ? -1 : H5Aopen(state, "completed", H5P_DEFAULT);
    hid_t group = file < 0 ? -1 : H5Gopen2(file, "/parameters", H5P_DEFAULT);
    bool ok = a >= 0 && H5Aread(a, H5T_NATIVE_INT64, completed) >= 0 && group >= 0 &&
              H5Literate(group, H5_INDEX_CRT_ORDER, H5_ITER_INC, NULL, hash_one, &h) >= 0;
    gyre_h5_close(group);
    gyre_h5_close(a);
    gyre_h5_close(state);
    gyre_h5_close(file);
    gyre_h5_close(access_list);
    *out = h.hash;
    if (ok) return GYRE_OK;
    return h.status != GYRE_OK ? h.status : gyre_fail(GYRE_EIO, "cannot read '%s'", path);
}

/* A name that both have, with another shape, is perhaps a mistake. */
static void warn_of_shape(hid_t file, const char *path, const char *group, const char *name) {
    char whole[128];
    snprintf(whole, sizeof whole, "%s/%s", group, name);
    if (H5Lexists(file, group, H5P_DEFAULT) <= 0 || H5Lexists(file, whole, H5P_DEFAULT) <= 0)
        return;
    gyre_warn("model.init_from: '%s' in '%s' has another shape than the model's; it is drawn",
              whole, path);
}

/* Reads what `arrays` and the group have in common, and counts it. */
static gyre_status import_group(hid_t file, const char *path, const char *group,
                                const gyre_array *arrays, int count, float *vector, int *taken) {
    *taken = 0;
    for (int i = 0; i < count; i++) {
        bool found = false;
        GYRE_TRY(gyre_array_read(file, path, group, &arrays[i], vector, &found));
        *taken += found;
        if (!found) warn_of_shape(file, path, group, arrays[i].name);
    }
    return GYRE_OK;
}

gyre_status gyre_parameters_import(const char *path, const gyre_model *m, float *parameters,
                                   float *buffers, int *skipped) {
    gyre_status status = GYRE_OK;
    gyre_array *arrays = NULL, *moments = NULL;
    int count = 0, moment_count = 0, taken = 0, ignored = 0;
    bool sealed = false;
    hid_t list = H5I_INVALID_HID, file = H5I_INVALID_HID;
    gyre_h5_quiet();
    GYRE_GOTO(gyre_seal_check(path, "checkpoint", &sealed));
    list = gyre_h5_access();
    file = H5Fopen(path, H5F_ACC_RDONLY, list);
    if (file < 0) {
        status =
            gyre_fail(GYRE_EIO, "cannot open '%s' as HDF5, to initialise the model from it", path);
        goto out;
    }
    GYRE_GOTO(gyre_arrays_of_parameters(m, &arrays, &count));
    GYRE_GOTO(gyre_arrays_of_buffers(m, &moments, &moment_count));
    GYRE_GOTO(import_group(file, path, "/parameters", arrays, count, parameters, &taken));
    GYRE_GOTO(import_group(file, path, "/state/buffers", moments, moment_count, buffers, &ignored));
    *skipped = count - taken;
    if (taken == 0) {
        status = gyre_fail(GYRE_EIO,
                           "'%s' has no parameter of model %s with the same shape; one was "
                           "expected at /parameters/%s",
                           path, m->name, count > 0 ? m->params[0].name : "NAME");
    }
out:
    gyre_h5_close(file);
    gyre_h5_close(list);
    free(arrays);
    free(moments);
    return status;
}
