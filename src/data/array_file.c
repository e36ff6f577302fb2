/* Reading arrays row by row. NumPy's format is read here (numpy.lib.format, versions 1 to 3); of
 * HDF5 files the library reads any layout and converts. */
#include "array_file.h"

#include "gyre/file.h"
#include "gyre/hdf5.h"
#include "gyre/size.h"
#include "npy.h"
#include <errno.h>
#include <fcntl.h>
#include <hdf5.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct data_array {
    char *name;
    npy_header header; /* its type is that of the rows as they are stored */
    gyre_element element;
    size_t row;       /* values */
    int fd;           /* -1: HDF5 */
    hid_t file, data; /* HDF5 */
    void *stored;     /* rows before they are converted */
    size_t room;      /* bytes of it */
};

/* ---- which types are taken */

static gyre_status choose_element(data_array *a, bool targets) {
    const char kind = a->header.kind;
    const int size = a->header.size;
    bool integer = kind == 'i' || kind == 'u' || kind == 'b';
    if (targets) {
        a->element = integer ? GYRE_ELEMENT_I32 : GYRE_ELEMENT_F32;
        return GYRE_OK;
    }
    if (kind == 'f') {
        a->element = size == 2 ? GYRE_ELEMENT_F16 : GYRE_ELEMENT_F32;
        return GYRE_OK;
    }
    if (kind == 'u' && size <= 2) {
        a->element = size == 1 ? GYRE_ELEMENT_U8 : GYRE_ELEMENT_U16;
        return GYRE_OK;
    }
    if (kind == 'i' && size == 2) {
        a->element = GYRE_ELEMENT_I16;
        return GYRE_OK;
    }
    return gyre_fail(GYRE_EUSAGE,
                     "'%s' holds %c%d; samples are uint8, uint16, int16, float16, float32 or "
                     "float64: convert it, as by x.astype('float32')",
                     a->name, kind, size);
}

static gyre_status check_shape(data_array *a) {
    const npy_header *h = &a->header;
    uint64_t values = 1;
    bool fits = h->ndim >= 1 && h->ndim <= 4 && h->dims[0] >= 1;
    for (int i = 1; fits && i < h->ndim; i++) {
        fits = h->dims[i] >= 1 && h->dims[i] <= INT32_MAX;
        if (fits) values *= (uint64_t)h->dims[i];
        fits = fits && values <= INT32_MAX;
    }
    a->row = (size_t)values;
    if (fits) return GYRE_OK;
    return gyre_fail(
        GYRE_EUSAGE,
        "'%s' has %d dimensions, or an empty one; (N), (N, C), (N, H, W) and (N, H, W, "
        "C) can be taken, with 1 to %d values in a row",
        a->name, h->ndim, INT32_MAX);
}

/* ---- names */

/* What follows the file in "file.h5:/path"; NULL: the name is the file's. */
static const char *inside(const char *name) {
    const char *colon = strstr(name, ":/");
    return colon != NULL && !gyre_file_exists(name) ? colon : NULL;
}

char *data_array_path(const char *name) {
    const char *colon = inside(name);
    return colon == NULL ? strdup(name) : strndup(name, (size_t)(colon - name));
}

/* ---- HDF5 */

static gyre_status describe(data_array *a) {
    npy_header *h = &a->header;
    hid_t space = H5Dget_space(a->data), type = H5Dget_type(a->data);
    hsize_t dims[H5S_MAX_RANK];
    h->ndim = space < 0 ? 0 : H5Sget_simple_extent_ndims(space);
    if (h->ndim >= 1 && h->ndim <= 4) {
        H5Sget_simple_extent_dims(space, dims, NULL);
        for (int i = 0; i < h->ndim; i++) h->dims[i] = (int64_t)dims[i];
    }
    H5T_class_t class = type < 0 ? H5T_NO_CLASS : H5Tget_class(type);
    h->size = type < 0 ? 0 : (int)H5Tget_size(type);
    h->kind = class == H5T_FLOAT                                          ? 'f'
              : class == H5T_INTEGER && H5Tget_sign(type) == H5T_SGN_NONE ? 'u'
              : class == H5T_INTEGER                                      ? 'i'
              : class == H5T_ENUM                                         ? 'b' /* h5py's bool */
                                                                          : '?';
    gyre_hdf5_close(type);
    gyre_hdf5_close(space);
    bool known = h->kind != '?' && (h->kind != 'b' || h->size == 1) && h->size <= 8;
    if (known) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE, "'%s' holds no numbers; integers or floats were expected",
                     a->name);
}

