/* Named f32 arrays in the groups of a checkpoint: one dataset for each parameter of a flat vector.
 * Internal to src/run. */
#ifndef GYRE_RUN_VECTOR_H
#define GYRE_RUN_VECTOR_H

#include "gyre/model.h"
#include "h5_reader.h"
#include <hdf5.h>
#include <stddef.h>

/* One array: where it lies in a flat vector, and its shape. */
typedef struct {
    char name[64];
    int dims[4];
    int rank;
    size_t offset, count;
} gyre_array;

/* The arrays of the parameters (in layer order) and of the running statistics; free() them. */
gyre_status gyre_arrays_of_parameters(const gyre_model *m, gyre_array **out, int *count);
gyre_status gyre_arrays_of_buffers(const gyre_model *m, gyre_array **out, int *count);

/* Creates `group` in `file` and writes every array of `vector` into it. */
gyre_status gyre_vector_write(hid_t file, const char *path, const char *group,
                              const gyre_array *arrays, int count, const float *vector);
/* Reads every array; names, shapes and number must match: GYRE_EIO naming the first difference. */
gyre_status gyre_vector_read(gyre_h5_reader *r, const char *group, const gyre_array *arrays,
                             int count, float *vector);

/* Reads one array when the group has one of that name and shape. */
gyre_status gyre_array_read(gyre_h5_reader *r, const char *group, const gyre_array *a,
                            float *vector, bool *found);

#endif
