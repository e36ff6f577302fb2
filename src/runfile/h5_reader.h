/* Reading the content of a file that is open as a gyre_h5_reader: no call of HDF5 is made here, the
 * child makes them. Internal to src/runfile. */
#ifndef GYRE_RUNFILE_H5_READER_H
#define GYRE_RUNFILE_H5_READER_H

#include "h5_type.h"

/* Elements of a dataset: the product of its extents; SIZE_MAX when that does not fit. */
size_t h5_count(const gyre_h5_entry *e);

/* Reads a whole dataset of `count` elements into `out`; floats, integers and texts are converted.
 * GYRE_EIO: it has another number of elements, another kind, or cannot be read. */
gyre_status h5_read(gyre_h5_reader *r, const gyre_h5_entry *e, const h5_type *type, void *out,
                    size_t count);
/* The same for 32-bit floats. */
gyre_status h5_read_floats(gyre_h5_reader *r, const gyre_h5_entry *e, float *out, size_t count);
/* A single value: an attribute of an object. */
gyre_status h5_read_attribute(gyre_h5_reader *r, const gyre_h5_entry *e, const char *name,
                              const h5_type *type, void *out);

#endif
