/* Opening a dataset: seal or probe, map, then check everything that a run relies on, so that no
 * step of it ever has to. Labels are copied, because HDF5 may place them at any byte; images stay
 * in the mapped file. A file that is cut short while it is mapped ends the process with SIGBUS. */
#include "gyre/dataset.h"

#include "gyre/seal.h"
#include "labels.h"
#include "layout.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

enum { PROBE_SECONDS = 30 };

struct gyre_dataset {
    uint8_t *map; /* the whole file */
    size_t size;
    gyre_images parts[GYRE_PARTS];
    int32_t *labels; /* of all parts, one after the other */
    int classes;
    char (*names)[GYRE_NAME_SIZE];
    uint64_t hash;
    bool sealed;
};

/* ---- the file */

static gyre_status map_file(gyre_dataset *d, const char *path) {
    struct stat st = {0};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a pipe would wait for a writer */
    if (fd < 0) return gyre_fail(GYRE_EIO, "cannot open '%s': %s", path, strerror(errno));
    gyre_status status = GYRE_OK;
    void *map = MAP_FAILED;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode) || st.st_size == 0) {
        status = gyre_fail(GYRE_EIO, "'%s' is %s, a dataset file was expected", path,
                           S_ISDIR(st.st_mode)   ? "a folder"
                           : S_ISREG(st.st_mode) ? "empty"
                                                 : "no regular file");
        goto out;
    }
    map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED) {
        status = gyre_fail(GYRE_EIO, "cannot map the %lld bytes of '%s': %s", (long long)st.st_size,
                           path, strerror(errno));
        goto out;
    }
    d->map = map;
    d->size = (size_t)st.st_size;
out:
    close(fd);
    return status;
}

/* HDF5's signature stands at the begin of a file, or behind a user block. Another program's files
 * have no user block; without its seal, one of gyre's is damaged. */
static gyre_status check_signature(const gyre_dataset *d, const char *path) {
    static const char signature[] = "\x89HDF\r\n\x1a\n";
    enum { SIGNATURE = sizeof signature - 1 };
    if (d->size >= SIGNATURE && memcmp(d->map, signature, SIGNATURE) == 0) return GYRE_OK;
    if (d->size >= GYRE_SEAL_SIZE + SIGNATURE &&
        memcmp(d->map + GYRE_SEAL_SIZE, signature, SIGNATURE) == 0) {
        return gyre_fail(GYRE_EIO,
                         "'%s' is damaged in its first %d bytes, or has another program's user "
                         "block (remove it with h5unjam)",
                         path, GYRE_SEAL_SIZE);
    }
    return gyre_fail(GYRE_EIO,
                     "'%s' is not an HDF5 file; `gyre data import` makes datasets out of others",
                     path);
}

static gyre_status read_layout(gyre_dataset *d, const char *path, gyre_layout *out) {
    GYRE_TRY(gyre_seal_check(path, "dataset", &d->sealed));
    if (d->sealed) return gyre_layout_read(path, out);
    GYRE_TRY(check_signature(d, path));
    return gyre_layout_probe(path, PROBE_SECONDS, out);
}

/* ---- the parts */

/* `count` things of `each` bytes lie at `offset` inside the file. */
static gyre_status check_extent(const gyre_dataset *d, const char *path, const char *part,
                                const char *name, uint64_t offset, int64_t count, uint64_t each) {
    uint64_t room = offset < d->size ? d->size - offset : 0;
    if ((uint64_t)count <= room / each) return GYRE_OK;
    return gyre_fail(GYRE_EIO,
                     "'%s' is cut short: /%s%s needs %lld x %llu bytes from byte %llu on, the file "
                     "ends at %zu",
                     path, part, name, (long long)count, (unsigned long long)each,
                     (unsigned long long)offset, d->size);
}

static gyre_status check_extents(const gyre_dataset *d, const char *path, const gyre_layout *l) {
    for (int i = 0; i < GYRE_PARTS; i++) {
        const gyre_layout_part *p = &l->parts[i];
        if (p->count == 0) continue;
        uint64_t image = (uint64_t)p->h * (uint64_t)p->w * (uint64_t)p->c;
        const char *part = gyre_part_names[i];
        GYRE_TRY(check_extent(d, path, part, "/images", p->images, p->count, image));
        GYRE_TRY(check_extent(d, path, part, "/labels", p->labels, p->count, sizeof(int32_t)));
    }
    if (l->names == 0) return GYRE_OK;
    return check_extent(d, path, "names", "", l->names_at, l->names, (uint64_t)l->name_size);
}

static gyre_status take_parts(gyre_dataset *d, const gyre_layout *l) {
    size_t count = 0;
    for (int i = 0; i < GYRE_PARTS; i++) count += (size_t)l->parts[i].count;
    int32_t *labels = d->labels = malloc(count * sizeof *labels);
    if (labels == NULL) return gyre_fail(GYRE_EDEVICE, "no memory for %zu labels", count);
    for (int i = 0; i < GYRE_PARTS; i++) {
        const gyre_layout_part *p = &l->parts[i];
        if (p->count == 0) continue;
        memcpy(labels, d->map + p->labels, (size_t)p->count * sizeof *labels);
        d->parts[i] = (gyre_images){.count = p->count,
                                    .h = p->h,
                                    .w = p->w,
                                    .c = p->c,
                                    .images = d->map + p->images,
                                    .labels = labels};
        labels += p->count;
    }
    return GYRE_OK;
}

