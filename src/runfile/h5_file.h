/* Opening and closing HDF5 files and their images. Internal to src/runfile. */
#ifndef GYRE_RUNFILE_H5_FILE_H
#define GYRE_RUNFILE_H5_FILE_H

#include "gyre/status.h"
#include <hdf5.h>
#include <stdbool.h>

/* Turns off HDF5's own printing for the calling thread: gyre reports an error
 * once, as a message of its own. */
void h5_quiet(void);

/* Opens a file without HDF5's file locking; negative when that fails. A reader beside the writer
 * must not disturb it, and network file systems often refuse locks. gyre's own lock file guards a
 * run folder. */
hid_t h5_open(const char *path, bool write);

/* A file in memory that never reaches a disk, with `room` bytes left free before HDF5's (0 or 512);
 * negative when that fails. h5_image gives its bytes, to be written by other means than
 * HDF5's, which do not survive a failing disk. free() them. */
hid_t h5_memory_file(size_t room);
gyre_status h5_image(hid_t file, size_t room, void **image, size_t *size);

/* UTF-8 of a fixed length, filled with zeros to `size` bytes; negative when it is not made. */
hid_t h5_text_type(size_t size);

/* Closes whatever kind of identifier; nothing for a negative one. */
void h5_close(hid_t id);

#endif
