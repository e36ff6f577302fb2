/* Reading a dataset file's layout through HDF5; see layout.h. Images are read where they lie, never
 * through the library, so everything must lie in one piece in this very file. */
#include "layout.h"

#include "gyre/hdf5.h"
#include "layout_source.h"
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

const char *const data_part_names[DATA_PARTS] = {"train", "validation", "test"};

static gyre_status read_images(source *s, data_layout_part *out) {
    GYRE_TRY(source_open_dims(s, 4));
    GYRE_TRY(source_check_type(s, source_element(s) == GYRE_ELEMENT_U8,
                               "unsigned bytes (numpy: uint8)"));
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
    GYRE_TRY(source_check_storage(s));
    *out = (data_layout_part){.count = (int64_t)d[0],
                              .h = (int32_t)d[1],
                              .w = (int32_t)d[2],
                              .c = (int32_t)d[3],
                              .images = s->offset};
    return GYRE_OK;
}

/* (N), (N, C), (N, H, W) or (N, H, W, C) as height, width and channels of a sample. */
static gyre_status shape_of(const source *s, int size[3]) {
    const hsize_t *d = s->dims;
    uint64_t values = 1;
    bool fits = d[0] >= 1 && d[0] <= INT64_MAX / 4;
    for (int i = 1; i < s->ndim; i++) {
        fits = fits && d[i] >= 1 && d[i] <= INT32_MAX;
        if (fits) values *= d[i];
        fits = fits && values <= INT32_MAX;
    }
    if (!fits) {
        return gyre_fail(
            GYRE_EIO,
            "'%s': %s is empty, or has more than %d values in a row; 1 to so many were "
            "expected",
            s->path, s->name, INT32_MAX);
    }
    size[0] = s->ndim >= 3 ? (int)d[1] : 1;
    size[1] = s->ndim >= 3 ? (int)d[2] : 1;
    size[2] = s->ndim == 2 ? (int)d[1] : s->ndim == 4 ? (int)d[3] : 1;
    return GYRE_OK;
}

static gyre_status read_arrays(source *s, data_layout_part *out) {
    int size[3];
    GYRE_TRY(source_open(s));
    gyre_element e = source_element(s);
    GYRE_TRY(source_check_type(s, gyre_element_of_samples(e),
                               "little-endian uint8, uint16, int16, float16 or float32"));
    GYRE_TRY(shape_of(s, size));
    GYRE_TRY(source_check_storage(s));
    *out = (data_layout_part){.count = (int64_t)s->dims[0],
                              .h = size[0],
                              .w = size[1],
                              .c = size[2],
                              .element = e,
                              .images = s->offset};
    return GYRE_OK;
}

/* (N, H, W, 2 C): means and deviations. */
static gyre_status read_latents(source *s, data_layout_part *out) {
    GYRE_TRY(read_arrays(s, out));
    gyre_element e = out->element;
    GYRE_TRY(source_check_type(s, e == GYRE_ELEMENT_F16 || e == GYRE_ELEMENT_F32,
                               "little-endian float16 or float32"));
    out->latents = true;
    if (s->ndim == 4 && out->c % 2 == 0) return GYRE_OK;
    return gyre_fail(GYRE_EIO,
                     "'%s': %s has %d dimensions and %d channels; expected are (latents, height, "
                     "width, channels), where the first half of the channels holds means and the "
                     "second half deviations",
                     s->path, s->name, s->ndim, out->c);
}

static gyre_status finish_targets(source *s, data_layout_part *out, const char *what) {
    if (s->dims[0] != (hsize_t)out->count) {
        return gyre_fail(GYRE_EIO, "'%s': %s has %llu %s for %lld %s", s->path, s->name,
                         (unsigned long long)s->dims[0], what, (long long)out->count,
                         gyre_element_noun(out->element, out->count));
    }
    GYRE_TRY(source_check_storage(s));
    out->targets = s->offset;
    return GYRE_OK;
}

static gyre_status read_labels(source *s, data_layout_part *out) {
    GYRE_TRY(source_open_dims(s, 1));
    GYRE_TRY(source_check_type(s, source_element(s) == GYRE_ELEMENT_I32,
                               "32-bit little-endian integers (numpy: int32)"));
    out->target_stored = GYRE_ELEMENT_I32;
    return finish_targets(s, out, "labels");
}

/* i32: (N) a class, (N, H, W) a class for each pixel. All else are values. */
static gyre_status read_targets(source *s, data_layout_part *out) {
    int size[3];
    GYRE_TRY(source_open(s));
    gyre_element e = source_element(s);
    GYRE_TRY(source_check_type(s, gyre_element_of_targets(e), "little-endian int32 or float32"));
    GYRE_TRY(shape_of(s, size));
    out->target_stored = e;
    bool label = e == GYRE_ELEMENT_I32 && s->ndim == 1;
    if (!label) {
        out->target = (gyre_target){size[0], size[1], size[2],
                                    .classes = e == GYRE_ELEMENT_I32 && s->ndim == 3};
    }
    return finish_targets(s, out, "targets");
}

