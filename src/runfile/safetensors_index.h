/* The index of a state_dict in several safetensors files: {"weight_map": {NAME: FILE}}. Internal to
 * src/runfile. */
#ifndef GYRE_RUNFILE_SAFETENSORS_INDEX_H
#define GYRE_RUNFILE_SAFETENSORS_INDEX_H

#include "gyre/status.h"
#include <stddef.h>

typedef struct {
    char *name;
    int file;
} safetensors_row;

typedef struct {
    safetensors_row *rows; /* by name */
    size_t count;
    char **names; /* of the files, as the index has them */
    char **files; /* their paths: they lie beside the index. Whoever takes the list frees it */
    int file_count;
} safetensors_index;

/* GYRE_EIO: it is no such index, names a tensor twice, or a file that is not beside it. */
gyre_status safetensors_index_read(const char *path, safetensors_index *out);
/* All but `files`. */
void safetensors_index_free(safetensors_index *index);
/* The file of a tensor, NULL: the index does not name it. */
const char *safetensors_index_file(const safetensors_index *index, const char *name);

#endif
