/* HDF5 files in memory, and what several files of this folder write into them. */
#include "h5_file.h"

#include <stdlib.h>

hid_t h5_memory_file(size_t room) {
    enum { GROWTH = 1 << 20 };
    hid_t create = H5Pcreate(H5P_FILE_CREATE), access = H5Pcreate(H5P_FILE_ACCESS);
    if (room > 0) H5Pset_userblock(create, room);
    H5Pset_fapl_core(access, GROWTH, 0);
    hid_t file = H5Fcreate("(in memory)", H5F_ACC_TRUNC, create, access);
    gyre_hdf5_close(access);
    gyre_hdf5_close(create);
    return file;
}

gyre_status h5_image(hid_t file, size_t room, void **image, size_t *size) {
    /* HDF5 leaves the user block out of an image */
    ssize_t rest = H5Fflush(file, H5F_SCOPE_GLOBAL) < 0 ? -1 : H5Fget_file_image(file, NULL, 0);
    char *bytes = rest < 0 ? NULL : calloc(1, room + (size_t)rest);
    if (bytes == NULL || H5Fget_file_image(file, bytes + room, (size_t)rest) != rest) {
        free(bytes);
        return gyre_no_memory("the image of an HDF5 file");
    }
    *image = bytes;
    *size = room + (size_t)rest;
    return GYRE_OK;
}

/* UTF-8 of a fixed length, filled with zeros. */
static hid_t text_type(size_t size) {
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, size);
    H5Tset_cset(type, H5T_CSET_UTF8);
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    return type;
}

gyre_status h5_write_texts(hid_t file, const char *path, const char *place, hsize_t count,
                           size_t size, const char *texts) {
    hid_t type = text_type(size);
    hid_t space = count == 0 ? H5Screate(H5S_SCALAR) : H5Screate_simple(1, &count, NULL);
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    if (list >= 0) H5Pset_obj_track_times(list, 0); /* equal checkpoints are equal files */
    hid_t dataset = H5Dcreate2(file, place, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    bool ok = dataset >= 0 && H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, texts) >= 0;
    gyre_hdf5_close(dataset);
    gyre_hdf5_close(list);
    gyre_hdf5_close(space);
    gyre_hdf5_close(type);
    return ok ? GYRE_OK : gyre_fail(GYRE_EIO, "cannot write '%s'; is the disk full?", path);
}

hid_t h5_row_type(size_t size, const gyre_h5_column *columns, int count) {
    hid_t type = H5Tcreate(H5T_COMPOUND, size);
    for (int i = 0; type >= 0 && i < count; i++) {
        hid_t column = columns[i].integer ? H5T_STD_I64LE : H5T_IEEE_F64LE;
        if (H5Tinsert(type, columns[i].name, 8 * (size_t)i, column) < 0) {
            H5Tclose(type);
            return H5I_INVALID_HID;
        }
    }
    return type;
}
