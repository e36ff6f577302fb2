/* How this folder opens HDF5 files and lets go of what it asked of them. Internal to src/data. */
#ifndef GYRE_DATA_HDF5_FILE_H
#define GYRE_DATA_HDF5_FILE_H

#include <hdf5.h>

/* Properties of an open file without HDF5's own locks, which network file systems often refuse;
 * data_release() them. */
static inline hid_t data_file_access(void) {
    hid_t access = H5Pcreate(H5P_FILE_ACCESS);
    if (access >= 0) H5Pset_file_locking(access, 0, 1);
    return access;
}

/* Lets go of any identifier; nothing for a negative one. */
static inline void data_release(hid_t id) {
    if (id >= 0) H5Idec_ref(id);
}

#endif
