/* Named f32 arrays in HDF5 groups; see h5_arrays.h. */
#include "h5_arrays.h"

#include "gyre/state_dict.h"
#include "h5_file.h"
#include "h5_reader.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void name_there(h5_array *a, gyre_state_array there) {
    a->computed = there.computed;
    if (strcmp(there.name, a->name) != 0) a->torch = there.name;
}

gyre_status h5_arrays_of_parameters(const gyre_model *m, h5_array **out, int *count) {
    h5_array *arrays = calloc((size_t)m->param_count + 1, sizeof *arrays);
    if (arrays == NULL) return gyre_no_memory("a list of parameters");
    for (int i = 0; i < m->param_count; i++) {
        const gyre_param *p = &m->params[i];
        arrays[i] =
            (h5_array){.name = p->name, .ndim = p->ndim, .offset = p->offset, .count = p->count};
        memcpy(arrays[i].dims, p->dims, sizeof arrays[i].dims);
        if (!p->torch_hwc) memcpy(arrays[i].picture, p->picture, sizeof arrays[i].picture);
        arrays[i].transposed = p->transposed;
        name_there(&arrays[i], gyre_state_of_param(m, i));
    }
    *out = arrays;
    *count = m->param_count;
    return GYRE_OK;
}

gyre_status h5_arrays_of_buffers(const gyre_model *m, h5_array **out, int *count) {
    h5_array *arrays = calloc((size_t)m->statistic_count + 1, sizeof *arrays);
    if (arrays == NULL) return gyre_no_memory("a list of buffers");
    for (int i = 0; i < m->statistic_count; i++) {
        const gyre_statistic *s = &m->statistics[i];
        arrays[i] = (h5_array){.name = s->name,
                               .dims = {(int)s->count},
                               .ndim = 1,
                               .offset = s->offset,
                               .count = s->count};
        name_there(&arrays[i], gyre_state_of_statistic(m, i));
    }
    *out = arrays;
    *count = m->statistic_count;
    return GYRE_OK;
}

/* ---- writing */

/* A property list without times, so that equal checkpoints are equal files. */
static hid_t timeless(hid_t class) {
    hid_t list = H5Pcreate(class);
    if (list >= 0) H5Pset_obj_track_times(list, 0);
    return list;
}

static bool write_note(hid_t dataset, const char *name, const int *numbers, hsize_t count) {
    hid_t space = H5Screate_simple(1, &count, NULL);
    hid_t attribute = H5Acreate2(dataset, name, H5T_STD_I32LE, space, H5P_DEFAULT, H5P_DEFAULT);
    bool ok = attribute >= 0 && H5Awrite(attribute, H5T_NATIVE_INT, numbers) >= 0;
    gyre_hdf5_close(attribute);
    gyre_hdf5_close(space);
    return ok;
}

/* Where PyTorch's network has another order, a reader that goes there must be told: (h, w, c) and
 * (c, h, w) may be two orders, (out, in) and (in, out) always are. */
static bool write_order(hid_t dataset, const h5_array *a) {
    const int yes = 1;
    const bool two_orders = a->picture[0] * a->picture[1] > 1 && a->picture[2] > 1;
    if (a->transposed) return write_note(dataset, "transposed", &yes, 1);
    return !two_orders || write_note(dataset, "picture", a->picture, 3);
}

