/* Reading a dataset file's layout through HDF5; see layout.h. Images are read where they lie, never
 * through the library, so everything must lie in one piece in this very file. */
#include "layout.h"

#include "hdf5_file.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char *const data_part_names[DATA_PARTS] = {"train", "validation", "test"};

/* A dataset of the file, by its path inside. */
typedef struct {
    const char *path, *name;
    hid_t file, id;
    uint64_t offset;
    int rank;
    hsize_t dims[4];
} source;

/* The library follows external links without a word, and the offset would be another file's. */
static bool in_this_file(const source *s) {
    char mine[4096], its[4096];
    ssize_t n = H5Fget_name(s->file, mine, sizeof mine), m = H5Fget_name(s->id, its, sizeof its);
    return n > 0 && n == m && n < (ssize_t)sizeof mine && strcmp(mine, its) == 0;
}

static gyre_status check_storage(source *s) {
    hid_t list = H5Dget_create_plist(s->id);
    H5D_layout_t layout = list < 0 ? H5D_LAYOUT_ERROR : H5Pget_layout(list);
    int filters = list < 0 ? 0 : H5Pget_nfilters(list);
    int external = list < 0 ? 0 : H5Pget_external_count(list);
    data_release(list);
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

static gyre_status open_source(source *s, int rank) {
    s->id = H5Dopen2(s->file, s->name, H5P_DEFAULT);
    if (s->id < 0) {
        return gyre_fail(GYRE_EIO, "'%s' has no dataset %s", s->path, s->name);
    }
    hid_t space = H5Dget_space(s->id);
    s->rank = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
    if (s->rank == rank) H5Sget_simple_extent_dims(space, s->dims, NULL);
    data_release(space);
    if (s->rank == rank) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "'%s': %s has %d dimensions, %d were expected%s", s->path, s->name,
                     s->rank, rank, rank == 4 ? ": (images, height, width, channels)" : "");
}

static gyre_status check_integer(const source *s, size_t size, H5T_sign_t sign,
                                 const char *expected) {
    hid_t type = H5Dget_type(s->id);
    bool right = type >= 0 && H5Tget_class(type) == H5T_INTEGER && H5Tget_size(type) == size &&
                 H5Tget_sign(type) == sign && H5Tget_precision(type) == 8 * size &&
                 (size == 1 || H5Tget_order(type) == H5T_ORDER_LE);
    data_release(type);
    if (right) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "'%s': %s holds another type than the %s expected", s->path, s->name,
                     expected);
}

static gyre_status read_images(source *s, data_layout_part *out) {
    GYRE_TRY(open_source(s, 4));
    GYRE_TRY(check_integer(s, 1, H5T_SGN_NONE, "unsigned bytes (numpy: uint8)"));
    const hsize_t *d = s->dims;
    if (d[0] < 1 || d[0] > INT64_MAX / 4 || d[1] < 1 || d[1] > DATA_SIDE_MAX || d[2] < 1 ||
        d[2] > DATA_SIDE_MAX || d[3] < 1 || d[3] > 4) {
        return gyre_fail(GYRE_EIO,
                         "'%s': %s is (%llu, %llu, %llu, %llu); expected are (images, height, "
                         "width, channels) with an image or more, sides of at most %d and 1 to 4 "
                         "channels",
                         s->path, s->name, (unsigned long long)d[0], (unsigned long long)d[1],
                         (unsigned long long)d[2], (unsigned long long)d[3], DATA_SIDE_MAX);
    }
    GYRE_TRY(check_storage(s));
    *out = (data_layout_part){.count = (int64_t)d[0],
                              .h = (int32_t)d[1],
                              .w = (int32_t)d[2],
                              .c = (int32_t)d[3],
                              .images = s->offset};
    return GYRE_OK;
}

static gyre_status read_labels(source *s, data_layout_part *out) {
    GYRE_TRY(open_source(s, 1));
    GYRE_TRY(check_integer(s, 4, H5T_SGN_2, "32-bit little-endian integers (numpy: int32)"));
    if (s->dims[0] != (hsize_t)out->count) {
        return gyre_fail(GYRE_EIO, "'%s': %s has %llu labels for %lld images", s->path, s->name,
                         (unsigned long long)s->dims[0], (long long)out->count);
    }
    GYRE_TRY(check_storage(s));
    out->labels = s->offset;
    return GYRE_OK;
}