/* ---- classes */

gyre_status gyre_labels_check(const char *path, const char *part, const int32_t *labels,
                              int64_t count, int classes) {
    for (int64_t i = 0; i < count; i++) {
        if (labels[i] >= 0 && labels[i] < classes) continue;
        return gyre_fail(GYRE_EIO, "'%s': /%s/labels[%lld] is %d; labels of %d classes are 0 to %d",
                         path, part, (long long)i, labels[i], classes, classes - 1);
    }
    return GYRE_OK;
}

/* As many as there are names; without names, up to the greatest label. */
static int count_classes(const gyre_dataset *d, const gyre_layout *l) {
    int32_t greatest = 0;
    if (l->names > 0) return (int)l->names;
    for (int part = 0; part < GYRE_PARTS; part++) {
        const gyre_images *p = &d->parts[part];
        for (int64_t i = 0; i < p->count; i++) {
            if (p->labels[i] > greatest) greatest = p->labels[i];
        }
    }
    return greatest < GYRE_CLASSES_MAX ? greatest + 1 : GYRE_CLASSES_MAX;
}

static gyre_status take_names(gyre_dataset *d, const char *path, const gyre_layout *l) {
    d->names = calloc((size_t)d->classes, sizeof *d->names);
    if (d->names == NULL) return gyre_fail(GYRE_EDEVICE, "no memory for %d names", d->classes);
    for (int i = 0; i < d->classes; i++) {
        if (l->names == 0) {
            snprintf(d->names[i], GYRE_NAME_SIZE, "%d", i);
            continue;
        }
        const char *name = (const char *)d->map + l->names_at + (size_t)i * (size_t)l->name_size;
        size_t length = strnlen(name, (size_t)l->name_size);
        if (length >= GYRE_NAME_SIZE) {
            return gyre_fail(GYRE_EIO, "'%s': /names[%d] has %zu bytes, at most %d were expected",
                             path, i, length, GYRE_NAME_SIZE - 1);
        }
        memcpy(d->names[i], name, length);
    }
    return GYRE_OK;
}

static gyre_status take_classes(gyre_dataset *d, const char *path, const gyre_layout *l) {
    d->classes = count_classes(d, l);
    for (int i = 0; i < GYRE_PARTS; i++) {
        const gyre_images *p = &d->parts[i];
        GYRE_TRY(gyre_labels_check(path, gyre_part_names[i], p->labels, p->count, d->classes));
    }
    return take_names(d, path, l);
}

/* ---- opening */

/* Of parts, shapes, images and labels; not of names, nor of where they lie in the file. */
static gyre_status hash_content(gyre_dataset *d) {
    XXH3_state_t *state = XXH3_createState();
    if (state == NULL || XXH3_64bits_reset(state) != XXH_OK) {
        XXH3_freeState(state);
        return gyre_fail(GYRE_EDEVICE, "no memory to hash a dataset");
    }
    for (int i = 0; i < GYRE_PARTS; i++) {
        const gyre_images *p = &d->parts[i];
        if (p->count == 0) continue;
        const int64_t shape[] = {i, p->count, p->h, p->w, p->c};
        size_t count = (size_t)p->count;
        XXH3_64bits_update(state, shape, sizeof shape);
        XXH3_64bits_update(state, p->images, count * (size_t)p->h * (size_t)p->w * (size_t)p->c);
        XXH3_64bits_update(state, p->labels, count * sizeof *p->labels);
    }
    d->hash = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    return GYRE_OK;
}

gyre_status gyre_dataset_open(const char *path, gyre_dataset **out) {
    gyre_status status = GYRE_OK;
    gyre_layout layout;
    gyre_dataset *d = calloc(1, sizeof *d);
    *out = NULL;
    if (d == NULL) return gyre_fail(GYRE_EDEVICE, "no memory to open '%s'", path);
    GYRE_GOTO(map_file(d, path));
    GYRE_GOTO(read_layout(d, path, &layout));
    GYRE_GOTO(check_extents(d, path, &layout));
    GYRE_GOTO(take_parts(d, &layout));
    GYRE_GOTO(take_classes(d, path, &layout));
    GYRE_GOTO(hash_content(d));
    *out = d;
    d = NULL;
out:
    gyre_dataset_close(d);
    return status;
}

void gyre_dataset_close(gyre_dataset *d) {
    if (d == NULL) return;
    if (d->map != NULL) munmap(d->map, d->size);
    free(d->labels);
    free(d->names);
    free(d);
}

const gyre_images *gyre_dataset_train(const gyre_dataset *d) {
    return &d->parts[GYRE_PART_TRAIN];
}

const gyre_images *gyre_dataset_test(const gyre_dataset *d) {
    return &d->parts[GYRE_PART_TEST];
}

const gyre_images *gyre_dataset_validation(const gyre_dataset *d) {
    return &d->parts[GYRE_PART_VALIDATION];
}

int gyre_dataset_classes(const gyre_dataset *d) {
    return d->classes;
}

const char *gyre_dataset_class_name(const gyre_dataset *d, int label) {
    return d->names[label];
}

uint64_t gyre_dataset_hash(const gyre_dataset *d) {
    return d->hash;
}

bool gyre_dataset_sealed(const gyre_dataset *d) {
    return d->sealed;
}
