/* Nothing of the user's is overwritten: a file is known as gyre's by how it begins, or by a
 * checksum. */
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
enum {
    HASH_DIGITS = 16,
    END_MAX = 16,
    START_MAX = 64,
    CRC_SIZE = 4,
    PNG_END_SIZE = sizeof PNG_END - 1
};
_Static_assert(GYRE_SIGNATURE_SIZE == sizeof TOKEN - 1 + HASH_DIGITS, "a token and a hash");

static void print_signature(XXH64_hash_t hash, char *out) {
    snprintf(out, GYRE_SIGNATURE_SIZE + 1, TOKEN "%016" PRIx64, hash);
}

void gyre_overwrite_signature(const void *before, size_t size, char *out) {
    print_signature(XXH3_64bits(before, size), out);
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

#define JSON_END "\n}\n"
#define JSON_AFTER "\"" JSON_END
gyre_status gyre_overwrite_sign_json(char **text, size_t *size) {
    *size -= strlen(JSON_END);
    return gyre_overwrite_sign(text, size, ",\n    \"_gyre_checksum\": \"", JSON_AFTER);
}

/* ModelProto: metadata_props 14 {value 2, key 1}. */
#define ONNX_KEY "gyre.checksum"
#define ONNX_AFTER "\x0a\x0d" ONNX_KEY
_Static_assert(sizeof ONNX_KEY - 1 == 13 && GYRE_SIGNATURE_SIZE == 30, "the lengths of the fields");
gyre_status gyre_overwrite_sign_onnx(char **file, size_t *size) {
    return gyre_overwrite_sign(file, size, "\x72\x2f\x12\x1e", ONNX_AFTER);
}

void gyre_overwrite_sign_at(char *file, size_t size, size_t at) {
    char signature[GYRE_SIGNATURE_SIZE + 1];
    const size_t behind = at + GYRE_SIGNATURE_SIZE;
    print_signature(XXH3_64bits_withSeed(file + behind, size - behind, XXH3_64bits(file, at)),
                    signature);
    memcpy(file + at, signature, GYRE_SIGNATURE_SIZE);
}

/* ---- files that are signed, of any size */

static bool is_end(const char *end, size_t size) {
    static const char *const ends[] = {"\n", " -->\n", JSON_AFTER, ONNX_AFTER};
    if (size == CRC_SIZE + PNG_END_SIZE) {
        return memcmp(end + CRC_SIZE, PNG_END, PNG_END_SIZE) == 0;
    }
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        if (size == strlen(ends[i]) && memcmp(end, ends[i], size) == 0) return true;
    }
    return false;
}

/* Is `signature` that of the next `size` bytes? */
static gyre_status compare(FILE *f, size_t size, XXH64_hash_t seed, const char *signature,
                           bool *right) {
    char piece[1 << 14], found[GYRE_SIGNATURE_SIZE + 1];
    size_t got = 1;
    *right = false;
    XXH3_state_t *state = XXH3_createState();
    if (state == NULL || XXH3_64bits_reset_withSeed(state, seed) != XXH_OK) {
        XXH3_freeState(state);
        return gyre_no_memory("the checksum of a file");
    }
    for (; size > 0 && got > 0; size -= got) {
        got = fread(piece, 1, size < sizeof piece ? size : sizeof piece, f);
        XXH3_64bits_update(state, piece, got);
    }
    print_signature(XXH3_64bits_digest(state), found);
    XXH3_freeState(state);
    *right = size == 0 && memcmp(found, signature, GYRE_SIGNATURE_SIZE) == 0;
    return GYRE_OK;
}

static gyre_status check_end(FILE *f, size_t size, bool *own) {
    char tail[GYRE_SIGNATURE_SIZE + END_MAX];
    const size_t length = size < sizeof tail ? size : sizeof tail, at = size - length;
    if (fseeko(f, (off_t)at, SEEK_SET) != 0 || fread(tail, 1, length, f) != length) return GYRE_OK;
    for (size_t end = 1; end <= END_MAX && end + GYRE_SIGNATURE_SIZE <= length; end++) {
        const char *signature = tail + length - end - GYRE_SIGNATURE_SIZE;
        if (memcmp(signature, TOKEN, sizeof TOKEN - 1) != 0) continue;
        if (!is_end(tail + length - end, end)) return GYRE_OK;
        rewind(f);
        return compare(f, size - end - GYRE_SIGNATURE_SIZE, 0, signature, own);
    }
    return GYRE_OK;
}

static gyre_status check_start(FILE *f, size_t at, size_t size, bool *own) {
    char start[START_MAX + GYRE_SIGNATURE_SIZE];
    const size_t length = at + GYRE_SIGNATURE_SIZE;
    if (at > START_MAX || fread(start, 1, length, f) != length) return GYRE_OK;
    return compare(f, size - length, XXH3_64bits(start, at), start + at, own);
}

/* `at`: 0 where the signature is at the end. */
static gyre_status check_signature(const char *path, size_t at) {
    bool there, plain, own = false;
    struct stat st;
    GYRE_TRY(look(path, &there, &plain));
    if (!there) return GYRE_OK;
    gyre_status status = GYRE_OK;
    FILE *f = plain ? fopen(path, "rbe") : NULL;
    if (f != NULL && fstat(fileno(f), &st) == 0) {
        const size_t size = (size_t)st.st_size;
        status = at == 0 ? check_end(f, size, &own) : check_start(f, at, size, &own);
    }
    if (f != NULL) fclose(f);
    if (own || status != GYRE_OK) return status;
    return gyre_fail(GYRE_EIO,
                     "'%s' would be overwritten, but gyre did not write it, or not as it is now; "
                     "give another name or folder, or move that file away",
                     path);
}

gyre_status gyre_overwrite_check_signed(const char *path) {
    return check_signature(path, 0);
}

gyre_status gyre_overwrite_check_signed_at(const char *path, size_t at) {
    return check_signature(path, at);
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
