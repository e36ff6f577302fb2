/* Nothing of the user's is overwritten: a file is known as gyre's by how it begins or ends. */
#include "gyre/overwrite.h"

#include "gyre/file.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

static gyre_status foreign(const char *path) {
    return gyre_fail(GYRE_EIO,
                     "'%s' would be overwritten, but gyre did not write it; give another name or "
                     "folder, or move that file away",
                     path);
}

static gyre_status look(const char *path, bool *there, bool *plain) {
    struct stat st;
    *there = lstat(path, &st) == 0;
    *plain = *there && S_ISREG(st.st_mode);
    if (*there || errno == ENOENT) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "cannot open '%s': %s", path, strerror(errno));
}

gyre_status gyre_overwrite_check(const char *path, const char *mark) {
    return gyre_overwrite_check_at(path, 0, mark);
}

gyre_status gyre_overwrite_check_at(const char *path, long at, const char *mark) {
    char found[128] = "";
    size_t size = strlen(mark);
    bool there, plain;
    GYRE_TRY(look(path, &there, &plain));
    if (!there) return GYRE_OK;
    if (!plain) return foreign(path);
    FILE *f = fopen(path, "rb");
    if (f == NULL) return gyre_fail(GYRE_EIO, "cannot open '%s': %s", path, strerror(errno));
    size_t got = fseek(f, at, SEEK_SET) == 0 ? fread(found, 1, size, f) : 0;
    fclose(f);
    return got == size && memcmp(found, mark, size) == 0 ? GYRE_OK : foreign(path);
}

/* ---- signatures */

#define TOKEN "gyre checksum "
#define PNG_END "\0\0\0\0IEND\xae\x42\x60\x82"
enum { HASH_DIGITS = 16, END_MAX = 16, CRC_SIZE = 4, PNG_END_SIZE = sizeof PNG_END - 1 };
_Static_assert(GYRE_SIGNATURE_SIZE == sizeof TOKEN - 1 + HASH_DIGITS, "a token and a hash");

void gyre_overwrite_signature(const void *before, size_t size, char *out) {
    snprintf(out, GYRE_SIGNATURE_SIZE + 1, TOKEN "%016" PRIx64, XXH3_64bits(before, size));
}

gyre_status gyre_overwrite_sign(char **text, size_t *size, const char *before, const char *after) {
    char signature[GYRE_SIGNATURE_SIZE + 1];
    size_t more = strlen(before) + GYRE_SIGNATURE_SIZE + strlen(after);
    char *longer = realloc(*text, *size + more + 1);
    if (longer == NULL) return gyre_no_memory("signing a file");
    *text = longer;
    size_t at = *size + strlen(before);
    snprintf(longer + *size, more + 1, "%s", before);
    gyre_overwrite_signature(longer, at, signature);
    snprintf(longer + at, more + 1 - strlen(before), "%s%s", signature, after);
    *size += more;
    return GYRE_OK;
}

static void put_be32(unsigned char *to, uint32_t value) {
    for (int i = 0; i < 4; i++) to[i] = (unsigned char)(value >> (24 - 8 * i));
}

/* The CRC-32 of PNG's chunks (ISO 3309), bit by bit: chunks here are short. */
static uint32_t chunk_sum(const char *bytes, size_t size) {
    const uint32_t polynomial = 0xedb88320;
    uint32_t sum = UINT32_MAX;
    for (size_t i = 0; i < size; i++) {
        sum ^= (unsigned char)bytes[i];
        for (int bit = 0; bit < 8; bit++) sum = sum >> 1 ^ (sum & 1 ? polynomial : 0);
    }
    return ~sum;
}

gyre_status gyre_overwrite_sign_png(char **image, size_t *size) {
    static const char type[] = "tEXtComment"; /* with its zero */
    enum { END = PNG_END_SIZE, LENGTH = 4 };
    enum { MORE = LENGTH + sizeof type + GYRE_SIGNATURE_SIZE + CRC_SIZE };
    if (*size < END)
        return gyre_fail(GYRE_EIO, "a PNG was made that is cut short; perhaps the disk is full");
    char *longer = realloc(*image, *size + MORE + 1);
    if (longer == NULL) return gyre_no_memory("signing a picture");
    *image = longer;
    char *chunk = longer + *size - END, *at = chunk + LENGTH + sizeof type;
    memmove(chunk + MORE, chunk, END);
    put_be32((unsigned char *)chunk, sizeof type - 4 + GYRE_SIGNATURE_SIZE);
    memcpy(chunk + LENGTH, type, sizeof type);
    char signature[GYRE_SIGNATURE_SIZE + 1];
    gyre_overwrite_signature(longer, (size_t)(at - longer), signature);
    memcpy(at, signature, GYRE_SIGNATURE_SIZE);
    put_be32((unsigned char *)at + GYRE_SIGNATURE_SIZE,
             chunk_sum(chunk + LENGTH, sizeof type + GYRE_SIGNATURE_SIZE));
    *size += MORE;
    return GYRE_OK;
}