static gyre_status open_hdf5(data_array *a, const char *dataset) {
    char *path = data_array_path(a->name);
    if (path == NULL) return gyre_no_memory("opening '%s'", a->name);
    gyre_hdf5_quiet();
    a->file = gyre_hdf5_open(path, false);
    if (a->file >= 0) a->data = H5Dopen2(a->file, dataset, H5P_DEFAULT);
    gyre_status status = GYRE_OK;
    if (a->file < 0)
        status = gyre_fail(GYRE_EIO, "cannot open '%s' as an HDF5 file", path);
    else if (a->data < 0)
        status = gyre_fail(GYRE_EIO, "'%s' has no dataset %s", path, dataset);
    free(path);
    return status == GYRE_OK ? describe(a) : status;
}

static hid_t memory_type(const data_array *a) {
    switch (a->element) {
    case GYRE_ELEMENT_U8: return H5T_NATIVE_UINT8;
    case GYRE_ELEMENT_U16: return H5T_NATIVE_UINT16;
    case GYRE_ELEMENT_I16: return H5T_NATIVE_INT16;
    case GYRE_ELEMENT_I32: return H5T_NATIVE_INT64; /* so that none is clipped */
    case GYRE_ELEMENT_F16:
    case GYRE_ELEMENT_F32: return H5T_NATIVE_FLOAT;
    case GYRE_ELEMENTS: break;
    }
    return H5I_INVALID_HID;
}

/* Into `out`, as memory_type says; f16 as f32. */
static gyre_status read_hdf5(data_array *a, int64_t first, int64_t count, void *out) {
    hsize_t begin[4] = {(hsize_t)first}, size[4] = {(hsize_t)count};
    for (int i = 1; i < a->header.ndim; i++) size[i] = (hsize_t)a->header.dims[i];
    hid_t space = H5Dget_space(a->data);
    hid_t memory = H5Screate_simple(a->header.ndim, size, NULL);
    bool ok = space >= 0 && memory >= 0 &&
              H5Sselect_hyperslab(space, H5S_SELECT_SET, begin, NULL, size, NULL) >= 0 &&
              H5Dread(a->data, memory_type(a), memory, space, H5P_DEFAULT, out) >= 0;
    gyre_hdf5_close(memory);
    gyre_hdf5_close(space);
    return ok ? GYRE_OK : gyre_fail(GYRE_EIO, "HDF5 cannot read rows of '%s'", a->name);
}

/* ---- opening */

static gyre_status open_npy(data_array *a) {
    GYRE_TRY(gyre_file_open(a->name, &a->fd));
    return npy_read_header(a->name, a->fd, &a->header);
}

gyre_status data_array_open(const char *name, bool targets, data_array **out) {
    data_array *a = calloc(1, sizeof *a);
    if (a == NULL) return gyre_no_memory("opening '%s'", name);
    *a = (data_array){.fd = -1, .file = H5I_INVALID_HID, .data = H5I_INVALID_HID};
    gyre_status status = GYRE_OK;
    a->name = strdup(name);
    const char *colon = inside(name);
    if (a->name == NULL)
        status = gyre_no_memory("opening '%s'", name);
    else if (colon != NULL)
        status = open_hdf5(a, colon + 1);
    else
        status = open_npy(a);
    if (status == GYRE_OK) status = check_shape(a);
    if (status == GYRE_OK) status = choose_element(a, targets);
    if (status == GYRE_OK)
        *out = a;
    else
        data_array_close(a);
    return status;
}

