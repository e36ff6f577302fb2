/* What all parts of an import share: the file, memory that lives as long as the import, and its
 * first failure, after which nothing that is made counts. Internal to src/onnx. */
#ifndef GYRE_ONNX_WORK_H
#define GYRE_ONNX_WORK_H

#include "file.h"

typedef struct onnx_block onnx_block;

typedef struct {
    onnx_file *file;
    onnx_block *last; /* of what was taken */
    size_t taken;     /* bytes */
    gyre_status status;
} onnx_work;

/* Zeroed memory. NULL: out of memory, or more than a sound file asks for; w->status has it. */
void *onnx_take(onnx_work *w, size_t count, size_t each);
/* The list with room for `needed` items of `each` bytes; its old memory stays as long as all. */
void *onnx_grow(onnx_work *w, void *list, int count, int *room, size_t each);
char *onnx_text(onnx_work *w, const char *text, size_t length);
void onnx_fail_memory(onnx_work *w);
void onnx_work_close(onnx_work *w); /* the file, too */

#endif
