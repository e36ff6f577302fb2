/* Opens and closes HDF5 files; see gyre/hdf5.h. */
#include "gyre/hdf5.h"

#include "gyre/text.h"
#include <hdf5.h>

_Static_assert(sizeof(hid_t) == sizeof(int64_t), "HDF5 1.10 or newer");

/* HDF5's own clean-up at exit crashes over a file that it could not close (1.10.8, a write that
 * failed); what gyre needs on the disk is there before. Too late when HDF5 has been used already.
 */
__attribute__((constructor)) static void without_clean_up(void) {
    H5dont_atexit();
}

void gyre_hdf5_quiet(void) {
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
}

hid_t gyre_hdf5_access(void) {
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access >= 0) H5Pset_file_locking(access, 0, 1);
    return access;
}

hid_t gyre_hdf5_open(const char *path, bool write) {
    hid_t access = gyre_hdf5_access();
    hid_t file = H5Fopen(path, write ? H5F_ACC_RDWR : H5F_ACC_RDONLY, access);
    gyre_hdf5_close(access);
    return file;
}

void gyre_hdf5_close(hid_t id) {
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

/* The library refuses to work with another version than the headers'. */
const char *gyre_hdf5_version(void) {
    return GYRE_STRING(H5_VERS_MAJOR) "." GYRE_STRING(H5_VERS_MINOR) "." GYRE_STRING(
        H5_VERS_RELEASE);
}
