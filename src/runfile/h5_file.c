/* Opens and closes HDF5 files and file images. */
#include "h5_file.h"

#include <stdlib.h>

/* HDF5's own clean-up at exit crashes over a file that it could not close (1.10.8, a write that
 * failed); what gyre needs on the disk is there before. Too late when HDF5 has been used already.
 */
__attribute__((constructor)) static void without_clean_up(void) {
    H5dont_atexit();
}

void h5_quiet(void) {
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

hid_t h5_open(const char *path, bool write) {
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access >= 0) H5Pset_file_locking(access, 0, 1);
    hid_t file = H5Fopen(path, write ? H5F_ACC_RDWR : H5F_ACC_RDONLY, access);
    h5_close(access);
    return file;
}

hid_t h5_memory_file(size_t room) {
    enum { GROWTH = 1 << 20 };
    hid_t create = H5Pcreate(H5P_FILE_CREATE), access = H5Pcreate(H5P_FILE_ACCESS);
    if (room > 0) H5Pset_userblock(create, room);
    H5Pset_fapl_core(access, GROWTH, 0);
    hid_t file = H5Fcreate("(in memory)", H5F_ACC_TRUNC, create, access);
    h5_close(access);
    h5_close(create);
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

hid_t h5_text_type(size_t size) {
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, size);
    H5Tset_cset(type, H5T_CSET_UTF8);
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    return type;
}

void h5_close(hid_t id) {
    if (id < 0) return;
    switch (H5Iget_type(id)) {
    case H5I_FILE: H5Fclose(id); break;
    case H5I_GROUP: H5Gclose(id); break;
    case H5I_DATASET: H5Dclose(id); break;
    case H5I_DATATYPE: H5Tclose(id); break;
    case H5I_DATASPACE: H5Sclose(id); break;
    case H5I_ATTR: H5Aclose(id); break;
    case H5I_GENPROP_LST: H5Pclose(id); break;
    default: break;
    }
}
