/* Writes protocol buffers; see wire.h. */
#include "wire.h"

#include "gyre/size.h"
#include <stdlib.h>
#include <string.h>

enum { VARINT = 0, LENGTH = 2, FIXED32 = 5 };

void wire_free(wire *w) {
    free(w->bytes);
    *w = (wire){0};
}

static void put(wire *w, const void *bytes, size_t size) {
    size_t needed = 0;
    if (w->failed || size == 0) return;
    if (!gyre_size_add(w->size, size, &needed)) {
        w->failed = true;
        return;
    }
    if (needed > w->room) {
        size_t room = gyre_size_double(w->room, 256, needed);
        char *more = realloc(w->bytes, room);
        if (more == NULL) {
            w->failed = true;
            return;
        }
        w->bytes = more;
        w->room = room;
    }
    memcpy(w->bytes + w->size, bytes, size);
    w->size = needed;
}

static void put_varint(wire *w, uint64_t value) {
    unsigned char bytes[10];
    size_t n = 0;
    for (; value >= 0x80; value >>= 7) bytes[n++] = (unsigned char)(value | 0x80);
    bytes[n++] = (unsigned char)value;
    put(w, bytes, n);
}

static void put_key(wire *w, int field, int type) {
    put_varint(w, (uint64_t)field << 3 | (uint64_t)type);
}

void wire_integer(wire *w, int field, int64_t value) {
    put_key(w, field, VARINT);
    put_varint(w, (uint64_t)value);
}

void wire_float(wire *w, int field, float value) {
    put_key(w, field, FIXED32);
    put(w, &value, sizeof value);
}

void wire_bytes(wire *w, int field, const void *bytes, size_t size) {
    put_key(w, field, LENGTH);
    put_varint(w, size);
    put(w, bytes, size);
}

void wire_text(wire *w, int field, const char *text) {
    wire_bytes(w, field, text, strlen(text));
}

void wire_message(wire *w, int field, wire *message) {
    wire_bytes(w, field, message->bytes, message->size);
    w->failed = w->failed || message->failed;
    wire_free(message);
}

void wire_append(wire *w, wire *part) {
    put(w, part->bytes, part->size);
    w->failed = w->failed || part->failed;
    wire_free(part);
}
