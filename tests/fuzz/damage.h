/* Damage by a keyed random sequence: bytes, numbers, HDF5's structures, lines of text. */
#ifndef FUZZ_DAMAGE_H
#define FUZZ_DAMAGE_H

#include "gyre/random.h"
#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { GROWTH = 256 }; /* bytes that a file may become longer */

static uint32_t below(gyre_random *r, size_t n) {
    return gyre_random_below(r, (uint32_t)n);
}

/* Numbers that end loops, wrap products and lose their sign. */
static void put_number(gyre_random *r, uint8_t *at, size_t room) {
    static const uint64_t numbers[] = {0,
                                       1,
                                       2,
                                       0x7f,
                                       0x80,
                                       0xff,
                                       0x7fff,
                                       0xffff,
                                       0x7fffffff,
                                       0x80000000,
                                       0xffffffff,
                                       (uint64_t)1 << 32,
                                       (uint64_t)1 << 61,
                                       (uint64_t)1 << 62,
                                       ((uint64_t)1 << 63) + 1,
                                       UINT64_MAX,
                                       UINT64_MAX - 1};
    size_t size = (size_t)1 << below(r, 4);
    uint64_t n = numbers[below(r, sizeof numbers / sizeof *numbers)];
    if (below(r, 4) == 0) n += gyre_random_u32(r) % 16;
    memcpy(at, &n, size < room ? size : room);
}

/* A place in HDF5's own structures, where there are any: behind one of its signatures. */
static size_t structure(gyre_random *r, const uint8_t *bytes, size_t size) {
    static const char *const marks[] = {"\x89HDF", "TREE", "HEAP", "SNOD", "OHDR", "FRHP",
                                        "FHDB",    "BTHD", "BTLF", "OCHK", "FADB", "EAHD"};
    size_t begin = below(r, size);
    for (size_t i = 0; i + 4 < size; i++) {
        size_t at = (begin + i) % (size - 4);
        for (size_t m = 0; m < sizeof marks / sizeof *marks; m++) {
            if (memcmp(bytes + at, marks[m], 4) == 0) return (at + below(r, 96)) % size;
        }
    }
    return begin;
}

static size_t damage_bytes(gyre_random *r, uint8_t *bytes, size_t size, size_t spare) {
    size_t at = below(r, 2) ? structure(r, bytes, size) : below(r, size), n = 1 + below(r, 64);
    if (spare >= size) spare = 0;
    if (at < spare) at = spare + at % (size - spare);
    if (n > size - at) n = size - at;
    switch (below(r, 8)) {
    case 0:
    case 1: bytes[at] = (uint8_t)gyre_random_u32(r); return size;
    case 2: bytes[at] = (uint8_t)(bytes[at] ^ 1u << below(r, 8)); return size;
    case 3:
    case 4: put_number(r, bytes + at, size - at); return size;
    case 5: put_number(r, bytes + (at & ~(size_t)7), size - (at & ~(size_t)7)); return size;
    case 6: memmove(bytes + at, bytes + spare + below(r, size - spare - n + 1), n); return size;
    default: return below(r, 8) ? size : at + 1;
    }
}

/* Puts another value in the place of one of JSON, so that it stays JSON. */
static size_t swap_value(gyre_random *r, uint8_t *text, size_t size) {
    static const char *const values[] = {
        "0",     "1",         "-1",      "2",     "3",    "7",      "2147483647",  "1e300",
        "1e-9",  "0.5",       "true",    "false", "null", "\"\"",   "\"classes\"", "\"images\"",
        "\"a\"", "\"conv1\"", "\"bn1\"", "[]",    "{}",   "[1, 2]", "[0, 1, 2, 3]"};
    size_t at = below(r, size), end;
    while (at < size && text[at] != ':' && text[at] != '[') at++;
    at += at < size;
    while (at < size && text[at] == ' ') at++;
    if (at >= size) return size;
    end = at + 1;
    if (text[at] == '"') {
        while (end < size && text[end] != '"') end++;
        end += end < size;
    } else {
        while (end < size && strchr(",]}\n", text[end]) == NULL) end++;
    }
    const char *value = values[below(r, sizeof values / sizeof *values)];
    size_t n = strlen(value);
    memmove(text + at + n, text + end, size - end);
    memcpy(text + at, value, n);
    return size + n - (end - at);
}

static size_t damage_text(gyre_random *r, uint8_t *text, size_t size) {
    static const char *const pieces[] = {"\r",
                                         "\n",
                                         "\r\n",
                                         "\t",
                                         "\"",
                                         "{",
                                         "}",
                                         "[",
                                         "]",
                                         ",",
                                         ":",
                                         "\xef\xbb\xbf",
                                         "\xff",
                                         "0",
                                         "-1",
                                         "1e999",
                                         "99999999999999999999",
                                         "4294967297",
                                         "18446744073709551615",
                                         "null",
                                         "true",
                                         "\\u0000",
                                         "../",
                                         "[[[[[[[[",
                                         "\x1b[2J",
                                         "NaN"};
    size_t at = below(r, size), n = 1 + below(r, 16);
    if (n > size - at) n = size - at;
    const char *piece = pieces[below(r, sizeof pieces / sizeof *pieces)];
    switch (below(r, 9)) {
    case 6:
    case 7:
    case 8: return swap_value(r, text, size);
    case 0: text[at] = (uint8_t)gyre_random_u32(r); return size;
    case 1: memmove(text + at, text + at + n, size - at - n); return size > n ? size - n : size;
    case 2: memmove(text + at + n, text + at, size - at); return size + n;
    case 3: return at + 1;
    default:
        n = strlen(piece);
        if (below(r, 2)) { /* instead of what is there */
            memcpy(text + at, piece, n < size - at ? n : size - at);
            return size;
        }
        memmove(text + at + n, text + at, size - at);
        memcpy(text + at, piece, n);
        return size + n;
    }
}

#endif
