/* Opening a dataset inside an HDF5 file; see layout_source.h. */
#include "layout_source.h"

#include "gyre/hdf5.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* The library follows external links without a word, and the offset would be another file's. */
static bool in_this_file(const source *s) {
    char mine[4096], its[4096];
    ssize_t n = H5Fget_name(s->file, mine, sizeof mine), m = H5Fget_name(s->id, its, sizeof its);
    return n > 0 && n == m && n < (ssize_t)sizeof mine && strcmp(mine, its) == 0;
}

gyre_status source_check_storage(source *s) {
    hid_t list = H5Dget_create_plist(s->id);
    H5D_layout_t layout = list < 0 ? H5D_LAYOUT_ERROR : H5Pget_layout(list);
    int filters = list < 0 ? 0 : H5Pget_nfilters(list);
    int external = list < 0 ? 0 : H5Pget_external_count(list);
    gyre_hdf5_close(list);
    if (layout != H5D_CONTIGUOUS) {
        return gyre_fail(GYRE_EIO,
                         "'%s': %s is stored %s, but must be contiguous, so that rows can be read; "
                         "`h5repack -f NONE -l CONTI OLD NEW` makes it so",
                         s->path, s->name,
                         filters > 0             ? "compressed"
                         : layout == H5D_CHUNKED ? "in chunks"
                         : layout == H5D_COMPACT ? "compactly"
                         : layout == H5D_VIRTUAL ? "as a virtual dataset"
                                                 : "in an unknown way");
    }
    s->offset = H5Dget_offset(s->id);
    if (external != 0 || !in_this_file(s) || s->offset == HADDR_UNDEF) {
        return gyre_fail(GYRE_EIO,
                         "'%s': %s has no data in this file: it was never written, or is a link to "
                         "another file; copy the data itself into this one",
                         s->path, s->name);
    }
    return GYRE_OK;
}

gyre_status source_open(source *s) {
    s->id = H5Dopen2(s->file, s->name, H5P_DEFAULT);
    if (s->id < 0) {
        return gyre_fail(GYRE_EIO, "'%s' has no dataset %s", s->path, s->name);
    }
    hid_t space = H5Dget_space(s->id);
    s->ndim = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
    if (s->ndim >= 1 && s->ndim <= 4) H5Sget_simple_extent_dims(space, s->dims, NULL);
    gyre_hdf5_close(space);
    if (s->ndim >= 1 && s->ndim <= 4) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "'%s': %s has %d dimensions, 1 to 4 were expected", s->path, s->name,
                     s->ndim);
}

gyre_status source_open_dims(source *s, int ndim) {
    GYRE_TRY(source_open(s));
    if (s->ndim == ndim) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "'%s': %s has %d dimensions, %d were expected%s", s->path, s->name,
                     s->ndim, ndim, ndim == 4 ? ": (images, height, width, channels)" : "");
}

static bool is_integer(hid_t type, size_t size, H5T_sign_t sign) {
    return H5Tget_class(type) == H5T_INTEGER && H5Tget_size(type) == size &&
           H5Tget_sign(type) == sign && H5Tget_precision(type) == 8 * size &&
           (size == 1 || H5Tget_order(type) == H5T_ORDER_LE);
}

/* Of the layout that IEEE 754 gives 2 or 4 bytes: HDF5 knows others. */
static bool is_float(hid_t type, size_t size) {
    size_t sign, exponent, exponent_bits, mantissa, mantissa_bits;
    return H5Tget_class(type) == H5T_FLOAT && H5Tget_size(type) == size &&
           H5Tget_order(type) == H5T_ORDER_LE &&
           H5Tget_fields(type, &sign, &exponent, &exponent_bits, &mantissa, &mantissa_bits) >= 0 &&
           sign == 8 * size - 1 && exponent_bits == (size == 2 ? 5 : 8) && mantissa == 0 &&
           mantissa_bits == (size == 2 ? 10 : 23);
}

gyre_element source_element(const source *s) {
    hid_t type = H5Dget_type(s->id);
    gyre_element e = GYRE_ELEMENTS;
    if (type >= 0) {
        e = is_integer(type, 1, H5T_SGN_NONE)   ? GYRE_ELEMENT_U8
            : is_integer(type, 2, H5T_SGN_NONE) ? GYRE_ELEMENT_U16
            : is_integer(type, 2, H5T_SGN_2)    ? GYRE_ELEMENT_I16
            : is_integer(type, 4, H5T_SGN_2)    ? GYRE_ELEMENT_I32
            : is_float(type, 2)                 ? GYRE_ELEMENT_F16
            : is_float(type, 4)                 ? GYRE_ELEMENT_F32
                                                : GYRE_ELEMENTS;
    }
    gyre_hdf5_close(type);
    return e;
}

gyre_status source_check_type(const source *s, bool right, const char *expected) {
    if (right) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "'%s': %s holds another type than the %s expected", s->path, s->name,
                     expected);
}