static bool write_text(hid_t dataset, const char *name, const char *text) {
    hid_t type = H5Tcopy(H5T_C_S1), space = H5Screate(H5S_SCALAR);
    bool ok = H5Tset_size(type, strlen(text) + 1) >= 0 && H5Tset_cset(type, H5T_CSET_UTF8) >= 0;
    hid_t attribute = H5Acreate2(dataset, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    ok = ok && attribute >= 0 && H5Awrite(attribute, type, text) >= 0;
    gyre_hdf5_close(attribute);
    gyre_hdf5_close(space);
    gyre_hdf5_close(type);
    return ok;
}

/* A reader that goes to PyTorch's network must be told of another name there, and of none. */
static bool write_name(hid_t dataset, const h5_array *a) {
    const int yes = 1;
    if (a->computed) return write_note(dataset, "computed", &yes, 1);
    return a->torch == NULL || write_text(dataset, "torch", a->torch);
}

bool h5_array_write(hid_t group, const h5_array *a, const float *vector) {
    hsize_t dims[4] = {0};
    for (int i = 0; i < a->ndim; i++) dims[i] = (hsize_t)a->dims[i];
    hid_t space = H5Screate_simple(a->ndim, dims, NULL);
    hid_t list = timeless(H5P_DATASET_CREATE);
    hid_t dataset =
        H5Dcreate2(group, a->name, H5T_IEEE_F32LE, space, H5P_DEFAULT, list, H5P_DEFAULT);
    bool ok = dataset >= 0 && H5Dwrite(dataset, H5T_NATIVE_FLOAT, H5S_ALL, H5S_ALL, H5P_DEFAULT,
                                       vector + a->offset) >= 0;
    ok = ok && write_order(dataset, a) && write_name(dataset, a);
    gyre_hdf5_close(dataset);
    gyre_hdf5_close(list);
    gyre_hdf5_close(space);
    return ok;
}

gyre_status h5_arrays_write(hid_t file, const char *path, const char *group, const h5_array *arrays,
                            int count, const float *vector) {
    hid_t list = timeless(H5P_GROUP_CREATE);
    /* the hash of a checkpoint reads the parameters in this order */
    if (list >= 0) {
        H5Pset_link_creation_order(list, H5P_CRT_ORDER_TRACKED | H5P_CRT_ORDER_INDEXED);
    }
    hid_t g = H5Gcreate2(file, group, H5P_DEFAULT, list, H5P_DEFAULT);
    bool ok = g >= 0;
    for (int i = 0; ok && i < count; i++) ok = h5_array_write(g, &arrays[i], vector);
    gyre_hdf5_close(g);
    gyre_hdf5_close(list);
    return ok ? GYRE_OK
              : gyre_fail(GYRE_EIO, "cannot write %s of '%s'; is the disk full?", group, path);
}

/* ---- reading */

static const gyre_h5_entry *find_array(const gyre_h5_reader *r, const char *group,
                                       const char *name) {
    char path[GYRE_H5_NAME_SIZE];
    snprintf(path, sizeof path, "%s/%s", group, name);
    return gyre_h5_reader_find(r, path);
}

/* All 64 bits of each extent are compared: a product that wraps is no shape. */
static bool same_shape(const gyre_h5_entry *e, const h5_array *a) {
    bool same = e->kind == GYRE_H5_FLOATS && e->ndim == a->ndim;
    for (int i = 0; same && i < a->ndim; i++) same = e->dims[i] == (uint64_t)a->dims[i];
    return same;
}

void h5_array_shape(const h5_array *a, char *out, size_t size) {
    gyre_h5_entry e = {.ndim = a->ndim};
    for (int i = 0; i < a->ndim; i++) e.dims[i] = (uint64_t)a->dims[i];
    gyre_h5_shape(&e, out, size);
}

/* `why` tells how the file's array differs from the expected one; "": it does not. */
static gyre_status read_array(gyre_h5_reader *r, const char *group, const h5_array *a,
                              float *vector, char *why, size_t size) {
    const gyre_h5_entry *e = find_array(r, group, a->name);
    why[0] = '\0';
    if (e == NULL) {
        snprintf(why, size, "it has no '%s'", a->name);
        return GYRE_OK;
    }
    if (same_shape(e, a)) return h5_read_floats(r, e, vector + a->offset, a->count);
    char found[64], wanted[64];
    gyre_h5_shape(e, found, sizeof found);
    h5_array_shape(a, wanted, sizeof wanted);
    snprintf(why, size, "'%s' has shape %s, the model's has %s", a->name,
             e->kind == GYRE_H5_FLOATS ? found : "(not of floats)", wanted);
    return GYRE_OK;
}

/* The name of a direct member of the group; NULL for any other object. */
static const char *member_of(const gyre_h5_entry *e, const char *group) {
    size_t length = strlen(group);
    if (strncmp(e->name, group, length) != 0 || e->name[length] != '/') return NULL;
    const char *name = e->name + length + 1;
    return strchr(name, '/') == NULL ? name : NULL;
}

/* Name of a member of `group` that is none of the arrays; NULL: there is none. */
static const char *find_stranger(const gyre_h5_reader *r, const char *group, const h5_array *arrays,
                                 int count) {
    size_t entries = 0;
    const gyre_h5_entry *list = gyre_h5_reader_list(r, &entries);
    for (size_t i = 0; i < entries; i++) {
        const char *name = member_of(&list[i], group);
        bool known = name == NULL;
        for (int k = 0; k < count && !known; k++) known = strcmp(arrays[k].name, name) == 0;
        if (!known) return name;
    }
    return NULL;
}

gyre_status h5_arrays_read(gyre_h5_reader *r, const char *group, const h5_array *arrays, int count,
                           float *vector) {
    const char *path = gyre_h5_reader_path(r);
    const gyre_h5_entry *g = gyre_h5_reader_find(r, group);
    char why[384] = "";
    if (g == NULL || g->kind != GYRE_H5_GROUP) {
        return gyre_fail(GYRE_EIO, "'%s' has no group %s", path, group);
    }
    for (int i = 0; i < count && why[0] == '\0'; i++) {
        GYRE_TRY(read_array(r, group, &arrays[i], vector, why, sizeof why));
    }
    const char *stranger = why[0] == '\0' ? find_stranger(r, group, arrays, count) : NULL;
    if (stranger != NULL) {
        snprintf(why, sizeof why, "it has '%.128s', which the model has not", stranger);
    }
    if (why[0] == '\0') return GYRE_OK;
    return gyre_fail(GYRE_EIO, "'%s' is of another model: in %s %s", path, group, why);
}

gyre_status h5_arrays_read_one(gyre_h5_reader *r, const char *group, const h5_array *a,
                               float *vector, bool *found) {
    char why[384];
    gyre_status status = read_array(r, group, a, vector, why, sizeof why);
    *found = status == GYRE_OK && why[0] == '\0';
    return status;
}
