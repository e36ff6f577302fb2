/* External data: "location", "offset" and "length" of a tensor. The location is a path below the
 * ONNX file's folder, and stays there when links are followed. */
#include "external.h"

#include "gyre/file.h"
#include "gyre/size.h"
#include "tensor.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

typedef struct {
    const Onnx__TensorProto *tensor;
    const char *location;
    uint64_t begin, end;
    dev_t device; /* of the file, which may have several locations */
    ino_t inode;
} range;

static const char *value_of(const Onnx__TensorProto *t, const char *key) {
    for (size_t i = 0; i < t->n_external_data; i++) {
        const Onnx__StringStringEntryProto *e = t->external_data[i];
        if (e->key != NULL && strcmp(e->key, key) == 0) return e->value;
    }
    return NULL;
}

/* A whole number of the entry, `otherwise` where there is none. */
static bool number_of(const Onnx__TensorProto *t, const char *key, uint64_t otherwise,
                      uint64_t *out) {
    const char *text = value_of(t, key);
    char *end = NULL;
    *out = otherwise;
    if (text == NULL) return true;
    if (text[0] < '0' || text[0] > '9') return false;
    errno = 0;
    *out = strtoull(text, &end, 10);
    return errno == 0 && *end == '\0';
}

static bool stays_inside(const char *location) {
    if (location == NULL || location[0] == '\0' || location[0] == '/') return false;
    for (const char *part = location; part != NULL; part = strchr(part, '/')) {
        part += *part == '/';
        if (strncmp(part, "..", 2) == 0 && (part[2] == '/' || part[2] == '\0')) return false;
    }
    return true;
}

static gyre_status outside(const onnx_file *f, const Onnx__TensorProto *t, const char *location) {
    return gyre_fail(
        GYRE_EIO,
        "'%s': tensor %s lies in '%s', which is no file in the ONNX file's folder; copy "
        "the file of weights there",
        f->path, onnx_tensor_name(t), location == NULL ? "" : location);
}

static bool is_below(const char *path, const char *folder) {
    size_t length = strlen(folder);
    bool root = length == 1; /* the folder "/" has its separator already */
    return strncmp(path, folder, length) == 0 && (root || path[length] == '/');
}

/* The real path of a tensor's location, free() it. */
static gyre_status find(const onnx_file *f, const Onnx__TensorProto *t, const char *location,
                        char **out) {
    gyre_status status = GYRE_OK;
    char *folder = NULL, *joined = NULL, *found = NULL;
    char *dir = gyre_path_dir(f->path);
    errno = 0;
    if (dir != NULL) folder = realpath(dir, NULL);
    if (folder != NULL) joined = gyre_path_join(folder, location);
    if (joined != NULL) found = realpath(joined, NULL);
    if (dir == NULL || errno == ENOMEM || (folder != NULL && joined == NULL))
        status = gyre_no_memory("reading '%s'", f->path);
    else if (found == NULL || !is_below(found, folder))
        status = outside(f, t, location);
    free(dir);
    free(folder);
    free(joined);
    if (status == GYRE_OK)
        *out = found;
    else
        free(found);
    return status;
}

/* Where a tensor lies, within a file of `size` bytes (0: not known yet). */
static gyre_status range_of(const onnx_file *f, const Onnx__TensorProto *t, range *out) {
    size_t count = 0;
    uint64_t length = 0;
    const char *name = onnx_tensor_name(t);
    *out = (range){.tensor = t, .location = value_of(t, "location")};
    GYRE_TRY(onnx_tensor_check(f, t, &count));
    if (!stays_inside(out->location)) return outside(f, t, out->location);
    uint64_t bytes = (uint64_t)count * onnx_type_bytes(t->data_type);
    if (!number_of(t, "offset", 0, &out->begin) || !number_of(t, "length", bytes, &length) ||
        length != bytes || __builtin_add_overflow(out->begin, bytes, &out->end)) {
        return gyre_fail(GYRE_EIO,
                         "'%s': tensor %s needs %llu bytes of '%s', but its offset \"%s\" and "
                         "length \"%s\" say otherwise; export the file anew",
                         f->path, name, (unsigned long long)bytes, out->location,
                         value_of(t, "offset") == NULL ? "0" : value_of(t, "offset"),
                         value_of(t, "length") == NULL ? "" : value_of(t, "length"));
    }
    return GYRE_OK;
}

static int compare(const void *a, const void *b) {
    const range *x = a, *y = b;
    int order = strcmp(x->location, y->location);
    if (order != 0) return order;
    return x->begin < y->begin ? -1 : x->begin > y->begin ? 1 : 0;
}

