/* Messages in protobuf's encoding, written field by field. */
#ifndef GYRE_WIRE_H
#define GYRE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Begins as {0}; free(bytes). */
typedef struct {
    unsigned char *bytes;
    size_t size, room;
    bool failed; /* out of memory: nothing is added any more */
} gyre_wire;

/* Fields by their number in the message. A message of its own goes into another as its bytes. */
void gyre_wire_integer(gyre_wire *w, int field, uint64_t value); /* int32, int64, enum, bool */
void gyre_wire_double(gyre_wire *w, int field, double value);
void gyre_wire_float(gyre_wire *w, int field, float value);
void gyre_wire_bytes(gyre_wire *w, int field, const void *bytes, size_t size);
void gyre_wire_text(gyre_wire *w, int field, const char *text);
/* The same of `inner`, which is freed. */
void gyre_wire_message(gyre_wire *w, int field, gyre_wire inner);
/* Fields that are written already, behind one another; `fields` is freed. */
void gyre_wire_append(gyre_wire *w, gyre_wire fields);

/* Bytes as they are, and numbers with their least byte first. */
void gyre_wire_raw(gyre_wire *w, const void *bytes, size_t size);
void gyre_wire_fixed32(gyre_wire *w, uint32_t value);
void gyre_wire_fixed64(gyre_wire *w, uint64_t value);

#endif