static bool is_end(const char *end, size_t size) {
    if (size == CRC_SIZE + PNG_END_SIZE) {
        return memcmp(end + CRC_SIZE, PNG_END, PNG_END_SIZE) == 0;
    }
    return (size == 1 && *end == '\n') || (size == 5 && memcmp(end, " -->\n", 5) == 0);
}

static bool is_signed(const char *text, size_t size) {
    char signature[GYRE_SIGNATURE_SIZE + 1];
    for (size_t end = 1; end <= END_MAX && end + GYRE_SIGNATURE_SIZE <= size; end++) {
        size_t before = size - end - GYRE_SIGNATURE_SIZE;
        if (memcmp(text + before, TOKEN, sizeof TOKEN - 1) != 0) continue;
        gyre_overwrite_signature(text, before, signature);
        return memcmp(text + before, signature, GYRE_SIGNATURE_SIZE) == 0 &&
               is_end(text + size - end, end);
    }
    return false;
}

gyre_status gyre_overwrite_check_signed(const char *path) {
    enum { MOST = 1 << 28 };
    char *text = NULL;
    size_t size = 0;
    bool there, plain;
    GYRE_TRY(look(path, &there, &plain));
    if (!there) return GYRE_OK;
    gyre_status status = plain ? gyre_file_read(path, MOST, &text, &size) : GYRE_OK;
    if (status == GYRE_EDEVICE) return status;
    bool own = status == GYRE_OK && text != NULL && is_signed(text, size);
    free(text);
    if (own) return GYRE_OK;
    return gyre_fail(GYRE_EIO,
                     "'%s' would be overwritten, but gyre did not write it, or not as it is now; "
                     "give another name or folder, or move that file away",
                     path);
}

/* ---- keeping what is replaced */

static bool same_file(const char *a, const char *b) {
    struct stat x, y;
    return lstat(a, &x) == 0 && lstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* 0, or why not. EEXIST: the name is another file's. */
static int name_also(const char *path, const char *name) {
    struct stat st;
    if (link(path, name) == 0) return 0;
    if (errno == EEXIST) return same_file(path, name) ? 0 : EEXIST; /* of a launch that failed */
    if (errno == ENOENT || errno == ENOSPC || errno == EROFS || errno == EIO) return errno;
    /* no links here */
    if (renameat2(AT_FDCWD, path, AT_FDCWD, name, RENAME_NOREPLACE) == 0) return 0;
    if (errno == EEXIST || (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP)) return errno;
    if (lstat(name, &st) == 0) return EEXIST;
    return rename(path, name) == 0 ? 0 : errno;
}

gyre_status gyre_overwrite_keep(const char *path, const char *word, char **kept) {
    enum { TRIES = 10000 };
    int reason = EEXIST;
    *kept = NULL;
    for (int i = 1; i <= TRIES && reason == EEXIST; i++) {
        char *name = NULL;
        int n = i == 1 ? asprintf(&name, "%s.%s", path, word)
                       : asprintf(&name, "%s.%s-%d", path, word, i);
        if (n < 0) return gyre_no_memory("keeping '%s'", path);
        reason = name_also(path, name);
        if (reason == 0)
            *kept = name;
        else
            free(name);
    }
    if (reason == 0) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "cannot keep '%s' as '%s.%s': %s", path, path, word,
                     strerror(reason));
}

gyre_status gyre_overwrite_set_aside(const char *path, const char *word, char **kept) {
    GYRE_TRY(gyre_overwrite_keep(path, word, kept));
    if (unlink(path) == 0 || errno == ENOENT) return GYRE_OK;
    gyre_status status = gyre_fail(GYRE_EIO, "cannot remove '%s': %s", path, strerror(errno));
    free(*kept);
    *kept = NULL;
    return status;
}
