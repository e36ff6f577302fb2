/* Protobuf's encoding: a field is its number and kind in a varint, then its value. */
#include "gyre/wire.h"

#include <stdlib.h>
#include <string.h>

enum { VARINT = 0, FIXED64 = 1, LENGTH = 2, FIXED32 = 5 }; /* kinds of fields */

void gyre_wire_raw(gyre_wire *w, const void *bytes, size_t size) {
    if (!w->failed && size > w->room - w->size) {
        size_t room = 2 * w->room + size + 64;
        unsigned char *more = realloc(w->bytes, room);
        w->failed = more == NULL;
        if (more != NULL) w->bytes = more;
        if (more != NULL) w->room = room;
    }
    if (w->failed || size == 0) return;
    memcpy(w->bytes + w->size, bytes, size);
    w->size += size;
}

static void put_number(gyre_wire *w, uint64_t value, size_t size) {
    unsigned char bytes[8];
    for (size_t i = 0; i < size; i++) bytes[i] = (unsigned char)(value >> 8 * i);
    gyre_wire_raw(w, bytes, size);
}

void gyre_wire_fixed32(gyre_wire *w, uint32_t value) {
    put_number(w, value, 4);
}

void gyre_wire_fixed64(gyre_wire *w, uint64_t value) {
    put_number(w, value, 8);
}

/* Seven bits a byte, the least first; all but the last have their highest bit set. */
static void put_varint(gyre_wire *w, uint64_t value) {
    unsigned char bytes[10];
    size_t size = 0;
    do {
        bytes[size] = (unsigned char)((value & 0x7f) | (value > 0x7f ? 0x80 : 0));
        value >>= 7;
        size++;
    } while (value > 0);
    gyre_wire_raw(w, bytes, size);
}

static void put_key(gyre_wire *w, int field, int kind) {
    put_varint(w, (uint64_t)field << 3 | (uint64_t)kind);
}

void gyre_wire_integer(gyre_wire *w, int field, uint64_t value) {
    put_key(w, field, VARINT);
    put_varint(w, value);
}

void gyre_wire_double(gyre_wire *w, int field, double value) {
    uint64_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_key(w, field, FIXED64);
    gyre_wire_fixed64(w, bits);
}

void gyre_wire_float(gyre_wire *w, int field, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_key(w, field, FIXED32);
    gyre_wire_fixed32(w, bits);
}

void gyre_wire_bytes(gyre_wire *w, int field, const void *bytes, size_t size) {
    put_key(w, field, LENGTH);
    put_varint(w, size);
    gyre_wire_raw(w, bytes, size);
}

void gyre_wire_text(gyre_wire *w, int field, const char *text) {
    gyre_wire_bytes(w, field, text, strlen(text));
}

void gyre_wire_message(gyre_wire *w, int field, gyre_wire inner) {
    w->failed = w->failed || inner.failed;
    gyre_wire_bytes(w, field, inner.bytes, inner.size);
    free(inner.bytes);
}

void gyre_wire_append(gyre_wire *w, gyre_wire fields) {
    w->failed = w->failed || fields.failed;
    gyre_wire_raw(w, fields.bytes, fields.size);
    free(fields.bytes);
}
