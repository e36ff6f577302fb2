/* How both rooms that call the HDF5 library open files and let go of what they asked it for:
 * src/data for dataset files, src/runfile for all others. Identifiers are the library's hid_t,
 * which public headers do not know. */
#ifndef GYRE_HDF5_H
#define GYRE_HDF5_H

#include <stdbool.h>
#include <stdint.h>

/* Turns off HDF5's own printing for the calling thread: gyre reports an error once, as a message of
 * its own. */
void gyre_hdf5_quiet(void);

/* Properties of an open file without HDF5's file locking; close them. A reader beside the writer
 * must not disturb it, and network file systems often refuse locks. gyre's own lock file guards a
 * run folder. */
int64_t gyre_hdf5_access(void);

/* Opens a file with these properties; negative when that fails. */
int64_t gyre_hdf5_open(const char *path, bool write);

/* Closes whatever kind of identifier; nothing for a negative one. */
void gyre_hdf5_close(int64_t id);

const char *gyre_hdf5_version(void); /* "1.10.8", for doctor */

#endif
