/* NumPy's file format for one array. Internal to src/data. */
#ifndef GYRE_DATA_NPY_H
#define GYRE_DATA_NPY_H

#include "gyre/status.h"
#include <stddef.h>
#include <stdint.h>

enum { NPY_DIMS = 8 };

typedef struct {
    char kind; /* 'f', 'i', 'u' or 'b', as in "<f4" */
    int size;  /* bytes of a value */
    int ndim;
    int64_t dims[NPY_DIMS];
    uint64_t offset; /* of the first value */
} npy_header;

/* Also holds the file's length against the shape. GYRE_EUSAGE for a type, byte order or order of
 * dimensions that cannot be taken; GYRE_EIO. */
gyre_status npy_read_header(const char *path, int fd, npy_header *out);

/* n stored values as int64, or as f32 (of f8: rounded). */
void npy_integers(const npy_header *h, const char *stored, size_t n, int64_t *out);
void npy_floats(const npy_header *h, const char *stored, size_t n, float *out);

#endif
