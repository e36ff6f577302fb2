/* Writing a dataset: everything is checked first, then one temporary file, seal, rename.
 *
 * HDF5 makes a file whose arrays have their places but no content yet; what is in them is written
 * with pwrite, which takes any thread and any order. */
#include "write.h"

#include "check_targets.h"
#include "dataset_file.h"
#include "gyre/file.h"
#include "gyre/leftover.h"
#include "gyre/log.h"
#include "gyre/seal.h"
#include "gyre/size.h"
#include "gyre/text.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

struct data_rows {
    const char *path;
    bool force;
    data_rows_shape shape;
    char *temporary; /* NULL: it is at `path` */
    int fd;
    data_layout layout;
};

/* ---- before */

gyre_status data_output_check(const char *path, bool force) {
    struct stat st;
    bool exists = gyre_file_taken(path); /* a link is replaced, never what it leads to */
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
        return gyre_fail(GYRE_EIO, "'%s' exists and is no regular file", path);
    }
    if (exists && !force) {
        return gyre_fail(GYRE_EIO, "'%s' exists; --force replaces it", path);
    }
    char *dir = gyre_path_dir(path);
    if (dir == NULL) return gyre_no_memory("writing '%s'", path);
    gyre_status status = GYRE_OK;
    if (access(dir, W_OK | X_OK) != 0) {
        status =
            gyre_fail(GYRE_EIO, "cannot write '%s': folder '%s': %s", path, dir, strerror(errno));
    }
    free(dir);
    return status;
}

gyre_status data_output_apart(const char *path, const char *input) {
    struct stat to, from;
    if (stat(path, &to) != 0 || stat(input, &from) != 0) return GYRE_OK;
    if (to.st_dev != from.st_dev || to.st_ino != from.st_ino) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "the output '%s' is the input '%s', which would be lost; give another name "
                     "after -o",
                     path, input);
}

static gyre_status check_shape(const char *path, const data_rows_shape *s) {
    size_t values = 0;
    int64_t train = s->counts[DATA_PART_TRAIN];
    bool fits = data_is_picture(s->element, s->h, s->w, s->c);
    if (!fits && s->h >= 1 && s->w >= 1 && s->c >= 1) {
        fits = gyre_size_multiply((size_t)s->h, (size_t)s->w, &values) &&
               gyre_size_multiply(values, (size_t)s->c, &values) && values <= INT32_MAX;
    }
    if (train < 1 || !fits) {
        return gyre_fail(GYRE_EIO,
                         "'%s': %lld training samples of %d x %d x %d cannot be a dataset: 1 or "
                         "more, of 1 to %d values each",
                         path, (long long)train, s->h, s->w, s->c, INT32_MAX);
    }
    if (s->classes >= 1 && s->classes <= GYRE_CLASSES_MAX) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "'%s': %d classes; 1 to %d were expected", path, s->classes,
                     GYRE_CLASSES_MAX);
}

/* ---- bytes at their places */

static gyre_status write_at(const data_rows *r, const void *bytes, size_t size, uint64_t at) {
    for (size_t done = 0; done < size;) {
        ssize_t n = pwrite(r->fd, (const char *)bytes + done, size - done, (off_t)(at + done));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            return gyre_fail(GYRE_EIO, "cannot write '%s': %s", r->temporary, strerror(errno));
        }
        done += (size_t)n;
    }
    return GYRE_OK;
}

static size_t row_size(const data_rows *r) {
    const data_rows_shape *s = &r->shape;
    return (size_t)s->h * (size_t)s->w * (size_t)s->c * gyre_element_size(s->element);
}

/* ---- rows */

static gyre_status begin_file(data_rows *r, const char *extension) {
    if (asprintf(&r->temporary, "%s.%s.%ld", r->path, extension, (long)getpid()) < 0) {
        r->temporary = NULL;
        return gyre_no_memory("writing '%s'", r->path);
    }
    gyre_leftover_guard(r->temporary);
    GYRE_TRY(data_file_make(r->temporary, &r->shape));
    GYRE_TRY(data_layout_read(r->temporary, &r->layout));
    r->fd = open(r->temporary, O_RDWR | O_CLOEXEC);
    if (r->fd >= 0) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "cannot open '%s': %s", r->temporary, strerror(errno));
}