static gyre_status read_names(source *s, data_layout *out) {
    GYRE_TRY(open_source(s, 1));
    hid_t type = H5Dget_type(s->id);
    bool right = type >= 0 && H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0;
    size_t size = right ? H5Tget_size(type) : 0;
    data_release(type);
    if (!right) {
        return gyre_fail(GYRE_EIO,
                         "'%s': %s holds another type than the fixed-length strings expected "
                         "(numpy: dtype 'S')",
                         s->path, s->name);
    }
    if (s->dims[0] < 1 || s->dims[0] > GYRE_CLASSES_MAX || size > DATA_NAME_BYTES_MAX) {
        return gyre_fail(GYRE_EIO, "'%s': %s has %llu names of %zu bytes; 1 to %d were expected",
                         s->path, s->name, (unsigned long long)s->dims[0], size, GYRE_CLASSES_MAX);
    }
    GYRE_TRY(check_storage(s));
    out->names = (int64_t)s->dims[0];
    out->name_size = (int64_t)size;
    out->names_at = s->offset;
    return GYRE_OK;
}

static gyre_status read_part(const char *path, hid_t file, int part, data_layout *out) {
    char images[32], labels[32];
    data_layout_part *p = &out->parts[part];
    const data_layout_part *train = &out->parts[DATA_PART_TRAIN];
    snprintf(images, sizeof images, "/%s/images", data_part_names[part]);
    snprintf(labels, sizeof labels, "/%s/labels", data_part_names[part]);
    source s = {.path = path, .name = images, .file = file, .id = H5I_INVALID_HID};
    gyre_status status = read_images(&s, p);
    data_release(s.id);
    GYRE_TRY(status);
    if (p->h != train->h || p->w != train->w || p->c != train->c) {
        return gyre_fail(
            GYRE_EIO, "'%s': the images of /%s are %d x %d x %d, those of /train %d x %d x %d",
            path, data_part_names[part], p->h, p->w, p->c, train->h, train->w, train->c);
    }
    for (int other = 0; other < part; other++) {
        if (out->parts[other].count == 0 || out->parts[other].images != p->images) continue;
        return gyre_fail(
            GYRE_EIO,
            "'%s': %s is the same object as /%s/images, a link; give /%s images of its "
            "own, or leave it out",
            path, images, data_part_names[other], data_part_names[part]);
    }
    s.name = labels;
    s.id = H5I_INVALID_HID;
    status = read_labels(&s, p);
    data_release(s.id);
    return status;
}

/* For H5Literate: ends it at the first group with images that is no part. */
static herr_t look_at_link(hid_t root, const char *name, const H5L_info_t *info, void *to) {
    char images[DATA_UNREAD_SIZE + 16];
    data_layout *out = to;
    if (info->type != H5L_TYPE_HARD && info->type != H5L_TYPE_SOFT) return 0;
    for (int part = 0; part < DATA_PARTS; part++) {
        if (strcmp(name, data_part_names[part]) == 0) return 0;
    }
    if (strlen(name) >= DATA_UNREAD_SIZE || strcmp(name, "names") == 0) return 0;
    H5O_info_t object;
    bool group = H5Oexists_by_name(root, name, H5P_DEFAULT) > 0 &&
                 H5Oget_info_by_name2(root, name, &object, H5O_INFO_BASIC, H5P_DEFAULT) >= 0 &&
                 object.type == H5O_TYPE_GROUP;
    snprintf(images, sizeof images, "%s/images", name);
    if (!group || H5Lexists(root, images, H5P_DEFAULT) <= 0) return 0;
    snprintf(out->unread, sizeof out->unread, "%s", name);
    return 1;
}

static gyre_status read_file(const char *path, hid_t file, data_layout *out) {
    for (int part = 0; part < DATA_PARTS; part++) {
        char group[32];
        snprintf(group, sizeof group, "/%s", data_part_names[part]);
        bool optional = part != DATA_PART_TRAIN;
        if (optional && H5Lexists(file, group, H5P_DEFAULT) <= 0) continue;
        GYRE_TRY(read_part(path, file, part, out));
    }
    hsize_t first = 0;
    H5Literate(file, H5_INDEX_NAME, H5_ITER_NATIVE, &first, look_at_link, out);
    if (H5Lexists(file, "/names", H5P_DEFAULT) <= 0) return GYRE_OK;
    source s = {.path = path, .name = "/names", .file = file, .id = H5I_INVALID_HID};
    gyre_status status = read_names(&s, out);
    data_release(s.id);
    return status;
}

gyre_status data_layout_read(const char *path, data_layout *out) {
    memset(out, 0, sizeof *out); /* with its padding: it goes through a pipe */
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    hid_t access = data_file_access();
    hid_t file = H5Fopen(path, H5F_ACC_RDONLY, access);
    data_release(access);
    if (file < 0) return gyre_fail(GYRE_EIO, "HDF5 cannot open '%s': it is damaged", path);
    gyre_status status = read_file(path, file, out);
    data_release(file);
    return status;
}