void data_array_close(data_array *a) {
    if (a == NULL) return;
    if (a->fd >= 0) close(a->fd);
    gyre_hdf5_close(a->data);
    gyre_hdf5_close(a->file);
    free(a->name);
    free(a->stored);
    free(a);
}

int64_t data_array_rows(const data_array *a) {
    return a->header.dims[0];
}

gyre_element data_array_element(const data_array *a) {
    return a->element;
}

int data_array_shape(const data_array *a, int size[3]) {
    const int64_t *d = a->header.dims;
    int ndim = a->header.ndim;
    size[0] = ndim >= 3 ? (int)d[1] : 1;
    size[1] = ndim >= 3 ? (int)d[2] : 1;
    size[2] = ndim == 2 ? (int)d[1] : ndim == 4 ? (int)d[3] : 1;
    return ndim;
}

/* ---- rows */

static gyre_status room_for(data_array *a, size_t bytes) {
    if (bytes <= a->room) return GYRE_OK;
    free(a->stored);
    a->stored = malloc(bytes);
    a->room = a->stored == NULL ? 0 : bytes;
    return a->stored != NULL ? GYRE_OK : gyre_no_memory("rows of '%s'", a->name);
}

static gyre_status narrow(const data_array *a, size_t n, int64_t first, void *out) {
    const int64_t *from = a->stored;
    int32_t *to = out;
    for (size_t i = 0; i < n; i++) {
        if (from[i] < INT32_MIN || from[i] > INT32_MAX) {
            return gyre_fail(GYRE_EUSAGE, "'%s' holds %lld in row %lld, beyond 32 bits", a->name,
                             (long long)from[i], (long long)(first + (int64_t)(i / a->row)));
        }
        to[i] = (int32_t)from[i];
    }
    return GYRE_OK;
}

/* The half that a float came from. */
static uint16_t half_of(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    uint32_t sign = bits >> 16 & 0x8000u, size = bits & 0x7fffffffu;
    if (size >= 0x7f800000u) return (uint16_t)(sign | 0x7c00u | (size >> 13 & 0x3ffu));
    if (size >= 0x38800000u) return (uint16_t)(sign | ((size - 0x38000000u) >> 13));
    return (uint16_t)(sign | (uint32_t)((x < 0 ? -x : x) * 0x1p24f)); /* a subnormal one */
}

/* HDF5 1.10 has no float16 in memory: it gives f32. */
static void to_halves(const float *from, size_t n, uint16_t *to) {
    for (size_t i = 0; i < n; i++) to[i] = half_of(from[i]);
}

static gyre_status take_hdf5(data_array *a, int64_t first, int64_t count, void *out) {
    size_t n = (size_t)count * a->row;
    bool half = a->element == GYRE_ELEMENT_F16, integer = a->element == GYRE_ELEMENT_I32;
    if (!half && !integer) return read_hdf5(a, first, count, out);
    GYRE_TRY(room_for(a, n * (half ? sizeof(float) : sizeof(int64_t))));
    GYRE_TRY(read_hdf5(a, first, count, a->stored));
    if (integer) return narrow(a, n, first, out);
    to_halves(a->stored, n, out);
    return GYRE_OK;
}

gyre_status data_array_read(data_array *a, int64_t first, int64_t count, void *out) {
    const npy_header *h = &a->header;
    size_t n = (size_t)count * a->row, bytes = n * (size_t)h->size;
    if (a->fd < 0) return take_hdf5(a, first, count, out);
    size_t widest = bytes > n * sizeof(int64_t) ? bytes : n * sizeof(int64_t);
    GYRE_TRY(room_for(a, 2 * widest));
    char *raw = (char *)a->stored + widest;
    uint64_t at = h->offset + (uint64_t)first * a->row * (uint64_t)h->size;
    GYRE_TRY(gyre_file_read_at(a->fd, a->name, at, raw, bytes));
    if (a->element == GYRE_ELEMENT_I32) {
        npy_integers(h, raw, n, a->stored);
        return narrow(a, n, first, out);
    }
    if (a->element == GYRE_ELEMENT_F32)
        npy_floats(h, raw, n, out);
    else
        memcpy(out, raw, bytes);
    return GYRE_OK;
}
