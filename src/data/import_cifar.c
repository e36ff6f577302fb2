/* CIFAR-10 and CIFAR-100 in their "binary version" (Krizhevsky, "Learning multiple layers of
 * features from tiny images", 2009; https://www.cs.toronto.edu/~kriz/cifar.html): records of one
 * label byte (CIFAR-100: coarse, then fine) and 32 x 32 pixels, plane by plane. */
#include "importer.h"

#include "gyre/file.h"
#include "gyre/import.h"
#include "gyre/log.h"
#include "write.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SIDE = 32, CHANNELS = 3, PLANE = SIDE * SIDE, PIXELS = PLANE * CHANNELS };

typedef struct {
    int classes, label_bytes; /* the last label byte counts */
    int64_t per_file[2];      /* images in an official file: training, test */
    const char *train[6], *test[2], *names;
} edition;

static const edition cifar10 = {10,
                                1,
                                {10000, 10000},
                                {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                 "data_batch_4.bin", "data_batch_5.bin"},
                                {"test_batch.bin"},
                                "batches.meta.txt"};
static const edition cifar100 = {
    100, 2, {50000, 10000}, {"train.bin"}, {"test.bin"}, "fine_label_names.txt"};

static bool has(const char *dir, const char *name) {
    char *path = gyre_path_join(dir, name);
    bool yes = path != NULL && data_is_file(path);
    free(path);
    return yes;
}

static gyre_status choose_edition(const char *dir, const edition **out) {
    bool ten = has(dir, cifar10.train[0]), hundred = has(dir, cifar100.train[0]);
    *out = ten ? &cifar10 : &cifar100;
    if (ten && hundred) {
        return gyre_fail(GYRE_EIO,
                         "'%s' holds both %s (CIFAR-10) and %s (CIFAR-100); put the files of one "
                         "into a folder of its own",
                         dir, cifar10.train[0], cifar100.train[0]);
    }
    if (ten || hundred) return GYRE_OK;
    return gyre_fail(GYRE_EIO,
                     "'%s' holds neither %s (CIFAR-10) nor %s (CIFAR-100)%s; the binary version is "
                     "at https://www.cs.toronto.edu/~kriz/cifar.html",
                     dir, cifar10.train[0], cifar100.train[0],
                     has(dir, "data_batch_1") ? ", but the Python version" : "");
}

static gyre_status count_records(const edition *e, const char *path, int64_t official,
                                 int64_t *out) {
    struct stat st;
    int64_t record = e->label_bytes + PIXELS;
    if (stat(path, &st) != 0) {
        return gyre_fail(GYRE_EIO, "cannot open '%s': %s", path, strerror(errno));
    }
    *out = st.st_size / record;
    if (st.st_size == 0 || st.st_size % record != 0) {
        return gyre_fail(GYRE_EIO,
                         "'%s' has %lld bytes; whole records of %lld bytes were expected, %lld in "
                         "the official file: is its download complete?",
                         path, (long long)st.st_size, (long long)record,
                         (long long)(official * record));
    }
    if (*out != official) {
        gyre_warn("'%s' holds %lld images, the official file %lld", path, (long long)*out,
                  (long long)official);
    }
    return GYRE_OK;
}

static void interleave(const uint8_t *restrict planes, uint8_t *restrict image) {
    for (size_t i = 0; i < PLANE; i++) {
        for (size_t k = 0; k < CHANNELS; k++) image[i * CHANNELS + k] = planes[k * PLANE + i];
    }
}

static gyre_status read_records(const edition *e, const char *path, int64_t count, uint8_t *images,
                                int32_t *labels) {
    uint8_t record[2 + PIXELS];
    size_t size = (size_t)e->label_bytes + PIXELS;
    int fd;
    GYRE_TRY(gyre_file_open(path, &fd));
    FILE *f = fdopen(fd, "rb");
    gyre_status status = f != NULL ? GYRE_OK : gyre_no_memory("reading '%s'", path);
    for (int64_t i = 0; i < count && status == GYRE_OK; i++) {
        if (fread(record, size, 1, f) != 1) {
            status = gyre_fail(GYRE_EIO, "cannot read record %lld of '%s': %s", (long long)i, path,
                               ferror(f) ? strerror(errno) : "the file was cut short");
            break;
        }
        labels[i] = record[e->label_bytes - 1];
        interleave(record + e->label_bytes, images + (size_t)i * PIXELS);
        if (labels[i] >= e->classes) {
            status = gyre_fail(GYRE_EIO, "'%s': label %d in record %lld; 0 to %d were expected",
                               path, labels[i], (long long)i, e->classes - 1);
        }
    }
    if (f != NULL)
        fclose(f);
    else
        close(fd);
    return status;
}

/* The images of `files`, one after the other. */
static gyre_status read_files(const edition *e, const char *dir, const char *const *files,
                              int64_t official, gyre_images *part, uint8_t **images,
                              int32_t **labels) {
    gyre_status status = GYRE_OK;
    char *paths[6] = {0};
    int64_t counts[6] = {0}, total = 0;
    for (int i = 0; files[i] != NULL; i++) {
        paths[i] = gyre_path_join(dir, files[i]);
        if (paths[i] == NULL) {
            status = gyre_no_memory("reading '%s'", dir);
            goto out;
        }
        GYRE_GOTO(count_records(e, paths[i], official, &counts[i]));
        total += counts[i];
    }
    GYRE_GOTO(data_part_alloc(total, SIDE, SIDE, CHANNELS, part, images, labels));
    int64_t done = 0;
    for (int i = 0; files[i] != NULL; i++) {
        GYRE_GOTO(read_records(e, paths[i], counts[i], *images + done * PIXELS, *labels + done));
        done += counts[i];
    }
out:
    for (int i = 0; i < 6; i++) free(paths[i]);
    return status;
}

gyre_status gyre_import_cifar(const char *dir, const char *output, bool force) {
    gyre_status status = GYRE_OK;
    const edition *e = NULL;
    uint8_t *images[2] = {0};
    int32_t *labels[2] = {0};
    int names = 0;
    gyre_dataset_content content = {0};
    GYRE_TRY(data_output_check(output, force));
    GYRE_TRY(choose_edition(dir, &e));
    GYRE_TRY(data_output_apart_in(output, dir, e->train));
    GYRE_TRY(data_output_apart_in(output, dir, e->test));
    GYRE_TRY(data_output_apart_in(output, dir, (const char *[]){e->names, NULL}));
    GYRE_GOTO(data_names_read(dir, e->names, &content.names, &names));
    if (content.names != NULL && names != e->classes) {
        status = gyre_fail(GYRE_EIO, "'%s/%s' has %d names, %d were expected", dir, e->names, names,
                           e->classes);
        goto out;
    }
    content.classes = e->classes;
    GYRE_GOTO(read_files(e, dir, e->train, e->per_file[0], &content.train, &images[0], &labels[0]));
    GYRE_GOTO(read_files(e, dir, e->test, e->per_file[1], &content.test, &images[1], &labels[1]));
    status = gyre_dataset_write(output, &content, force);
out:
    for (int i = 0; i < 2; i++) {
        free(images[i]);
        free(labels[i]);
    }
    free(content.names);
    return status;
}
