/* The header of a .npy file is a Python dictionary in a text, whose three keys are looked for. */
#include "npy.h"

#include "gyre/element.h"
#include "gyre/file.h"
#include "gyre/size.h"
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEADER_MAX = 65536 };

static gyre_status bad(const char *path, const char *what) {
    return gyre_fail(GYRE_EIO, "'%s' is no .npy file: %s", path, what);
}

/* What follows 'KEY': in the dictionary; NULL: nothing. */
static const char *value_of(const char *header, const char *key) {
    const char *at = strstr(header, key);
    if (at == NULL) return NULL;
    at += strlen(key);
    return *at == '\0' ? NULL : at + strspn(at, " ");
}

static gyre_status read_type(const char *path, const char *text, npy_header *out) {
    char order = '\0';
    if (text != NULL && text[0] == '\'') {
        order = text[1];
        out->kind = text[2];
        out->size = (int)strtol(text + 3, NULL, 10);
    }
    bool number = strchr("fiub", out->kind) != NULL && out->kind != '\0';
    bool size = out->size == 1 || out->size == 2 || out->size == 4 || out->size == 8;
    bool sound = number && size && (out->kind != 'f' || out->size >= 2) &&
                 (out->kind != 'b' || out->size == 1);
    if (sound && (order == '<' || out->size == 1)) return GYRE_OK;
    if (sound && order == '>') {
        return gyre_fail(GYRE_EUSAGE,
                         "'%s' is big-endian; x.astype(x.dtype.newbyteorder('<')) makes it "
                         "little-endian",
                         path);
    }
    const bool quoted = text != NULL && text[0] == '\'';
    const int shown = quoted ? 2 + (int)strcspn(text + 1, "'") : 12;
    return gyre_fail(GYRE_EUSAGE, "'%s' holds no integers or floats of 1 to 8 bytes (descr %.*s)",
                     path, shown < 40 ? shown : 40, text == NULL ? "is missing" : text);
}

static gyre_status read_shape(const char *path, const char *text, npy_header *out) {
    if (text == NULL || *text++ != '(') return bad(path, "its header has no shape");
    while (*text != ')') {
        char *end;
        errno = 0;
        long long dim = strtoll(text, &end, 10);
        if (end == text || dim < 0 || errno != 0 || out->ndim == NPY_DIMS) {
            return bad(path, "its shape cannot be read");
        }
        out->dims[out->ndim++] = dim;
        text = end + strspn(end, ", ");
    }
    return GYRE_OK;
}

static gyre_status check_length(const char *path, int fd, const npy_header *h) {
    struct stat st;
    size_t bytes = (size_t)h->size;
    bool fits = fstat(fd, &st) == 0;
    for (int i = 0; fits && i < h->ndim; i++) {
        fits = gyre_size_multiply(bytes, (size_t)h->dims[i], &bytes);
    }
    if (fits && (uint64_t)st.st_size >= h->offset && bytes <= (uint64_t)st.st_size - h->offset) {
        return GYRE_OK;
    }
    return gyre_fail(GYRE_EIO, "'%s' is cut short: its shape needs more bytes than it has", path);
}

static gyre_status read_dictionary(const char *path, const char *header, npy_header *out) {
    const char *order = value_of(header, "'fortran_order':");
    GYRE_TRY(read_type(path, value_of(header, "'descr':"), out));
    if (order == NULL || strncmp(order, "False", 5) != 0) {
        return gyre_fail(GYRE_EUSAGE,
                         "'%s' is in Fortran order; np.save(name, np.ascontiguousarray(x)) writes "
                         "it in C order",
                         path);
    }
    return read_shape(path, value_of(header, "'shape':"), out);
}

gyre_status npy_read_header(const char *path, int fd, npy_header *out) {
    unsigned char begin[12];
    *out = (npy_header){0};
    GYRE_TRY(gyre_file_read_at(fd, path, 0, begin, sizeof begin));
    if (memcmp(begin, "\x93NUMPY", 6) != 0) return bad(path, "it does not begin as one");
    bool old = begin[6] == 1;
    size_t size = (size_t)begin[8] | (size_t)begin[9] << 8;
    if (!old) size |= (size_t)begin[10] << 16 | (size_t)begin[11] << 24;
    out->offset = (old ? 10 : 12) + size;
    if (size > HEADER_MAX) return bad(path, "its header is too long");
    char *header = calloc(1, size + 1);
    if (header == NULL) return gyre_no_memory("the header of '%s'", path);
    gyre_status status = gyre_file_read_at(fd, path, old ? 10 : 12, header, size);
    if (status == GYRE_OK) status = read_dictionary(path, header, out);
    free(header);
    return status == GYRE_OK ? check_length(path, fd, out) : status;
}

/* Little-endian, with or without a sign. uint64 beyond int64 gives the greatest int64, as HDF5
 * does. */
static int64_t integer_at(const char *stored, size_t size, bool has_sign) {
    uint64_t bits = 0;
    memcpy(&bits, stored, size);
    unsigned unused = (unsigned)(64 - 8 * size);
    return has_sign           ? (int64_t)(bits << unused) >> unused
           : bits > INT64_MAX ? INT64_MAX
                              : (int64_t)bits;
}

void npy_integers(const npy_header *h, const char *stored, size_t n, int64_t *out) {
    size_t size = (size_t)h->size;
    for (size_t i = 0; i < n; i++) out[i] = integer_at(stored + i * size, size, h->kind == 'i');
}

void npy_floats(const npy_header *h, const char *stored, size_t n, float *out) {
    if (h->size == 2) gyre_element_floats(GYRE_ELEMENT_F16, stored, n, out);
    if (h->size == 4) gyre_element_floats(GYRE_ELEMENT_F32, stored, n, out);
    for (size_t i = 0; h->size == 8 && i < n; i++) {
        double value;
        memcpy(&value, stored + i * sizeof value, sizeof value);
        out[i] = (float)value;
    }
}