/* The ranges of all tensors beside the file, by location and place; free() them. */
static gyre_status list_ranges(const onnx_file *f, range **out, size_t *count) {
    const Onnx__GraphProto *g = f->model->graph;
    gyre_status status = GYRE_OK;
    range *list = calloc(g->n_initializer + 1, sizeof *list);
    *count = 0;
    if (list == NULL) return gyre_no_memory("reading '%s'", f->path);
    for (size_t i = 0; i < g->n_initializer; i++) {
        if (!onnx_tensor_is_outside(g->initializer[i])) continue;
        if (onnx_type_bytes(g->initializer[i]->data_type) == 0) continue; /* nobody may use it */
        GYRE_GOTO(range_of(f, g->initializer[i], &list[*count]));
        (*count)++;
    }
    qsort(list, *count, sizeof *list, compare);
    *out = list;
    list = NULL;
out:
    free(list);
    return status;
}

/* ---- overlaps */

/* The ranges of one location: they end within its file, which they are of. */
static gyre_status check_file(const onnx_file *f, range *r, size_t count) {
    struct stat st;
    char *path = NULL;
    GYRE_TRY(find(f, r->tensor, r->location, &path));
    bool is_file = stat(path, &st) == 0 && S_ISREG(st.st_mode);
    free(path);
    if (!is_file) return outside(f, r->tensor, r->location);
    for (size_t i = 0; i < count; i++) {
        r[i].device = st.st_dev;
        r[i].inode = st.st_ino;
        if (r[i].end <= (uint64_t)st.st_size) continue;
        return gyre_fail(GYRE_EIO,
                         "'%s': tensor %s ends at byte %llu of '%s', which has %llu; copy the "
                         "file of weights anew",
                         f->path, onnx_tensor_name(r[i].tensor), (unsigned long long)r[i].end,
                         r->location, (unsigned long long)st.st_size);
    }
    return GYRE_OK;
}

static bool same_file(const range *x, const range *y) {
    return x->device == y->device && x->inode == y->inode;
}

static int compare_places(const void *a, const void *b) {
    const range *x = a, *y = b;
    if (x->device != y->device) return x->device < y->device ? -1 : 1;
    if (x->inode != y->inode) return x->inode < y->inode ? -1 : 1;
    return x->begin < y->begin ? -1 : x->begin > y->begin ? 1 : 0;
}

/* A tensor without numbers lies on no byte. */
static gyre_status check_overlaps(const onnx_file *f, range *list, size_t count) {
    const range *last = NULL; /* that ends last */
    qsort(list, count, sizeof *list, compare_places);
    for (size_t i = 0; i < count; i++) {
        const range *r = &list[i];
        if (r->begin == r->end) continue;
        if (last != NULL && same_file(last, r) && r->begin < last->end) {
            return gyre_fail(GYRE_EIO,
                             "'%s': tensors %s and %s lie on the same bytes of '%s'; export the "
                             "file anew",
                             f->path, onnx_tensor_name(last->tensor), onnx_tensor_name(r->tensor),
                             r->location);
        }
        last = r;
    }
    return GYRE_OK;
}

gyre_status onnx_external_check(const onnx_file *f) {
    gyre_status status = GYRE_OK;
    range *list = NULL;
    size_t count = 0, first = 0;
    GYRE_TRY(list_ranges(f, &list, &count));
    for (size_t i = 1; i <= count; i++) {
        if (i < count && strcmp(list[i].location, list[first].location) == 0) continue;
        GYRE_GOTO(check_file(f, &list[first], i - first));
        first = i;
    }
    status = check_overlaps(f, list, count);
out:
    free(list);
    return status;
}

gyre_status onnx_external_read(const onnx_file *f, const Onnx__TensorProto *t, void *out,
                               size_t size) {
    range r;
    int fd = -1;
    GYRE_TRY(range_of(f, t, &r));
    char *path = NULL;
    GYRE_TRY(find(f, t, r.location, &path));
    gyre_status status = gyre_file_open(path, &fd);
    if (status == GYRE_OK) status = gyre_file_read_at(fd, path, r.begin, out, size);
    if (fd >= 0) close(fd);
    free(path);
    return status;
}

static gyre_status hash_one(const onnx_file *f, const range *r, uint64_t *hash) {
    uint64_t pair[2] = {*hash, 0};
    char *path = NULL;
    GYRE_TRY(find(f, r->tensor, r->location, &path));
    gyre_status status = gyre_file_hash(path, &pair[1]);
    free(path);
    *hash = XXH3_64bits(pair, sizeof pair);
    return status;
}

gyre_status onnx_external_hash(const onnx_file *f, uint64_t *out) {
    gyre_status status = GYRE_OK;
    range *list = NULL;
    size_t count = 0;
    GYRE_TRY(gyre_file_hash(f->path, out));
    GYRE_TRY(list_ranges(f, &list, &count));
    for (size_t i = 0; i < count; i++) {
        if (i > 0 && strcmp(list[i].location, list[i - 1].location) == 0) continue;
        GYRE_GOTO(hash_one(f, &list[i], out));
    }
    if (*out == 0) *out = 1; /* 0 means that there is no file */
out:
    free(list);
    return status;
}
