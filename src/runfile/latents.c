/* Samples in HDF5 files; see gyre/latents.h. */
#include "gyre/latents.h"

#include "gyre/file.h"
#include "gyre/overwrite.h"
#include "gyre/seal.h"
#include "gyre/size.h"
#include "h5_arrays.h"
#include "h5_file.h"
#include "h5_reader.h"
#include <limits.h>
#include <stdlib.h>

#define NAME "latents"
static const char kind[] = "latents";
enum { KIND_AT = 16 }; /* in a seal */

gyre_status gyre_latents_check(const char *path) {
    bool sealed = false;
    GYRE_TRY(gyre_overwrite_check_at(path, KIND_AT, kind));
    if (gyre_file_taken(path)) GYRE_TRY(gyre_seal_check(path, kind, &sealed));
    return gyre_file_try(path);
}

gyre_status gyre_latents_write(const char *path, const gyre_latents *l) {
    const h5_array array = {.name = NAME, .dims = {l->count, l->h, l->w, l->c}, .ndim = 4};
    void *image = NULL;
    size_t size = 0;
    gyre_hdf5_quiet();
    hid_t file = h5_memory_file(GYRE_SEAL_SIZE);
    if (file < 0) return gyre_fail(GYRE_EIO, "HDF5 cannot make a file in memory");
    gyre_status status = h5_array_write(file, &array, l->values)
                             ? h5_image(file, GYRE_SEAL_SIZE, &image, &size)
                             : gyre_no_memory("the samples of '%s'", path);
    gyre_hdf5_close(file);
    if (status == GYRE_OK) {
        gyre_seal_stamp(image, size, kind);
        status = gyre_file_write_atomic(path, image, size);
    }
    free(image);
    return status;
}

/* The extents of the array, which must fit into an int each. */
static gyre_status take_shape(const gyre_h5_entry *e, const char *path, gyre_latents *out) {
    int *const to[] = {&out->count, &out->h, &out->w, &out->c};
    char shape[64] = "";
    bool fits = e != NULL && e->kind == GYRE_H5_FLOATS && e->ndim == 4;
    for (int i = 0; fits && i < 4; i++) {
        fits = e->dims[i] >= 1 && e->dims[i] <= INT_MAX;
        if (fits) *to[i] = (int)e->dims[i];
    }
    if (fits) return GYRE_OK;
    if (e != NULL) gyre_h5_shape(e, shape, sizeof shape);
    return gyre_fail(GYRE_EIO,
                     "'%s': expected floats /" NAME " of (samples, height, width, channels), found "
                     "%s%s",
                     path, e == NULL ? "none" : "shape ", shape);
}

gyre_status gyre_latents_read(const char *path, gyre_latents *out) {
    gyre_h5_reader *r = NULL;
    gyre_status status = GYRE_OK;
    *out = (gyre_latents){0};
    GYRE_TRY(gyre_h5_reader_open(path, &r));
    const gyre_h5_entry *e = gyre_h5_reader_find(r, "/" NAME);
    GYRE_GOTO(take_shape(e, path, out));
    size_t count = h5_count(e);
    out->values = malloc(gyre_size_of(count, sizeof *out->values));
    if (out->values == NULL) GYRE_GOTO(gyre_no_memory("the samples of '%s'", path));
    status = h5_read_floats(r, e, out->values, count);
out:
    gyre_h5_reader_close(r);
    if (status == GYRE_OK) return GYRE_OK;
    free(out->values);
    *out = (gyre_latents){0};
    return status;
}
