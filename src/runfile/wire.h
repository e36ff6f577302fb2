/* Messages in protobuf's encoding, written field by field. Internal to src/runfile. */
#ifndef GYRE_RUNFILE_WIRE_H
#define GYRE_RUNFILE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Begins as {0}; free(bytes). */
typedef struct {
    unsigned char *bytes;
    size_t size, room;
    bool failed; /* out of memory: nothing is added any more */
} wire;

/* Fields by their number in the message. A message of its own goes into another as its bytes. */
void wire_integer(wire *w, int field, uint64_t value); /* int32, int64, enum, bool */
void wire_double(wire *w, int field, double value);
void wire_float(wire *w, int field, float value);
void wire_bytes(wire *w, int field, const void *bytes, size_t size);
void wire_text(wire *w, int field, const char *text);
/* The same of `inner`, which is freed. */
void wire_message(wire *w, int field, wire inner);

/* Bytes as they are, and numbers with their least byte first. */
void wire_raw(wire *w, const void *bytes, size_t size);
void wire_fixed32(wire *w, uint32_t value);
void wire_fixed64(wire *w, uint64_t value);

#endif
