/* Named f32 arrays in HDF5 groups; see vector.h. */
#include "vector.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

gyre_status gyre_arrays_of_parameters(const gyre_model *m, gyre_array **out, int *count) {
    gyre_array *arrays = calloc((size_t)m->param_count + 1, sizeof *arrays);
    if (arrays == NULL) return gyre_fail(GYRE_EDEVICE, "no memory for a list of parameters");
    for (int i = 0; i < m->param_count; i++) {
        const gyre_param *p = &m->params[i];
        arrays[i] = (gyre_array){.rank = p->rank, .offset = p->offset, .count = p->count};
        snprintf(arrays[i].name, sizeof arrays[i].name, "%s", p->name);
        memcpy(arrays[i].dims, p->dims, sizeof arrays[i].dims);
    }
    *out = arrays;
    *count = m->param_count;
    return GYRE_OK;
}

gyre_status gyre_arrays_of_buffers(const gyre_model *m, gyre_array **out, int *count) {
    gyre_array *arrays = calloc(2 * (size_t)m->layer_count + 1, sizeof *arrays);
    if (arrays == NULL) return gyre_fail(GYRE_EDEVICE, "no memory for a list of buffers");
    int used = 0;
    for (int i = 0; i < m->layer_count; i++) {
        const gyre_layer *l = &m->layers[i];
        if (l->kind != GYRE_LAYER_NORM) continue;
        for (int part = 0; part < 2; part++, used++) {
            gyre_array *a = &arrays[used];
            a->rank = 1;
            a->dims[0] = l->c;
            a->count = (size_t)l->c;
            a->offset = l->moments + (size_t)part * a->count;
            snprintf(a->name, sizeof a->name, "%s.%s", l->name,
                     part == 0 ? "running_mean" : "running_var");
        }
    }
    *out = arrays;
    *count = used;
    return GYRE_OK;
}

/* A property list without times, so that equal checkpoints are equal files. */
static hid_t timeless(hid_t class) {
    hid_t list = H5Pcreate(class);
    if (list >= 0) H5Pset_obj_track_times(list, 0);
    return list;
}

static bool write_array(hid_t group, const gyre_array *a, const float *vector) {
    hsize_t dims[4] = {0};
    for (int i = 0; i < a->rank; i++) dims[i] = (hsize_t)a->dims[i];
    hid_t space = H5Screate_simple(a->rank, dims, NULL);
    hid_t list = timeless(H5P_DATASET_CREATE);
    hid_t dataset =
        H5Dcreate2(group, a->name, H5T_IEEE_F32LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
    bool ok = dataset >= 0 && H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                                       vector + a->offset) >= 0;
    gyre_h5_close(dataset);
    gyre_h5_close(list);
    gyre_h5_close(space);
    return ok;
}

gyre_status gyre_vector_write(hid_t file, const char *path, const char *group,
                              const gyre_array *arrays, int count, const float *vector) {
    hid_t list = timeless(H5P_GROUP_CREATE);
    /* the hash of a checkpoint reads the parameters in this order */
    if (list >= 0) {
        H5Pset_link_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
    }
    hid_t g = H5Gcreate2(file, group, H5P_DEFAULT, list, H5P_DEFAULT);
    bool ok = g >= 0;
    for (int i = 0; ok && i < count; i++) ok = write_array(g, &arrays[i], vector);
    gyre_h5_close(g);
    gyre_h5_close(list);
    return ok ? GYRE_OK
              : gyre_fail(GYRE_EIO, "cannot write %s of '%s'; is the disk full?", group, path);
}

static void print_shape(const int *dims, int rank, char *out, size_t size) {
    size_t used = 0;
    for (int i = 0; i < rank && used < size; i++) {
        int n = snprintf(out + used, size - used, i == 0 ? "%d" : ", %d", dims[i]);
        used += n < 0 ? size : (size_t)n;
    }
    if (rank == 0) snprintf(out, size, "scalar");
}

