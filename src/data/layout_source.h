/* A dataset inside an HDF5 file, opened to find out what it holds and where. Internal to src/data.
 */
#ifndef GYRE_DATA_LAYOUT_SOURCE_H
#define GYRE_DATA_LAYOUT_SOURCE_H

#include "gyre/element.h"
#include "gyre/status.h"
#include <hdf5.h>
#include <stdint.h>

/* By its path inside; the caller closes `id`. */
typedef struct {
    const char *path, *name;
    hid_t file, id;
    uint64_t offset;
    int ndim;
    hsize_t dims[4];
} source;

/* With any number of dimensions up to 4, or with `ndim` of them. GYRE_EIO. */
gyre_status source_open(source *s);
gyre_status source_open_dims(source *s, int ndim);
/* GYRE_ELEMENTS: of another type. */
gyre_element source_element(const source *s);
/* GYRE_EIO unless `right`; `expected` names the type. */
gyre_status source_check_type(const source *s, bool right, const char *expected);
/* Finds the offset. GYRE_EIO: the values do not lie in one piece in this very file. */
gyre_status source_check_storage(source *s);

#endif
