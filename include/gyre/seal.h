/* Sealed files: the first 512 bytes hold magic, kind, length and XXH3-128 of everything after them.
 *
 * HDF5 calls these bytes the user block and leaves them alone. A damaged HDF5 file can hang or
 * crash the library that opens it, so the seal is checked before HDF5 sees the file. */
#ifndef GYRE_SEAL_H
#define GYRE_SEAL_H

#include "gyre/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { GYRE_SEAL_SIZE = 512 };

/* Writes the seal of a closed file whose first GYRE_SEAL_SIZE bytes are free for it. `kind` is a
 * word of at most 31 letters, "checkpoint" or "dataset"; `content` is a number that the file is to
 * be known by without being read, 0 for none. */
gyre_status gyre_seal_write(const char *path, const char *kind, uint64_t content);

/* The same for a file that is still in memory: fills file[0..GYRE_SEAL_SIZE-1]. */
void gyre_seal_stamp(void *file, size_t size, const char *kind);

/* *sealed = false: the file does not begin with a seal (nothing else was checked). With a seal:
 * GYRE_EIO unless kind, length and checksum agree, and nothing else hides in the 512 bytes. */
gyre_status gyre_seal_check(const char *path, const char *kind, bool *sealed);

/* What a seal says, held against nothing but kind and length, so that a large file need not be
 * read. Errors as above. */
typedef struct {
    bool sealed;       /* else the rest is zero */
    uint64_t content;  /* 0: none */
    char checksum[33]; /* of everything after the seal, in hexadecimal digits */
} gyre_seal_info;
gyre_status gyre_seal_read(const char *path, const char *kind, gyre_seal_info *out);

#endif
