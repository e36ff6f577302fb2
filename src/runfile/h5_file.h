/* HDF5 files in memory, and what several files of this folder write into them. Internal to
 * src/runfile. */
#ifndef GYRE_RUNFILE_H5_FILE_H
#define GYRE_RUNFILE_H5_FILE_H

#include "gyre/h5.h"
#include "gyre/hdf5.h"
#include <hdf5.h>

/* A file in memory that never reaches a disk, with `room` bytes left free before HDF5's (0 or 512);
 * negative when that fails. h5_image gives its bytes, to be written by other means than
 * HDF5's, which do not survive a failing disk. free() them. */
hid_t h5_memory_file(size_t room);
gyre_status h5_image(hid_t file, size_t room, void **image, size_t *size);

/* The dataset `place` of texts, `size` bytes each, UTF-8, filled with zeros: `count` of them, or
 * with a count of 0 a single one without dimensions. `path` is for messages. */
gyre_status h5_write_texts(hid_t file, const char *path, const char *place, hsize_t count,
                           size_t size, const char *texts);

/* Rows of `size` bytes in columns of eight; negative when it is not made. */
hid_t h5_row_type(size_t size, const gyre_h5_column *columns, int count);

#endif
