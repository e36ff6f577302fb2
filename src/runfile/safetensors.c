/* Reading safetensors; see gyre/safetensors.h. */
#include "gyre/safetensors.h"

#include "gyre/element.h"
#include "gyre/file.h"
#include "gyre/size.h"
#include "safetensors_header.h"
#include "safetensors_index.h"
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum { LENGTH = 8, PIECE = 1 << 16, HEAD = 1 << 12 };

/* Where an entry's numbers are. */
typedef struct {
    int part;
    uint64_t at;
    const char *type;
} place;

struct gyre_safetensors {
    char *path;
    char **parts; /* paths of the files */
    int part_count;
    gyre_h5_entry *entries;
    place *places;
    size_t count;
};

/* ---- one file */

static uint64_t little_endian(const unsigned char *bytes) {
    uint64_t value = 0;
    for (int i = LENGTH - 1; i >= 0; i--) value = value << 8 | bytes[i];
    return value;
}

/* The length that the first bytes tell, held against the file's. */
static gyre_status read_length(int fd, const char *path, uint64_t *header, uint64_t *data) {
    struct stat st;
    unsigned char length[LENGTH];
    const uint64_t size = fstat(fd, &st) == 0 ? (uint64_t)st.st_size : 0;
    if (size < LENGTH) {
        return gyre_fail(GYRE_EIO,
                         "'%s' has %" PRIu64 " bytes; a safetensors file begins with 8 bytes that "
                         "tell its header's length",
                         path, size);
    }
    GYRE_TRY(gyre_file_read_at(fd, path, 0, length, sizeof length));
    *header = little_endian(length);
    if (*header > size - LENGTH) {
        return gyre_fail(GYRE_EIO,
                         "'%s' tells of a header of %" PRIu64 " bytes, and only %" PRIu64
                         " follow: it is no safetensors file, or was cut short",
                         path, *header, size - LENGTH);
    }
    if (*header > GYRE_SAFETENSORS_HEADER_MAX) {
        return gyre_fail(GYRE_EIO, "'%s' has a header of %" PRIu64 " bytes; at most %d are read",
                         path, *header, GYRE_SAFETENSORS_HEADER_MAX);
    }
    *data = size - LENGTH - *header;
    return GYRE_OK;
}

static gyre_status read_header(const char *path, safetensors_header *out, uint64_t *data_at) {
    uint64_t size = 0, data = 0;
    int fd;
    char *text = NULL;
    GYRE_TRY(gyre_file_open(path, &fd));
    gyre_status status = GYRE_OK;
    GYRE_GOTO(read_length(fd, path, &size, &data));
    text = malloc((size_t)size + 1);
    if (text == NULL) GYRE_GOTO(gyre_no_memory("reading '%s'", path));
    GYRE_GOTO(gyre_file_read_at(fd, path, LENGTH, text, (size_t)size));
    GYRE_GOTO(safetensors_header_parse(path, text, (size_t)size, data, out));
    *data_at = LENGTH + size;
out:
    free(text);
    close(fd);
    return status;
}

static gyre_h5_kind kind_of(const char *type) {
    if (strcmp(type, "F64") == 0 || strcmp(type, "F32") == 0 || strcmp(type, "F16") == 0 ||
        strcmp(type, "BF16") == 0) {
        return GYRE_H5_FLOATS;
    }
    return type[0] == 'I' || type[0] == 'U' ? GYRE_H5_INTEGERS : GYRE_H5_OTHER;
}

/* The header's tensors become entries, which own the names then. */
static gyre_status add_entries(gyre_safetensors *s, int part, safetensors_header *h,
                               uint64_t data_at) {
    const size_t all = s->count + h->count; /* both at most GYRE_H5_ENTRIES_MAX */
    if (all > GYRE_H5_ENTRIES_MAX) {
        return gyre_fail(GYRE_EIO, "'%s' holds more than the %d tensors that are read", s->path,
                         GYRE_H5_ENTRIES_MAX);
    }
    gyre_h5_entry *entries = realloc(s->entries, gyre_size_of(all + 1, sizeof *entries));
    if (entries != NULL) s->entries = entries;
    place *places = realloc(s->places, gyre_size_of(all + 1, sizeof *places));
    if (places != NULL) s->places = places;
    if (entries == NULL || places == NULL) return gyre_no_memory("reading '%s'", s->path);
    for (size_t i = 0; i < h->count; i++) {
        safetensors_tensor *t = &h->tensors[i];
        gyre_h5_entry *e = &s->entries[s->count];
        *e = (gyre_h5_entry){
            .name = t->name, .kind = kind_of(t->type), .size = (size_t)t->element, .ndim = t->ndim};
        memcpy(e->dims, t->dims, sizeof e->dims);
        s->places[s->count++] = (place){part, data_at + t->begin, t->type};
        t->name = NULL;
    }
    return GYRE_OK;
}

