/* How elements of an HDF5 file are handed over. Internal to src/runfile. */
#ifndef GYRE_RUNFILE_H5_TYPE_H
#define GYRE_RUNFILE_H5_TYPE_H

#include "gyre/h5.h"

typedef enum {
    H5_F32,
    H5_F64,
    H5_I32,
    H5_I64,
    H5_U64,
    H5_TEXT, /* `size` bytes, filled with zeros, and not always one at the end */
    H5_ROW   /* `size` bytes: columns of eight bytes, the file's very own */
} h5_format;

typedef struct {
    h5_format format;
    size_t size; /* of a text or a row */
    int column_count;
    const gyre_h5_column *columns;
} h5_type;

#endif