static gyre_status read_contexts(source *s, data_layout *out) {
    GYRE_TRY(source_open_dims(s, 3));
    gyre_element e = source_element(s);
    GYRE_TRY(source_check_type(s, e == GYRE_ELEMENT_F16 || e == GYRE_ELEMENT_F32,
                               "little-endian float16 or float32"));
    const hsize_t *d = s->dims;
    if (d[0] < 2 || d[0] > GYRE_CLASSES_MAX || d[1] < 1 || d[2] < 1 || d[1] > INT32_MAX ||
        d[2] > INT32_MAX / d[1]) {
        return gyre_fail(GYRE_EIO,
                         "'%s': %s is (%llu, %llu, %llu); expected are (contexts, tokens, "
                         "channels), 2 to %d contexts, of which the first is that of no caption, "
                         "and up to %d values in each",
                         s->path, s->name, (unsigned long long)d[0], (unsigned long long)d[1],
                         (unsigned long long)d[2], GYRE_CLASSES_MAX, INT32_MAX);
    }
    GYRE_TRY(source_check_storage(s));
    out->contexts = (int64_t)d[0];
    out->tokens = (int32_t)d[1];
    out->context_channels = (int32_t)d[2];
    out->context_element = e;
    out->contexts_at = s->offset;
    return GYRE_OK;
}

static gyre_status read_names(source *s, data_layout *out) {
    GYRE_TRY(source_open_dims(s, 1));
    hid_t type = H5Dget_type(s->id);
    bool right = type >= 0 && H5Tget_class(type) == H5T_STRING && H5Tis_variable_str(type) == 0;
    size_t size = right ? H5Tget_size(type) : 0;
    gyre_hdf5_close(type);
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
    GYRE_TRY(source_check_storage(s));
    out->names = (int64_t)s->dims[0];
    out->name_size = (int64_t)size;
    out->names_at = s->offset;
    return GYRE_OK;
}

bool data_layout_alike(const data_layout_part *a, const data_layout_part *b) {
    const gyre_target *s = &a->target, *t = &b->target;
    return a->h == b->h && a->w == b->w && a->c == b->c && a->element == b->element &&
           s->h == t->h && s->w == t->w && s->c == t->c && s->classes == t->classes &&
           a->target_stored == b->target_stored && a->latents == b->latents;
}

const char *data_layout_text(const data_layout_part *p, char out[DATA_LAYOUT_TEXT]) {
    const gyre_target *t = &p->target;
    char type[16] = "", target[80] = "";
    if (p->element != GYRE_ELEMENT_U8)
        snprintf(type, sizeof type, "%s, ", gyre_element_name(p->element));
    if (!gyre_target_is_label(t)) {
        snprintf(target, sizeof target, " with %s of %d x %d x %d",
                 t->classes ? "classes" : "targets", t->h, t->w, t->c);
    }
    snprintf(out, DATA_LAYOUT_TEXT, "%s%d x %d x %d%s", type, p->h, p->w, p->c, target);
    return out;
}

/* The one of the datasets of a part that is there, the first where none is. */
typedef struct {
    const char *name; /* "images" of /train/images */
    gyre_status (*read)(source *s, data_layout_part *out);
} kind;
enum { KINDS = 3 };

static gyre_status choose(const char *path, hid_t file, int part, const kind kinds[KINDS],
                          char out[32], const kind **which) {
    bool group = H5Lexists(file, data_part_names[part], H5P_DEFAULT) > 0;
    *which = NULL;
    for (int i = 0; i < KINDS; i++) {
        char name[32];
        snprintf(name, sizeof name, "/%s/%s", data_part_names[part], kinds[i].name);
        if (!group || H5Lexists(file, name, H5P_DEFAULT) <= 0) continue;
        if (*which != NULL) {
            return gyre_fail(GYRE_EIO, "'%s' has both %s and %s; leave one of them out", path, out,
                             name);
        }
        *which = &kinds[i];
        snprintf(out, 32, "%s", name);
    }
    if (*which != NULL) return GYRE_OK;
    *which = &kinds[0];
    snprintf(out, 32, "/%s/%s", data_part_names[part], kinds[0].name);
    return GYRE_OK;
}