static gyre_status add_file(gyre_safetensors *s, int part) {
    safetensors_header header = {0};
    uint64_t data_at = 0;
    GYRE_TRY(read_header(s->parts[part], &header, &data_at));
    gyre_status status = add_entries(s, part, &header, data_at);
    safetensors_header_free(&header);
    return status;
}

/* ---- several behind an index */

static const char *plain_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash == NULL ? path : slash + 1;
}

/* Each file holds the tensors that the index places there, and no others. */
static gyre_status check_index(const gyre_safetensors *s, const safetensors_index *index) {
    for (size_t i = 0; i < s->count; i++) {
        const char *name = s->entries[i].name, *part = s->parts[s->places[i].part];
        const char *file = safetensors_index_file(index, name);
        if (file != NULL && strcmp(file, plain_name(part)) == 0) continue;
        return gyre_fail(GYRE_EIO, "'%s': tensor '%s' is in '%s'; the index '%s' %s%s", s->path,
                         name, part, s->path, file == NULL ? "does not name it" : "places it in ",
                         file == NULL ? "" : file);
    }
    if (s->count == index->count) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "'%s' names %zu tensors, its files hold %zu", s->path, index->count,
                     s->count);
}

static gyre_status open_index(gyre_safetensors *s) {
    gyre_status status = GYRE_OK;
    safetensors_index index = {0};
    GYRE_GOTO(safetensors_index_read(s->path, &index));
    s->parts = index.files;
    s->part_count = index.file_count;
    for (int i = 0; i < s->part_count; i++) GYRE_GOTO(add_file(s, i));
    status = check_index(s, &index);
out:
    safetensors_index_free(&index);
    return status;
}

static gyre_status open_single(gyre_safetensors *s) {
    s->parts = calloc(1, sizeof *s->parts);
    if (s->parts != NULL) s->parts[0] = strdup(s->path);
    if (s->parts == NULL || s->parts[0] == NULL) return gyre_no_memory("reading '%s'", s->path);
    s->part_count = 1;
    return add_file(s, 0);
}

/* ---- which of both */

static bool ends_with(const char *text, const char *tail) {
    size_t a = strlen(text), b = strlen(tail);
    return a >= b && strcmp(text + a - b, tail) == 0;
}

typedef enum { NEITHER, ONE_FILE, INDEX } form;

/* What a file begins with, and how long it is; false: it cannot be read. It needs no memory, for
 * lack of which a file would be taken for one of another kind. */
static bool read_head(const char *path, char *head, size_t *got, uint64_t *size) {
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISREG(st.st_mode)) return false;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return false;
    ssize_t n = pread(fd, head, HEAD, 0);
    close(fd);
    *got = n > 0 ? (size_t)n : 0;
    *size = (uint64_t)st.st_size;
    return n >= 0;
}

static form form_of(const char *path) {
    char head[HEAD + 1] = "";
    size_t got = 0;
    uint64_t size = 0;
    if (!read_head(path, head, &got, &size)) return NEITHER;
    if (got > LENGTH && head[LENGTH] == '{' &&
        little_endian((const unsigned char *)head) <= size - LENGTH) {
        return ONE_FILE;
    }
    const bool map = strstr(head, "\"weight_map\"") != NULL;
    if (head[strspn(head, " \t\r\n")] == '{' && map) return INDEX;
    return ends_with(path, ".safetensors")              ? ONE_FILE
           : ends_with(path, ".safetensors.index.json") ? INDEX
                                                        : NEITHER;
}

