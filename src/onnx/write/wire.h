/* Protocol buffers as they lie in a file: numbered fields, appended to a buffer. Private to
 * src/onnx/write. */
#ifndef GYRE_ONNX_WRITE_WIRE_H
#define GYRE_ONNX_WRITE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero is an empty buffer. After a failure to allocate later calls do nothing. */
typedef struct {
    char *bytes;
    size_t size, room;
    bool failed;
} wire;

void wire_free(wire *w);
void wire_integer(wire *w, int field, int64_t value);
void wire_float(wire *w, int field, float value);
void wire_bytes(wire *w, int field, const void *bytes, size_t size);
void wire_text(wire *w, int field, const char *text);
/* `message`, which is freed. */
void wire_message(wire *w, int field, wire *message);
/* Fields that stand in `part` already, which is freed. */
void wire_append(wire *w, wire *part);

#endif
