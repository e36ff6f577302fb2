/* The seal in a file's first 512 bytes; see gyre/seal.h. All numbers are little-endian as on every
 * machine that gyre runs on; the hash is stored in xxHash's canonical byte order. */
#include "gyre/seal.h"

#include "gyre/alive.h"
#include "gyre/file.h"
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
    uint64_t content; /* the hash's seed, so that it is covered, too */
    char zero[GYRE_SEAL_SIZE - 16 - 32 - 8 - sizeof(XXH128_canonical_t) - 8];
} seal;

_Static_assert(sizeof(seal) == GYRE_SEAL_SIZE, "the seal fills the user block");

static const char magic[16] = "gyre seal 1\r\n\032";

static seal unhashed(const char *kind, uint64_t content) {
    seal s;
    memset(&s, 0, sizeof s);
    s.content = content;
    memcpy(s.magic, magic, sizeof magic);
    snprintf(s.kind, sizeof s.kind, "%s", kind);
    return s;
}

void gyre_seal_stamp(void *file, size_t size, const char *kind) {
    seal s = unhashed(kind, 0);
    s.length = size - GYRE_SEAL_SIZE;
    XXH128_canonicalFromHash(&s.hash, XXH3_128bits((char *)file + GYRE_SEAL_SIZE, s.length));
    memcpy(file, &s, sizeof s);
}

/* Hashes everything after the seal in pieces, so that large files need no memory. */
static gyre_status hash_rest(int fd, const char *path, const char *kind, uint64_t content,
                             seal *out) {
    enum { PIECE = 1 << 18 };
    gyre_status status = GYRE_OK;
    char *piece = malloc(PIECE);
    XXH3_state_t *state = XXH3_createState();
    *out = unhashed(kind, content);
    if (piece == NULL || state == NULL || XXH3_128bits_reset_withSeed(state, content) != XXH_OK) {
        status = gyre_no_memory("reading '%s'", path);
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
        gyre_alive();
        XXH3_128bits_update(state, piece, (size_t)got);
        out->length += (uint64_t)got;
    }
    XXH128_canonicalFromHash(&out->hash, XXH3_128bits_digest(state));
out:
    XXH3_freeState(state);
    free(piece);
    return status;
}

gyre_status gyre_seal_write(const char *path, const char *kind, uint64_t content) {
    seal s;
    int fd = open(path, O_RDWR | O_CLOEXEC);
    if (fd < 0) return gyre_fail(GYRE_EIO, "cannot open '%s': %s", path, strerror(errno));
    gyre_status status = hash_rest(fd, path, kind, content, &s);
    if (status == GYRE_OK && pwrite(fd, &s, sizeof s, 0) != (ssize_t)sizeof s) {
        status = gyre_fail(GYRE_EIO, "cannot write '%s': %s", path, strerror(errno));
    }
    if (close(fd) != 0 && status == GYRE_OK) {
        status = gyre_fail(GYRE_EIO, "cannot write '%s': %s", path, strerror(errno));
    }
    return status;
}

static gyre_status compare_outside(const char *path, const char *kind, const seal *found,
                                   uint64_t length) {
    const seal expected = unhashed(kind, 0);
    if (memcmp(found->kind, expected.kind, sizeof found->kind) != 0) {
        return gyre_fail(GYRE_EIO, "'%s' is sealed as '%.31s', a %s was expected", path,
                         found->kind, kind);
    }
    if (found->length > length) {
        return gyre_fail(GYRE_EIO,
                         "'%s' is damaged: %llu bytes after its seal, %llu expected (a copy that "
                         "was cut short?)",
                         path, (unsigned long long)length, (unsigned long long)found->length);
    }
    if (found->length < length) {
        return gyre_fail(GYRE_EIO, "'%s' is damaged: something has added %llu bytes behind its end",
                         path, (unsigned long long)(length - found->length));
    }
    return GYRE_OK;
}

/* *sealed: the file begins with *out. */
static gyre_status open_seal(const char *path, int *fd, seal *out, bool *sealed) {
    *sealed = false;
    GYRE_TRY(gyre_file_open(path, fd));
    ssize_t got = pread(*fd, out, sizeof *out, 0);
    *sealed = got == (ssize_t)sizeof *out && memcmp(out->magic, magic, sizeof magic) == 0;
    return GYRE_OK;
}

gyre_status gyre_seal_check(const char *path, const char *kind, bool *sealed) {
    seal found, expected;
    int fd = -1;
    GYRE_TRY(open_seal(path, &fd, &found, sealed));
    gyre_status status = GYRE_OK;
    if (*sealed) {
        status = hash_rest(fd, path, kind, found.content, &expected);
        if (status == GYRE_OK) status = compare_outside(path, kind, &found, expected.length);
        if (status == GYRE_OK && memcmp(&found, &expected, sizeof expected) != 0) {
            status = gyre_fail(GYRE_EIO, "'%s' is damaged: its checksum does not match its content",
                               path);
        }
    }
    close(fd);
    return status;
}

gyre_status gyre_seal_read(const char *path, const char *kind, gyre_seal_info *out) {
    seal found;
    struct stat st = {0};
    int fd = -1;
    *out = (gyre_seal_info){0};
    GYRE_TRY(open_seal(path, &fd, &found, &out->sealed));
    gyre_status status = GYRE_OK;
    if (out->sealed) {
        uint64_t length = fstat(fd, &st) == 0 ? (uint64_t)st.st_size - GYRE_SEAL_SIZE : 0;
        status = compare_outside(path, kind, &found, length);
        out->content = found.content;
        for (size_t i = 0; i < sizeof found.hash.digest; i++) {
            snprintf(out->checksum + 2 * i, 3, "%02x", found.hash.digest[i]);
        }
    }
    close(fd);
    return status;
}
