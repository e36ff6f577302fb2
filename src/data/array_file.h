/* An array in a file: NumPy's .npy, or a dataset of an HDF5 file. Internal to src/data. */
#ifndef GYRE_DATA_ARRAY_FILE_H
#define GYRE_DATA_ARRAY_FILE_H

#include "gyre/element.h"
#include "gyre/status.h"

typedef struct data_array data_array;

/* The file that holds the array `name`, as below; free() it, NULL: no memory. */
char *data_array_path(const char *name);

/* `name` is "x.npy", or "file.h5:/path" for a dataset of an HDF5 file, however it is stored there.
 * As samples, numbers of 8 bytes become f32; as targets, integers become i32 and floats f32.
 * Errors: GYRE_EUSAGE for a type, an order or a shape that cannot be taken; GYRE_EIO. */
gyre_status data_array_open(const char *name, bool targets, data_array **out);
void data_array_close(data_array *a);

int64_t data_array_rows(const data_array *a);
gyre_element data_array_element(const data_array *a);
/* Number of dimensions, 1 to 4, and height, width and channels of a row: (N), (N, C), (N, H, W) or
 * (N, H, W, C). */
int data_array_shape(const data_array *a, int size[3]);

/* Rows first..first+count-1 as `out` is to hold them. GYRE_EIO; GYRE_EUSAGE for an integer that
 * int32 does not hold. */
gyre_status data_array_read(data_array *a, int64_t first, int64_t count, void *out);

#endif
