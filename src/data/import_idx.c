/* The MNIST family in IDX files, plain or gzipped (LeCun et al., http://yann.lecun.com/exdb/mnist):
 * a magic of two zeros, a type and the number of dimensions, the dimensions as big-endian 32-bit
 * numbers, the bytes. zlib reads plain files too, so there is one way to read both. */
#include "import.h"

#include "gyre/file.h"
#include "write.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

enum { BYTES = 8 }; /* the type of unsigned bytes */

typedef struct {
    char *path;
    gzFile file;
    uint32_t dims[3];
} idx;

/* ---- one file */

/* "train-images" with 3 dimensions is train-images-idx3-ubyte, or .idx3-ubyte, with .gz or not. */
static gyre_status find(const char *dir, const char *stem, int rank, idx *out) {
    char name[64];
    for (int i = 0; i < 4; i++) {
        snprintf(name, sizeof name, "%s%cidx%d-ubyte%s", stem, i % 2 == 0 ? '-' : '.', rank,
                 i < 2 ? "" : ".gz");
        out->path = gyre_path_join(dir, name);
        if (out->path == NULL) return gyre_fail(GYRE_EDEVICE, "no memory to read '%s'", dir);
        if (gyre_file_exists(out->path)) return GYRE_OK;
        free(out->path);
        out->path = NULL;
    }
    return gyre_fail(GYRE_EIO, "'%s' has no %s-idx%d-ubyte or %s-idx%d-ubyte.gz", dir, stem, rank,
                     stem, rank);
}

/* Reads up to `size` bytes; *got is less only at the file's end. */
static gyre_status read_bytes(idx *f, void *to, size_t size, size_t *got) {
    enum { PIECE = 1 << 24 };
    for (*got = 0; *got < size;) {
        size_t left = size - *got;
        int n = gzread(f->file, (char *)to + *got, left < PIECE ? (unsigned)left : PIECE);
        int code = 0;
        const char *words = gzerror(f->file, &code);
        if (n < 0 || (n == 0 && code != Z_OK && code != Z_STREAM_END)) {
            return gyre_fail(GYRE_EIO, "'%s' is damaged: %s", f->path,
                             code == Z_BUF_ERROR ? "its compressed data end too early" : words);
        }
        if (n == 0) break;
        *got += (size_t)n;
    }
    return GYRE_OK;
}

static uint32_t big_endian(const uint8_t *b) {
    return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static gyre_status open_idx(const char *dir, const char *stem, int rank, idx *out) {
    uint8_t header[16];
    size_t size = 4 + 4 * (size_t)rank, got = 0;
    GYRE_TRY(find(dir, stem, rank, out));
    out->file = gzopen(out->path, "rb");
    if (out->file == NULL) return gyre_fail(GYRE_EIO, "cannot open '%s'", out->path);
    GYRE_TRY(read_bytes(out, header, size, &got));
    if (got < size || big_endian(header) != (uint32_t)(BYTES << 8 | rank)) {
        return gyre_fail(GYRE_EIO,
                         "'%s' does not begin as an IDX file of bytes in %d dimensions (magic "
                         "0x%08x, 0x%08x expected)",
                         out->path, rank, got < 4 ? 0 : big_endian(header),
                         (unsigned)(BYTES << 8 | rank));
    }
    for (int i = 0; i < rank; i++) out->dims[i] = big_endian(header + 4 + 4 * (size_t)i);
    return GYRE_OK;
}

/* The rest of the file: just `size` bytes. */
static gyre_status read_content(idx *f, uint8_t *to, size_t size) {
    size_t got = 0, more = 0;
    uint8_t extra[1];
    GYRE_TRY(read_bytes(f, to, size, &got));
    if (got == size) GYRE_TRY(read_bytes(f, extra, sizeof extra, &more));
    if (got == size && more == 0) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "'%s' holds %s than the %zu bytes that its header announces%s",
                     f->path, more > 0 ? "more" : "less", size,
                     more > 0 ? "" : ": is its download complete?");
}