/* Shape of an open dataset; rank -1 when it has more than 4 dimensions or is not of floats. */
static int shape_of(hid_t dataset, int *dims) {
    hsize_t found[4];
    int rank = -1;
    hid_t space = H5Dget_space(dataset), type = H5Dget_type(dataset);
    if (H5Tget_class(type) == H5T_FLOAT) rank = H5Sget_simple_extent_ndims(space);
    if (rank < 0 || rank > 4 || H5Sget_simple_extent_dims(space, found, NULL) < 0) {
        rank = -1;
    }
    for (int i = 0; i < rank; i++) dims[i] = (int)found[i];
    gyre_h5_close(type);
    gyre_h5_close(space);
    return rank;
}

/* `why` gets the difference in words when the file's array is not the one that is wanted. */
static gyre_status read_array(hid_t group, const char *path, const gyre_array *a, float *vector,
                              char *why, size_t size) {
    int dims[4] = {0};
    why[0] = '\0';
    if (H5Lexists(group, a->name, H5P_DEFAULT) <= 0) {
        snprintf(why, size, "it has no '%s'", a->name);
        return GYRE_OK;
    }
    hid_t dataset = H5Dopen2(group, a->name, H5P_DEFAULT);
    if (dataset < 0) return gyre_fail(GYRE_EIO, "cannot read '%s' in '%s'", a->name, path);
    gyre_status status = GYRE_OK;
    int rank = shape_of(dataset, dims);
    if (rank != a->rank || memcmp(dims, a->dims, sizeof(int) * (size_t)rank) != 0) {
        char found[64], wanted[64];
        print_shape(dims, rank, found, sizeof found);
        print_shape(a->dims, a->rank, wanted, sizeof wanted);
        snprintf(why, size, "'%s' has shape (%s), the model's has (%s)", a->name,
                 rank < 0 ? "not of floats" : found, wanted);
    } else if (H5Dread(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                       vector + a->offset) < 0) {
        status = gyre_fail(GYRE_EIO, "cannot read '%s' in '%s'", a->name, path);
    }
    gyre_h5_close(dataset);
    return status;
}

/* Name of a member of `group` that is none of the arrays. */
static void find_stranger(hid_t group, const gyre_array *arrays, int count, char *out,
                          size_t size) {
    H5G_info_t info = {0};
    H5Gget_info(group, &info);
    for (hsize_t i = 0; i < info.nlinks; i++) {
        bool known = false;
        if (H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, i, out, size, H5P_DEFAULT) <
            0) {
            continue;
        }
        for (int k = 0; k < count && !known; k++) known = strcmp(arrays[k].name, out) == 0;
        if (!known) return;
    }
    snprintf(out, size, "?");
}

gyre_status gyre_vector_read(hid_t file, const char *path, const char *group,
                             const gyre_array *arrays, int count, float *vector) {
    char why[256] = "";
    H5G_info_t info = {0};
    gyre_status status = GYRE_OK;
    hid_t g = H5Gopen2(file, group, H5P_DEFAULT);
    if (g < 0) return gyre_fail(GYRE_EIO, "'%s' has no group %s", path, group);
    for (int i = 0; i < count && why[0] == '\0'; i++) {
        GYRE_GOTO(read_array(g, path, &arrays[i], vector, why, sizeof why));
    }
    if (why[0] == '\0' && H5Gget_info(g, &info) >= 0 && info.nlinks != (hsize_t)count) {
        char name[128];
        find_stranger(g, arrays, count, name, sizeof name);
        snprintf(why, sizeof why, "it has '%s', which the model has not", name);
    }
    if (why[0] != '\0') {
        status = gyre_fail(GYRE_EIO, "'%s' is of another model: in %s %s", path, group, why);
    }
out:
    gyre_h5_close(g);
    return status;
}

gyre_status gyre_array_read(hid_t file, const char *path, const char *group, const gyre_array *a,
                            float *vector, bool *found) {
    char why[256];
    *found = false;
    hid_t g = H5Gopen2(file, group, H5P_DEFAULT);
    if (g < 0) return GYRE_OK;
    gyre_status status = read_array(g, path, a, vector, why, sizeof why);
    gyre_h5_close(g);
    *found = status == GYRE_OK && why[0] == '\0';
    return status;
}