/* Closes the file, and removes it when it still is a temporary one. */
static gyre_status end_file(data_rows *r) {
    gyre_status status = GYRE_OK;
    if (r->fd >= 0 && close(r->fd) != 0) {
        status = gyre_fail(GYRE_EIO, "cannot write '%s': %s", r->path, strerror(errno));
    }
    r->fd = -1;
    if (r->temporary != NULL) {
        unlink(r->temporary);
        gyre_leftover_release(r->temporary);
    }
    free(r->temporary);
    r->temporary = NULL;
    return status;
}

/* No error: file systems that compress take more than they have free. */
static void warn_of_room(const data_rows *r) {
    struct statvfs fs;
    double bytes = 0;
    char *dir = gyre_path_dir(r->path);
    for (int part = 0; part < DATA_PARTS; part++) {
        bytes += (double)r->shape.counts[part] * (double)row_size(r);
    }
    bool known = dir != NULL && statvfs(dir, &fs) == 0;
    free(dir);
    double there = known ? (double)fs.f_bavail * (double)fs.f_frsize : 0;
    if (!known || bytes <= there) return;
    bool large = bytes >= 1e9;
    gyre_warn("'%s' will have %.1f %s (images of %d x %d x %d), and its file system has %.1f %s "
              "free",
              r->path, bytes / (large ? 1e9 : 1e6), large ? "GB" : "MB", r->shape.h, r->shape.w,
              r->shape.c, there / (large ? 1e9 : 1e6), large ? "GB" : "MB");
}

gyre_status data_rows_open(const char *path, bool force, const data_rows_shape *shape,
                           data_rows **out) {
    GYRE_TRY(data_output_check(path, force));
    GYRE_TRY(check_shape(path, shape));
    data_rows *r = calloc(1, sizeof *r);
    if (r == NULL) return gyre_no_memory("writing '%s'", path);
    *r = (data_rows){.path = path, .force = force, .shape = *shape, .fd = -1};
    gyre_leftover_tell(path);
    warn_of_room(r);
    gyre_status status = begin_file(r, "tmp");
    if (status == GYRE_OK)
        *out = r;
    else
        data_rows_close(r);
    return status;
}

gyre_status data_rows_put(const data_rows *r, int part, int64_t first, int64_t count,
                          const uint8_t *images) {
    size_t size = row_size(r);
    return write_at(r, images, (size_t)count * size,
                    r->layout.parts[part].images + (uint64_t)first * size);
}

gyre_status data_rows_put_targets(const data_rows *r, int part, int64_t first, int64_t count,
                                  const uint8_t *targets) {
    size_t size = gyre_target_values(&r->shape.target) * sizeof(float);
    return write_at(r, targets, (size_t)count * size,
                    r->layout.parts[part].targets + (uint64_t)first * size);
}

/* The rows of `from` whose label is one, without gaps, with their labels. */
static gyre_status copy_part(data_rows *r, const data_rows *from, int part, const int32_t *labels,
                             uint8_t *row) {
    const data_layout_part *to = &r->layout.parts[part], *source = &from->layout.parts[part];
    size_t size = row_size(r);
    uint64_t done = 0;
    for (int64_t i = 0; i < source->count; i++) {
        if (labels[i] == DATA_NO_ROW) continue;
        GYRE_TRY(gyre_file_read_at(from->fd, from->temporary, source->images + (uint64_t)i * size,
                                   row, size));
        GYRE_TRY(write_at(r, row, size, to->images + done * size));
        GYRE_TRY(write_at(r, &labels[i], sizeof *labels, to->targets + done * sizeof *labels));
        done++;
    }
    return GYRE_OK;
}

