/* The header of a safetensors file, as plain data that has been checked: names are unique, and the
 * tensors lie one behind the other in what follows the header, without a gap, to its last byte.
 * Internal to src/runfile. */
#ifndef GYRE_RUNFILE_SAFETENSORS_HEADER_H
#define GYRE_RUNFILE_SAFETENSORS_HEADER_H

#include "gyre/h5.h"

typedef struct {
    char *name;
    const char *type; /* "F32" */
    int element;      /* bytes of an element */
    int ndim;
    uint64_t dims[GYRE_H5_NDIM_MAX];
    uint64_t begin, end; /* bytes, from the end of the header */
} safetensors_tensor;

typedef struct {
    safetensors_tensor *tensors; /* as the header has them */
    size_t count;
} safetensors_header;

/* `text` of `size` bytes is the header, `data` the bytes that follow it; `path` is for messages.
 * GYRE_EIO: something is not as the format has it; *out is empty then. */
gyre_status safetensors_header_parse(const char *path, const char *text, size_t size, uint64_t data,
                                     safetensors_header *out);
void safetensors_header_free(safetensors_header *h);

#endif
