/* An ONNX file as protobuf-c's messages, read within bounds. Internal to src/onnx. */
#ifndef GYRE_ONNX_FILE_H
#define GYRE_ONNX_FILE_H

#include "gyre/status.h"
#include <onnx.pb-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    char *path;
    Onnx__ModelProto *model; /* its graph is there */
    size_t left;             /* bytes that reading may still ask for */
    bool out_of_memory;      /* the machine's, not `left` */
    ProtobufCAllocator allocator;
} onnx_file;

/* Reads `path`. GYRE_EIO: it cannot be read, is damaged, nests too deeply, or has no graph. Close
 * it. */
gyre_status onnx_file_open(const char *path, onnx_file **out);
void onnx_file_close(onnx_file *f); /* NULL is fine */
/* What the file's metadata say under a key; NULL: nothing. */
const char *onnx_file_note(const onnx_file *f, const char *key);
/* It names this program as its producer. */
bool onnx_file_is_by(const onnx_file *f, const char *producer);

#endif
