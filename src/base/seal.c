/* The seal in a file's first 512 bytes; see gyre/seal.h. All numbers are little-endian as on every
 * machine that gyre runs on; the hash is stored in xxHash's canonical byte order. */
#include "gyre/seal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

typedef struct {
    char magic[16];
    char kind[32];
    uint64_t length; /* of what follows the seal */
    XXH128_canonical_t hash;
    char zero[GYRE_SEAL_SIZE - 16 - 32 - 8 - sizeof(XXH128_canonical_t)];
} seal;

_Static_assert(sizeof(seal) == GYRE_SEAL_SIZE, "the seal fills the user block");

static const char magic[16] = "gyre seal 1\r\n\032";

static seal unhashed(const char *kind) {
    seal s;
    memset(&s, 0, sizeof s);
    memcpy(s.magic, magic, sizeof magic);
    snprintf(s.kind, sizeof s.kind, "%s", kind);
    return s;
}

void gyre_seal_stamp(void *file, size_t size, const char *kind) {
    seal s = unhashed(kind);
    s.length = size - GYRE_SEAL_SIZE;
    XXH128_canonicalFromHash(&s.hash, XXH3_128bits((char *)file + GYRE_SEAL_SIZE, s.length));
    memcpy(file, &s, sizeof s);
}

/* Hashes everything after the seal in pieces, so that large files need no memory. */
static gyre_status hash_rest(int fd, const char *path, const char *kind, seal *out) {
    enum { PIECE = 1 << 18 };
    gyre_status status = GYRE_OK;
    char *piece = malloc(PIECE);
    XXH3_state_t *state = XXH3_createState();
    *out = unhashed(kind);
    if (piece == NULL || state == NULL || XXH3_128bits_reset(state) != XXH_OK) {
        status = gyre_fail(GYRE_EDEVICE, "no memory to read '%s'", path);
        goto out;
    }
    for (;;) {
        ssize_t got = pread(fd, piece, PIECE, (off_t)(GYRE_SEAL_SIZE + out->length));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            status = gyre_fail(GYRE_EIO, "cannot read '%s': %s", path, strerror(errno));
            goto out;
        }
        if (got == 0) break;
        XXH3_128bits_update(state, piece, (size_t)got);
        out->length += (uint64_t)got;
    }
    XXH128_canonicalFromHash(&out->hash, XXH3_128bits_digest(state));
out:
    XXH3_freeState(state);
    free(piece);
    return status;
}

gyre_status gyre_seal_write(const char *path, const char *kind) {
    seal s;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return gyre_fail(GYRE_EIO, "cannot open '%s': %s", path, strerror(errno));
    gyre_status status = hash_rest(fd, path, kind, &s);
    if (status == GYRE_OK && pwrite(fd, &s, sizeof s, 0) != (ssize_t)sizeof s) {
        status = gyre_fail(GYRE_EIO, "cannot write '%s': %s", path, strerror(errno));
    }
    if (close(fd) != 0 && status == GYRE_OK) {
        status = gyre_fail(GYRE_EIO, "cannot write '%s': %s", path, strerror(errno));
    }
    return status;
}

static gyre_status compare(const char *path, const char *kind, const seal *found,
                           const seal *expected) {
    if (memcmp(found->kind, expected->kind, sizeof found->kind) != 0) {
        return gyre_fail(GYRE_EIO, "'%s' is sealed as '%.31s', a %s was expected", path,
                         found->kind, kind);
    }
    if (found->length != expected->length) {
        return gyre_fail(GYRE_EIO,
                         "'%s' is damaged: %llu bytes after its seal, %llu expected (a copy that "
                         "was cut short?)",
                         path, (unsigned long long)expected->length,
                         (unsigned long long)found->length);
    }
    if (memcmp(found, expected, sizeof *found) != 0) {
        return gyre_fail(GYRE_EIO, "'%s' is damaged: its checksum does not match its content",
                         path);
    }
    return GYRE_OK;
}

gyre_status gyre_seal_check(const char *path, const char *kind, bool *sealed) {
    seal found, expected;
    *sealed = false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return gyre_fail(GYRE_EIO, "cannot open '%s': %s", path, strerror(errno));
    gyre_status status = GYRE_OK;
    ssize_t got = pread(fd, &found, sizeof found, 0);
    if (got == (ssize_t)sizeof found && memcmp(found.magic, magic, sizeof magic) == 0) {
        *sealed = true;
        status = hash_rest(fd, path, kind, &expected);
        if (status == GYRE_OK) status = compare(path, kind, &found, &expected);
    }
    close(fd);
    return status;
}
