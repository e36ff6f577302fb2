/* safetensors: named tensors in one file, or in several behind an index, as PyTorch's state_dicts
 * are kept by Hugging Face's library of that name.
 *
 * A file is 8 bytes (u64, little-endian: the header's length), the header (JSON), and the tensors
 * one behind the other. An index is JSON: {"weight_map": {NAME: FILE}}, its files beside it. What a
 * header says is checked before it is used (GYRE_EIO); numbers are not. Plain reads, no library. */
#ifndef GYRE_SAFETENSORS_H
#define GYRE_SAFETENSORS_H

#include "gyre/h5.h"
#include "gyre/model.h"
#include "gyre/status.h"
#include "gyre/text.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    GYRE_SAFETENSORS_HEADER_MAX = 1 << 24, /* bytes that are read */
    GYRE_SAFETENSORS_FILES_MAX = 1000      /* of an index */
};

/* Does `path` hold tensors of this kind, or an index? Told from its first bytes; by its name where
 * they say nothing, so that a damaged file is called one. */
bool gyre_safetensors_is(const char *path);

typedef struct gyre_safetensors gyre_safetensors;

/* Reads and checks the headers. GYRE_EIO. `path` is copied. */
gyre_status gyre_safetensors_open(const char *path, gyre_safetensors **out);
void gyre_safetensors_close(gyre_safetensors *s); /* NULL is fine */

/* The tensors in the order of the header, as entries of an HDF5 file are told: kind FLOATS where
 * they are F32, F16, BF16 or F64, INTEGERS or OTHER else; `size` bytes an element. */
const gyre_h5_entry *gyre_safetensors_list(const gyre_safetensors *s, size_t *count);
/* The numbers of a tensor of kind FLOATS and `count` elements, as f32. GYRE_EIO. */
gyre_status gyre_safetensors_read(const gyre_safetensors *s, const gyre_h5_entry *e, float *out,
                                  size_t count);

/* gyre_file_hash, over all files of an index. Never 0. GYRE_EIO. */
gyre_status gyre_safetensors_hash(const char *path, uint64_t *out);

/* ---- writing */

typedef struct {
    const char *name;
    const int *dims;
    int ndim;
    const float *values;
} gyre_safetensors_array;

/* The bytes of a file of f32 tensors, by name, with `notes` as its metadata (both in memory, free()
 * *file): equal arrays give equal files. */
gyre_status gyre_safetensors_image(const gyre_safetensors_array *arrays, size_t count,
                                   const gyre_note *notes, size_t note_count, char **file,
                                   size_t *size);

#endif
