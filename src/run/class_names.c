#include "class_names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAMES_MAX = 1000000 /* as model.classes in a config */ };

static const char place[] = "/state/class_names";

static size_t longest(const gyre_class_names *names) {
    size_t most = 1;
    for (int i = 0; i < names->count; i++) {
        size_t length = strlen(names->names[i]);
        if (length > most) most = length;
    }
    return most;
}

/* UTF-8, filled with zeros to `size` bytes; -1: not made. */
static hid_t text_type(size_t size) {
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, size);
    H5Tset_cset(type, H5T_CSET_UTF8);
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    return type;
}

gyre_status gyre_class_names_write(hid_t file, const char *path, const gyre_class_names *names) {
    if (names->count == 0) return GYRE_OK;
    size_t size = longest(names);
    hsize_t count = (hsize_t)names->count;
    char *text = calloc((size_t)names->count, size);
    if (text == NULL) return gyre_fail(GYRE_EDEVICE, "no memory to write '%s'", path);
    for (int i = 0; i < names->count; i++) {
        memcpy(text + (size_t)i * size, names->names[i], strlen(names->names[i]));
    }
    hid_t type = text_type(size), space = H5Screate_simple(1, &count, NULL);
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    if (list >= 0) H5Pset_obj_track_times(list, 0); /* equal checkpoints are equal files */
    hid_t dataset = H5Dcreate2(file, place, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    bool ok = dataset >= 0 && H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) >= 0;
    gyre_h5_close(dataset);
    gyre_h5_close(list);
    gyre_h5_close(space);
    gyre_h5_close(type);
    free(text);
    return ok ? GYRE_OK : gyre_fail(GYRE_EIO, "cannot write '%s'; is the disk full?", path);
}

static gyre_status read_names(hid_t dataset, const char *path, gyre_class_names *out) {
    gyre_status status = GYRE_OK;
    hid_t space = H5Dget_space(dataset), type = text_type(GYRE_NAME_SIZE);
    hssize_t count = H5Sget_simple_extent_npoints(space);
    if (count < 1 || count > NAMES_MAX) {
        status = gyre_fail(GYRE_EIO, "'%s': %s has %lld names", path, place, (long long)count);
        goto out;
    }
    out->names = calloc((size_t)count, sizeof *out->names);
    if (out->names == NULL) {
        status = gyre_fail(GYRE_EDEVICE, "no memory for the class names of '%s'", path);
        goto out;
    }
    if (H5Dread(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, out->names) < 0) {
        free(out->names);
        out->names = NULL;
        status = gyre_fail(GYRE_EIO, "'%s': cannot read %s", path, place);
        goto out;
    }
    out->count = (int)count;
    for (int i = 0; i < out->count; i++) out->names[i][GYRE_NAME_SIZE - 1] = '\0';
out:
    gyre_h5_close(type);
    gyre_h5_close(space);
    return status;
}

gyre_status gyre_class_names_read(hid_t file, const char *path, gyre_class_names *out) {
    *out = (gyre_class_names){0};
    if (H5Lexists(file, place, H5P_DEFAULT) <= 0) return GYRE_OK;
    hid_t dataset = H5Dopen2(file, place, H5P_DEFAULT);
    if (dataset < 0) return gyre_fail(GYRE_EIO, "'%s': cannot read %s", path, place);
    gyre_status status = read_names(dataset, path, out);
    gyre_h5_close(dataset);
    return status;
}

bool gyre_class_names_differ(const char *a_path, const gyre_class_names *a, const char *b_path,
                             const gyre_class_names *b, char *out, size_t size) {
    if (a->count == 0 || b->count == 0) return false;
    int least = a->count < b->count ? a->count : b->count;
    for (int i = 0; i < least; i++) {
        if (strcmp(a->names[i], b->names[i]) == 0) continue;
        snprintf(out, size, "class %d is '%s' in '%s', '%s' in '%s'", i, b->names[i], b_path,
                 a->names[i], a_path);
        return true;
    }
    if (a->count == b->count) return false;
    const gyre_class_names *more = a->count > b->count ? a : b;
    snprintf(out, size, "class %d is '%s' in '%s', and '%s' has only %d classes", least,
             more->names[least], more == a ? a_path : b_path, more == a ? b_path : a_path, least);
    return true;
}