bool gyre_safetensors_is(const char *path) {
    return form_of(path) != NEITHER;
}

gyre_status gyre_safetensors_open(const char *path, gyre_safetensors **out) {
    gyre_safetensors *s = calloc(1, sizeof *s);
    *out = NULL;
    if (s == NULL) return gyre_no_memory("reading '%s'", path);
    s->path = strdup(path);
    gyre_status status = s->path == NULL          ? gyre_no_memory("reading '%s'", path)
                         : form_of(path) == INDEX ? open_index(s)
                                                  : open_single(s);
    if (status == GYRE_OK)
        *out = s;
    else
        gyre_safetensors_close(s);
    return status;
}

gyre_status gyre_safetensors_hash(const char *path, uint64_t *out) {
    gyre_status status = GYRE_OK;
    gyre_safetensors *s = NULL;
    uint64_t *hashes = NULL;
    if (form_of(path) != INDEX) return gyre_file_hash(path, out);
    GYRE_TRY(gyre_safetensors_open(path, &s));
    const size_t count = (size_t)s->part_count + 1;
    hashes = calloc(count, sizeof *hashes);
    if (hashes == NULL) GYRE_GOTO(gyre_no_memory("reading '%s'", path));
    GYRE_GOTO(gyre_file_hash(path, &hashes[0]));
    for (size_t i = 1; i < count; i++) GYRE_GOTO(gyre_file_hash(s->parts[i - 1], &hashes[i]));
    const uint64_t all = XXH3_64bits(hashes, count * sizeof *hashes);
    *out = all == 0 ? 1 : all;
out:
    free(hashes);
    gyre_safetensors_close(s);
    return status;
}

void gyre_safetensors_close(gyre_safetensors *s) {
    if (s == NULL) return;
    for (int i = 0; i < s->part_count; i++) free(s->parts[i]);
    for (size_t i = 0; i < s->count; i++) free(s->entries[i].name);
    free(s->parts);
    free(s->entries);
    free(s->places);
    free(s->path);
    free(s);
}

const gyre_h5_entry *gyre_safetensors_list(const gyre_safetensors *s, size_t *count) {
    *count = s->count;
    return s->entries;
}

/* ---- numbers */

static float of_bf16(const unsigned char *bytes) {
    uint32_t bits = (uint32_t)bytes[0] << 16 | (uint32_t)bytes[1] << 24;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void widen(const char *type, const unsigned char *bytes, size_t count, float *out) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(type, "F32") == 0) {
            memcpy(&out[i], bytes + 4 * i, sizeof out[i]);
        } else if (strcmp(type, "F64") == 0) {
            double value;
            memcpy(&value, bytes + 8 * i, sizeof value);
            out[i] = (float)value;
        } else if (strcmp(type, "F16") == 0) {
            out[i] = gyre_half_to_float((uint16_t)(bytes[2 * i] | bytes[2 * i + 1] << 8));
        } else {
            out[i] = of_bf16(bytes + 2 * i);
        }
    }
}

gyre_status gyre_safetensors_read(const gyre_safetensors *s, const gyre_h5_entry *e, float *out,
                                  size_t count) {
    const place *p = &s->places[e - s->entries];
    const char *path = s->parts[p->part];
    const size_t most = PIECE / e->size;
    unsigned char piece[PIECE];
    uint64_t all = 1;
    int fd;
    for (int i = 0; i < e->ndim; i++) all *= e->dims[i]; /* checked with the header */
    if (e->kind != GYRE_H5_FLOATS || all != count) {
        return gyre_fail(GYRE_EIO, "'%s': tensor '%s' has %" PRIu64 " numbers of type %s; %zu %s",
                         path, e->name, all, p->type, count, "floats were expected");
    }
    GYRE_TRY(gyre_file_open(path, &fd));
    gyre_status status = GYRE_OK;
    for (size_t done = 0; done < count && status == GYRE_OK;) {
        const size_t n = count - done < most ? count - done : most;
        status = gyre_file_read_at(fd, path, p->at + done * e->size, piece, n * e->size);
        if (status == GYRE_OK) widen(p->type, piece, n, out + done);
        done += n;
    }
    close(fd);
    return status;
}