/* HDF5 cannot make an array in one piece shorter: a second file gets what is to stay. */
static gyre_status shorten(data_rows *r, const int32_t *const labels[DATA_PARTS],
                           const int64_t kept[DATA_PARTS]) {
    data_rows whole = *r;
    gyre_status status = GYRE_OK;
    uint8_t *row = malloc(row_size(r));
    r->temporary = NULL;
    r->fd = -1;
    memcpy(r->shape.counts, kept, sizeof r->shape.counts);
    if (row == NULL) {
        status = gyre_no_memory("writing '%s'", r->path);
        goto out;
    }
    GYRE_GOTO(check_shape(r->path, &r->shape));
    GYRE_GOTO(begin_file(r, "tmp2"));
    for (int part = 0; part < DATA_PARTS; part++) {
        GYRE_GOTO(copy_part(r, &whole, part, labels[part], row));
    }
out:
    free(row);
    end_file(&whole);
    return status;
}

static gyre_status write_labels(data_rows *r, const int32_t *const labels[DATA_PARTS]) {
    int64_t kept[DATA_PARTS] = {0};
    const int64_t *counts = r->shape.counts;
    for (int part = 0; part < DATA_PARTS; part++) {
        for (int64_t i = 0; i < counts[part]; i++) kept[part] += labels[part][i] != DATA_NO_ROW;
    }
    if (memcmp(kept, counts, sizeof kept) != 0) return shorten(r, labels, kept);
    for (int part = 0; part < DATA_PARTS; part++) {
        GYRE_TRY(write_at(r, labels[part], (size_t)counts[part] * sizeof **labels,
                          r->layout.parts[part].targets));
    }
    return GYRE_OK;
}

gyre_status data_rows_finish(data_rows *r, const int32_t *const labels[DATA_PARTS]) {
    if (labels != NULL) GYRE_TRY(write_labels(r, labels));
    data_source written = {.path = r->temporary, .fd = r->fd, .layout = r->layout};
    uint64_t content = 0;
    GYRE_TRY(data_source_hash(&written, 1, &content));
    GYRE_TRY(gyre_seal_write(r->temporary, "dataset", content));
    GYRE_TRY(data_output_check(r->path, r->force)); /* made by someone meanwhile? */
    GYRE_TRY(gyre_file_commit(r->temporary, r->path));
    gyre_leftover_release(r->temporary);
    free(r->temporary);
    r->temporary = NULL;
    return end_file(r);
}

void data_rows_close(data_rows *r) {
    if (r == NULL) return;
    end_file(r);
    free(r);
}

/* ---- a dataset that is in memory */

static gyre_status check_part(const char *path, int part, const gyre_images *p,
                              const gyre_dataset_content *content) {
    const gyre_images *train = &content->train;
    const char *name = data_part_names[part];
    if (p->count == 0) return GYRE_OK;
    if (p->h != train->h || p->w != train->w || p->c != train->c) {
        return gyre_fail(GYRE_EIO, "'%s': images of /%s are %d x %d x %d, of /train %d x %d x %d",
                         path, name, p->h, p->w, p->c, train->h, train->w, train->c);
    }
    return data_labels_check(path, name, p->labels, p->count, content->classes);
}

gyre_status gyre_dataset_write(const char *path, const gyre_dataset_content *content, bool force) {
    const gyre_images *parts[] = {&content->train, &content->validation, &content->test};
    const int32_t *labels[DATA_PARTS] = {0};
    data_rows_shape shape = {.h = content->train.h,
                             .w = content->train.w,
                             .c = content->train.c,
                             .classes = content->classes,
                             .names = content->names};
    data_rows *rows = NULL;
    gyre_status status = GYRE_OK;
    for (int part = 0; part < DATA_PARTS; part++) {
        shape.counts[part] = parts[part]->count;
        labels[part] = parts[part]->labels;
    }
    GYRE_TRY(data_output_check(path, force));
    GYRE_TRY(check_shape(path, &shape));
    for (int part = 0; part < DATA_PARTS; part++) {
        GYRE_TRY(check_part(path, part, parts[part], content));
    }
    GYRE_TRY(data_rows_open(path, force, &shape, &rows));
    for (int part = 0; part < DATA_PARTS; part++) {
        GYRE_GOTO(data_rows_put(rows, part, 0, parts[part]->count, parts[part]->images));
    }
    status = data_rows_finish(rows, labels);
out:
    data_rows_close(rows);
    return status;
}
