/* Named f32 arrays in the groups of a checkpoint: one dataset for each parameter of a flat vector.
 * Internal to src/runfile. */
#ifndef GYRE_RUNFILE_H5_ARRAYS_H
#define GYRE_RUNFILE_H5_ARRAYS_H

#include "gyre/h5.h"
#include "gyre/model.h"
#include <hdf5.h>
#include <stddef.h>

/* One array of a model, which it is not to outlive: where it lies in a flat vector, and its shape.
 */
typedef struct {
    const char *name; /* the model's, or a literal */
    int dims[4];
    int ndim;
    int picture[3];  /* (h, w, c) that a linear layer reads as one row, and PyTorch's as (c, h, w);
                        h 0: none */
    bool transposed; /* (in, out) in PyTorch */
    bool computed;   /* from PyTorch's parameters, none of which it is */
    const char *torch; /* its name in PyTorch; NULL: this one */
    size_t offset, count;
} h5_array;

/* "(64, 3, 3, 3)" */
void h5_array_shape(const h5_array *a, char *out, size_t size);

/* The arrays of the parameters (in layer order) and of the running statistics; free() them. */
gyre_status h5_arrays_of_parameters(const gyre_model *m, h5_array **out, int *count);
gyre_status h5_arrays_of_buffers(const gyre_model *m, h5_array **out, int *count);

/* Writes one array into a group, or a file's root. */
bool h5_array_write(hid_t group, const h5_array *a, const float *vector);
/* Creates `group` in `file` and writes every array of `vector` into it. */
gyre_status h5_arrays_write(hid_t file, const char *path, const char *group, const h5_array *arrays,
                            int count, const float *vector);
/* Reads every array; names, shapes and number must match: GYRE_EIO naming the first difference. */
gyre_status h5_arrays_read(gyre_h5_reader *r, const char *group, const h5_array *arrays, int count,
                           float *vector);

/* Reads one array when the group has one of that name and shape. */
gyre_status h5_arrays_read_one(gyre_h5_reader *r, const char *group, const h5_array *a,
                               float *vector, bool *found);

#endif
