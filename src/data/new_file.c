/* A dataset file with room for all its arrays. No times anywhere: equal contents are equal files.
 */
#include "new_file.h"

#include "gyre/hdf5.h"
#include "gyre/seal.h"
#include "gyre/text.h"
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>

/* An array with its place in the file; NULL: its content comes later. */
static bool make_array(hid_t place, const char *name, hid_t type, int ndim, const hsize_t *dims,
                       const void *data) {
    hid_t space = H5Screate_simple(ndim, dims, NULL), list = H5Pcreate(H5P_DATASET_CREATE);
    H5Pset_obj_track_times(list, false);
    H5Pset_alloc_time(list, H5D_ALLOC_TIME_EARLY);
    H5Pset_fill_time(list, H5D_FILL_TIME_NEVER);
    hid_t id = H5Dcreate2(place, name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    bool ok =
        id >= 0 && (data == NULL || H5Dwrite(id, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, data) >= 0);
    gyre_hdf5_close(id);
    gyre_hdf5_close(list);
    gyre_hdf5_close(space);
    return ok;
}

static hid_t type_of(gyre_element e) {
    hid_t half = H5I_INVALID_HID;
    switch (e) {
    case GYRE_ELEMENT_U8: return H5Tcopy(H5T_STD_U8LE);
    case GYRE_ELEMENT_U16: return H5Tcopy(H5T_STD_U16LE);
    case GYRE_ELEMENT_I16: return H5Tcopy(H5T_STD_I16LE);
    case GYRE_ELEMENT_F32: return H5Tcopy(H5T_IEEE_F32LE);
    case GYRE_ELEMENT_F16: /* HDF5 1.10 has no name for it */
        half = H5Tcopy(H5T_IEEE_F32LE);
        H5Tset_fields(half, 15, 10, 5, 0, 10);
        H5Tset_size(half, 2);
        H5Tset_ebias(half, 15);
        return half;
    case GYRE_ELEMENT_I32: return H5Tcopy(H5T_STD_I32LE);
    case GYRE_ELEMENTS: break;
    }
    return H5I_INVALID_HID;
}

static bool make_typed(hid_t group, const char *name, gyre_element e, int ndim,
                       const hsize_t *dims) {
    hid_t type = type_of(e);
    bool ok = type >= 0 && make_array(group, name, type, ndim, dims, NULL);
    gyre_hdf5_close(type);
    return ok;
}

static bool make_part(hid_t file, int part, const data_rows_shape *s) {
    const hsize_t dims[] = {(hsize_t)s->counts[part], (hsize_t)s->h, (hsize_t)s->w, (hsize_t)s->c};
    const gyre_target *t = &s->target;
    const hsize_t target[] = {dims[0], (hsize_t)t->h, (hsize_t)t->w, (hsize_t)t->c};
    if (dims[0] == 0) return true;
    hid_t list = H5Pcreate(H5P_GROUP_CREATE);
    H5Pset_obj_track_times(list, false);
    hid_t group = H5Gcreate2(file, data_part_names[part], H5P_DEFAULT, list, H5P_DEFAULT);
    bool ok = group >= 0 &&
              make_typed(group, data_is_picture(s->element, s->h, s->w, s->c) ? "images" : "arrays",
                         s->element, 4, dims) &&
              (gyre_target_is_label(t)
                   ? make_typed(group, "labels", GYRE_ELEMENT_I32, 1, dims)
                   : make_typed(group, "targets", s->target_stored, t->classes ? 3 : 4, target));
    gyre_hdf5_close(group);
    gyre_hdf5_close(list);
    return ok;
}

/* Numbers where there are no names: they say how many classes there are. */
static gyre_status list_names(const data_rows_shape *s, char (**out)[GYRE_NAME_SIZE]) {
    char(*names)[GYRE_NAME_SIZE] = calloc((size_t)s->classes, sizeof *names);
    if (names == NULL) return gyre_no_memory("%d class names", s->classes);
    for (int i = 0; i < s->classes; i++) {
        if (s->names == NULL) {
            snprintf(names[i], GYRE_NAME_SIZE, "%d", i);
        } else {
            snprintf(names[i], GYRE_NAME_SIZE, "%s", s->names[i]);
        }
    }
    *out = names;
    return GYRE_OK;
}

static bool make_names(hid_t file, const data_rows_shape *s, char (*names)[GYRE_NAME_SIZE]) {
    const hsize_t count = (hsize_t)s->classes;
    hid_t text = H5Tcopy(H5T_C_S1);
    H5Tset_size(text, GYRE_NAME_SIZE);
    H5Tset_cset(text, H5T_CSET_UTF8);
    bool ok = make_array(file, "names", text, 1, &count, names);
    gyre_hdf5_close(text);
    return ok;
}

gyre_status data_file_make(const char *path, const data_rows_shape *s) {
    char(*names)[GYRE_NAME_SIZE] = NULL;
    GYRE_TRY(list_names(s, &names));
    gyre_hdf5_quiet();
    hid_t create = H5Pcreate(H5P_FILE_CREATE), access = gyre_hdf5_access();
    H5Pset_userblock(create, GYRE_SEAL_SIZE);
    H5Pset_obj_track_times(create, false);
    hid_t file = H5Fcreate(path, H5F_ACC_TRUNC, create, access);
    gyre_hdf5_close(create);
    gyre_hdf5_close(access);
    if (file < 0) {
        free(names);
        return gyre_fail(GYRE_EIO, "cannot create '%s'; is its folder writable?", path);
    }
    bool ok = make_names(file, s, names);
    for (int part = 0; part < DATA_PARTS; part++) ok = ok && make_part(file, part, s);
    if (H5Fclose(file) < 0) ok = false;
    free(names);
    return ok ? GYRE_OK : gyre_fail(GYRE_EIO, "cannot write '%s'; is the disk full?", path);
}