static gyre_status read_one(const char *path, hid_t file, const char *name,
                            gyre_status (*read)(source *s, data_layout_part *out),
                            data_layout_part *out) {
    source s = {.path = path, .name = name, .file = file, .id = H5I_INVALID_HID};
    gyre_status status = read(&s, out);
    gyre_hdf5_close(s.id);
    return status;
}

static gyre_status read_part(const char *path, hid_t file, int part, data_layout *out) {
    static const kind samples[] = {
        {"images", read_images}, {"arrays", read_arrays}, {"latents", read_latents}};
    static const kind targets[] = {
        {"labels", read_labels}, {"targets", read_targets}, {"contexts", read_labels}};
    char name[32], target[32], mine[DATA_LAYOUT_TEXT], its[DATA_LAYOUT_TEXT];
    const kind *which, *target_kind;
    data_layout_part *p = &out->parts[part];
    const data_layout_part *train = &out->parts[DATA_PART_TRAIN];
    GYRE_TRY(choose(path, file, part, targets, target, &target_kind));
    GYRE_TRY(choose(path, file, part, samples, name, &which));
    GYRE_TRY(read_one(path, file, name, which->read, p));
    if (p->h != train->h || p->w != train->w || p->c != train->c || p->element != train->element ||
        p->latents != train->latents) {
        return gyre_fail(GYRE_EIO, "'%s': the %s of /%s are %s, those of /train %s", path,
                         which->name, data_part_names[part], data_layout_text(p, mine),
                         data_layout_text(train, its));
    }
    for (int other = 0; other < part; other++) {
        if (out->parts[other].count == 0 || out->parts[other].images != p->images) continue;
        return gyre_fail(GYRE_EIO,
                         "'%s': %s is the same object as /%s/%s, a link; give /%s %s of its "
                         "own, or leave it out",
                         path, name, data_part_names[other], which->name, data_part_names[part],
                         which->name);
    }
    GYRE_TRY(read_one(path, file, target, target_kind->read, p));
    if ((target_kind == &targets[2]) != (out->contexts > 0)) {
        return gyre_fail(GYRE_EIO,
                         "'%s' has %s and %s /contexts: expected are both, the contexts and which "
                         "of them each sample has, or neither",
                         path, target, out->contexts > 0 ? "the table" : "no table");
    }
    if (data_layout_alike(p, train)) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "'%s': the samples of /%s are %s, those of /train %s", path,
                     data_part_names[part], data_layout_text(p, mine),
                     data_layout_text(train, its));
}

static bool is_group(hid_t root, const char *name) {
    if (H5Oexists_by_name(root, name, H5P_DEFAULT) <= 0) return false;
    hid_t object = H5Oopen(root, name, H5P_DEFAULT);
    bool group = object >= 0 && H5Iget_type(object) == H5I_GROUP;
    if (object >= 0) H5Oclose(object);
    return group;
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
    bool group = is_group(root, name);
    snprintf(images, sizeof images, "%s/images", name);
    if (!group || H5Lexists(root, images, H5P_DEFAULT) <= 0) return 0;
    snprintf(out->unread, sizeof out->unread, "%s", name);
    return 1;
}

/* A dataset of the file's root that may be missing. */
static gyre_status read_table(const char *path, hid_t file, const char *name,
                              gyre_status (*read)(source *s, data_layout *out), data_layout *out) {
    if (H5Lexists(file, name, H5P_DEFAULT) <= 0) return GYRE_OK;
    source s = {.path = path, .name = name, .file = file, .id = H5I_INVALID_HID};
    gyre_status status = read(&s, out);
    gyre_hdf5_close(s.id);
    return status;
}

static gyre_status read_file(const char *path, hid_t file, data_layout *out) {
    GYRE_TRY(read_table(path, file, "/contexts", read_contexts, out));
    for (int part = 0; part < DATA_PARTS; part++) {
        char group[32];
        snprintf(group, sizeof group, "/%s", data_part_names[part]);
        bool optional = part != DATA_PART_TRAIN;
        if (optional && H5Lexists(file, group, H5P_DEFAULT) <= 0) continue;
        GYRE_TRY(read_part(path, file, part, out));
    }
    hsize_t first = 0;
    H5Literate(file, H5_INDEX_NAME, H5_ITER_NATIVE, &first, look_at_link, out);
    return read_table(path, file, "/names", read_names, out);
}

gyre_status data_layout_read(const char *path, data_layout *out) {
    memset(out, 0, sizeof *out); /* with its padding: it goes through a pipe */
    gyre_hdf5_quiet();
    hid_t file = gyre_hdf5_open(path, false);
    if (file < 0) return gyre_fail(GYRE_EIO, "HDF5 cannot open '%s': it is damaged", path);
    gyre_status status = read_file(path, file, out);
    gyre_hdf5_close(file);
    return status;
}