static void close_idx(idx *f) {
    if (f->file != NULL) gzclose(f->file);
    free(f->path);
    *f = (idx){0};
}

/* ---- images and labels */

static gyre_status read_labels(idx *f, int64_t count, int32_t *labels) {
    uint8_t *bytes = malloc((size_t)count);
    if (bytes == NULL)
        return gyre_fail(GYRE_EDEVICE, "no memory for %lld labels", (long long)count);
    gyre_status status = read_content(f, bytes, (size_t)count);
    for (int64_t i = 0; i < count && status == GYRE_OK; i++) labels[i] = bytes[i];
    free(bytes);
    return status;
}

static gyre_status read_part(const char *dir, const char *part, const char *output,
                             gyre_images *out, uint8_t **images, int32_t **labels) {
    gyre_status status = GYRE_OK;
    idx image = {0}, label = {0};
    char stem[32];
    snprintf(stem, sizeof stem, "%s-images", part);
    GYRE_GOTO(open_idx(dir, stem, 3, &image));
    snprintf(stem, sizeof stem, "%s-labels", part);
    GYRE_GOTO(open_idx(dir, stem, 1, &label));
    GYRE_GOTO(gyre_output_apart(output, image.path));
    GYRE_GOTO(gyre_output_apart(output, label.path));
    const uint32_t *d = image.dims;
    if (d[0] < 1 || d[1] < 1 || d[1] > 4096 || d[2] < 1 || d[2] > 4096) {
        status = gyre_fail(GYRE_EIO, "'%s' announces %u images of %u x %u", image.path, d[0], d[1],
                           d[2]);
        goto out;
    }
    if (label.dims[0] != d[0]) {
        status = gyre_fail(GYRE_EIO, "'%s' has %u labels for the %u images of '%s'", label.path,
                           label.dims[0], d[0], image.path);
        goto out;
    }
    GYRE_GOTO(gyre_part_alloc(d[0], (int)d[1], (int)d[2], 1, out, images, labels));
    GYRE_GOTO(read_content(&image, *images, (size_t)d[0] * d[1] * d[2]));
    status = read_labels(&label, d[0], *labels);
out:
    close_idx(&image);
    close_idx(&label);
    return status;
}

/* As many classes as names, or up to the greatest label of both parts. */
static int count_classes(const gyre_dataset_content *content, int names) {
    int32_t greatest = 0;
    if (content->names != NULL) return names;
    for (int64_t i = 0; i < content->train.count; i++) {
        if (content->train.labels[i] > greatest) greatest = content->train.labels[i];
    }
    for (int64_t i = 0; i < content->test.count; i++) {
        if (content->test.labels[i] > greatest) greatest = content->test.labels[i];
    }
    return greatest + 1;
}

gyre_status gyre_import_idx(const char *dir, const char *output, bool force) {
    gyre_status status = GYRE_OK;
    uint8_t *images[2] = {0};
    int32_t *labels[2] = {0};
    int names = 0;
    gyre_dataset_content content = {0};
    GYRE_TRY(gyre_output_check(output, force));
    GYRE_TRY(gyre_output_apart_in(output, dir, (const char *[]){"names.txt", "labels.txt", NULL}));
    GYRE_GOTO(gyre_names_read(dir, "names.txt", &content.names, &names));
    if (content.names == NULL) {
        GYRE_GOTO(gyre_names_read(dir, "labels.txt", &content.names, &names));
    }
    GYRE_GOTO(read_part(dir, "train", output, &content.train, &images[0], &labels[0]));
    GYRE_GOTO(read_part(dir, "t10k", output, &content.test, &images[1], &labels[1]));
    content.classes = count_classes(&content, names);
    status = gyre_dataset_write(output, &content, force);
out:
    for (int i = 0; i < 2; i++) {
        free(images[i]);
        free(labels[i]);
    }
    free(content.names);
    return status;
}

const char *gyre_zlib_version(void) {
    return zlibVersion();
}
