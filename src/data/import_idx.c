/* The MNIST family in IDX files, plain or gzipped (LeCun et al., http://yann.lecun.com/exdb/mnist):
 * a magic of two zeros, a type and the number of dimensions, the dimensions as big-endian 32-bit
 * numbers, the bytes. zlib reads plain files too, so there is one way to read both. */
#include "importer.h"

#include "few.h"
#include "gyre/file.h"
#include "gyre/import.h"
#include "gyre/log.h"
#include "gyre/size.h"
#include "write.h"
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

enum { BYTES = 8 }; /* the type of unsigned bytes */

typedef struct {
    char *path;
    gzFile file;
    uint32_t dims[3];
} idx;

/* ---- one file */

enum { SPELLINGS = 4 };

/* "train-images" with 3 dimensions is train-images-idx3-ubyte, or .idx3-ubyte, with .gz or not:
 * the first of them from *spelling on, which becomes the one behind it; *path stays NULL when there
 * is none. What is no regular file is passed over: archives are unpacked into folders of such
 * names. */
static gyre_status find_next(const char *dir, const char *stem, int ndim, int *spelling,
                             char **path) {
    char name[NAME_MAX + 64];
    *path = NULL;
    while (*spelling < SPELLINGS) {
        int i = (*spelling)++;
        snprintf(name, sizeof name, "%s%cidx%d-ubyte%s", stem, i % 2 == 0 ? '-' : '.', ndim,
                 i < 2 ? "" : ".gz");
        char *file = gyre_path_join(dir, name);
        if (file == NULL) return gyre_no_memory("reading '%s'", dir);
        if (data_is_file(file)) {
            *path = file;
            return GYRE_OK;
        }
        free(file);
    }
    return GYRE_OK;
}

static gyre_status find(const char *dir, const char *stem, int ndim, int *spelling, idx *out) {
    GYRE_TRY(find_next(dir, stem, ndim, spelling, &out->path));
    if (out->path != NULL) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "'%s' has no %s-idx%d-ubyte or %s-idx%d-ubyte.gz", dir, stem, ndim,
                     stem, ndim);
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

static gyre_status open_stream(idx *f) {
    int fd;
    GYRE_TRY(gyre_file_open(f->path, &fd));
    f->file = gzdopen(fd, "rb");
    if (f->file != NULL) return GYRE_OK;
    close(fd);
    return gyre_no_memory("reading '%s'", f->path);
}

static void close_idx(idx *f) {
    if (f->file != NULL) gzclose(f->file);
    free(f->path);
    *f = (idx){0};
}

static gyre_status same_stream(idx *a, idx *b, bool *same) {
    enum { PIECE = 1 << 16 };
    gyre_status status = GYRE_OK;
    uint8_t *pieces = malloc(2 * PIECE);
    if (pieces == NULL) return gyre_no_memory("reading '%s'", a->path);
    size_t n = PIECE, m;
    for (*same = true; *same && n == PIECE;) {
        GYRE_GOTO(read_bytes(a, pieces, PIECE, &n));
        GYRE_GOTO(read_bytes(b, pieces + PIECE, PIECE, &m));
        *same = n == m && memcmp(pieces, pieces + PIECE, n) == 0;
    }
out:
    free(pieces);
    return status;
}

static gyre_status check_same(const char *path, const char *spelled) {
    idx taken = {.path = strdup(path)}, other = {.path = strdup(spelled)};
    gyre_status status = GYRE_OK;
    bool same = false;
    if (taken.path == NULL || other.path == NULL) {
        status = gyre_no_memory("reading '%s'", spelled);
        goto out;
    }
    GYRE_GOTO(open_stream(&taken));
    GYRE_GOTO(open_stream(&other));
    GYRE_GOTO(same_stream(&taken, &other, &same));
    if (!same) {
        status = gyre_fail(GYRE_EIO,
                           "'%s' and '%s' hold different data; move the one that is not meant away",
                           path, spelled);
    }
out:
    close_idx(&taken);
    close_idx(&other);
    return status;
}

/* Other spellings of the name: a file that was unpacked beside its archive is the same, and any
 * other is not left out in silence. */
static gyre_status check_spellings(const char *dir, const char *stem, int ndim, int spelling,
                                   const char *path) {
    gyre_status status = GYRE_OK;
    for (char *other = NULL; status == GYRE_OK; free(other)) {
        GYRE_TRY(find_next(dir, stem, ndim, &spelling, &other));
        if (other == NULL) return GYRE_OK;
        status = check_same(path, other);
    }
    return status;
}

static gyre_status open_idx(const char *dir, const char *stem, int ndim, idx *out) {
    uint8_t header[16];
    size_t size = 4 + 4 * (size_t)ndim, got = 0;
    int spelling = 0;
    GYRE_TRY(find(dir, stem, ndim, &spelling, out));
    GYRE_TRY(check_spellings(dir, stem, ndim, spelling, out->path));
    GYRE_TRY(open_stream(out));
    GYRE_TRY(read_bytes(out, header, size, &got));
    if (got < size || big_endian(header) != (uint32_t)(BYTES << 8 | ndim)) {
        return gyre_fail(GYRE_EIO,
                         "'%s' does not begin as an IDX file of bytes in %d dimensions (magic "
                         "0x%08x, 0x%08x expected)",
                         out->path, ndim, got < 4 ? 0 : big_endian(header),
                         (unsigned)(BYTES << 8 | ndim));
    }
    for (int i = 0; i < ndim; i++) out->dims[i] = big_endian(header + 4 + 4 * (size_t)i);
    return GYRE_OK;
}

/* Before there is room for them: does the file hold so many bytes? Compressed ones may be of any
 * number up to deflate's best ratio. */
static gyre_status check_announced(const idx *f, uint32_t count, uint32_t h, uint32_t w) {
    enum { RATIO = 1100 };
    struct stat st;
    size_t bytes = 0, most = 0;
    if (stat(f->path, &st) != 0) {
        return gyre_fail(GYRE_EIO, "cannot read '%s': %s", f->path, strerror(errno));
    }
    bool fits = gyre_size_multiply((size_t)h * w, count, &bytes);
    bool enough = !gyre_size_multiply((size_t)st.st_size, gzdirect(f->file) ? 1 : RATIO, &most) ||
                  most >= bytes;
    if (fits && enough) return GYRE_OK;
    return gyre_fail(GYRE_EIO,
                     "'%s' announces %u images of %u x %u pixels, which %lld bytes cannot hold: is "
                     "its download complete?",
                     f->path, count, h, w, (long long)st.st_size);
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

/* ---- what stands before "train" and "t10k" */

/* Is the name PREFIX + "train-images" + an ending? Cuts it to the prefix. */
static bool cut_to_prefix(char *name) {
    static const char *const endings[] = {"-idx3-ubyte", ".idx3-ubyte", "-idx3-ubyte.gz",
                                          ".idx3-ubyte.gz"};
    char *at = NULL;
    for (char *next = name; (next = strstr(next, "train-images")) != NULL; next++) at = next;
    for (size_t i = 0; at != NULL && i < sizeof endings / sizeof *endings; i++) {
        if (strcmp(at + strlen("train-images"), endings[i]) != 0) continue;
        *at = '\0';
        return true;
    }
    return false;
}

/* What stands before the name of the training images: nothing officially, "emnist-letters-" and the
 * like elsewhere, where there are not several. */
static gyre_status find_prefix(const char *dir, char prefix[NAME_MAX + 1]) {
    struct dirent **entries = NULL;
    data_few sets = {0}, others = {0};
    bool official = false;
    prefix[0] = '\0';
    int count = scandir(dir, &entries, NULL, data_entries_by_bytes);
    for (int i = 0; i < count; i++) {
        char *name = entries[i]->d_name, *path = gyre_path_join(dir, name);
        bool fits = path != NULL && data_is_file(path) && cut_to_prefix(name);
        official = official || (fits && name[0] == '\0');
        if (fits && (sets.count == 0 || strcmp(name, prefix) != 0)) {
            data_few_add(&sets, name);
            if (name[0] != '\0') data_few_add(&others, name);
            snprintf(prefix, NAME_MAX + 1, "%s", name);
        }
        free(path);
        free(entries[i]);
    }
    free(entries);
    if (official) prefix[0] = '\0';
    if (official && others.count > 0) {
        gyre_say("'%s': train-images is taken, and the files that begin with %s are left out", dir,
                 data_few_text(&others));
    }
    if (official || sets.count < 2) return GYRE_OK;
    return gyre_fail(GYRE_EIO,
                     "'%s' holds training images of %zu datasets: %s; put the four files of one "
                     "into a folder of its own",
                     dir, sets.count, data_few_text(&sets));
}

/* "PREFIXt10k", or "PREFIXtest" where there are such images. */
static gyre_status find_test(const char *dir, const char *prefix, char test[NAME_MAX + 16]) {
    static const char *const words[] = {"t10k", "test"};
    char *found[2] = {0}, stem[NAME_MAX + 32];
    gyre_status status = GYRE_OK;
    for (int i = 0; i < 2; i++) {
        int spelling = 0;
        snprintf(stem, sizeof stem, "%s%s-images", prefix, words[i]);
        GYRE_GOTO(find_next(dir, stem, 3, &spelling, &found[i]));
    }
    snprintf(test, NAME_MAX + 16, "%s%s", prefix, words[found[0] == NULL && found[1] != NULL]);
    if (found[0] != NULL && found[1] != NULL) {
        status = gyre_fail(
            GYRE_EIO, "'%s' and '%s' are both test images; move the one that is not meant away",
            found[0], found[1]);
    }
out:
    free(found[0]);
    free(found[1]);
    return status;
}

/* ---- images and labels */

static gyre_status read_labels(idx *f, int64_t count, int32_t *labels) {
    uint8_t *bytes = malloc((size_t)count);
    if (bytes == NULL) return gyre_no_memory("%lld labels", (long long)count);
    gyre_status status = read_content(f, bytes, (size_t)count);
    for (int64_t i = 0; i < count && status == GYRE_OK; i++) labels[i] = bytes[i];
    free(bytes);
    return status;
}

/* `part` with what stands before it, "train" or "emnist-letters-train". */
static gyre_status read_part(const char *dir, const char *part, const char *output,
                             gyre_images *out, uint8_t **images, int32_t **labels) {
    gyre_status status = GYRE_OK;
    idx image = {0}, label = {0};
    char stem[NAME_MAX + 16];
    snprintf(stem, sizeof stem, "%s-images", part);
    GYRE_GOTO(open_idx(dir, stem, 3, &image));
    snprintf(stem, sizeof stem, "%s-labels", part);
    GYRE_GOTO(open_idx(dir, stem, 1, &label));
    GYRE_GOTO(data_output_apart(output, image.path));
    GYRE_GOTO(data_output_apart(output, label.path));
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
    GYRE_GOTO(check_announced(&image, d[0], d[1], d[2]));
    GYRE_GOTO(data_part_alloc(d[0], (int)d[1], (int)d[2], 1, out, images, labels));
    GYRE_GOTO(read_content(&image, *images, (size_t)d[0] * d[1] * d[2]));
    status = read_labels(&label, d[0], *labels);
out:
    close_idx(&image);
    close_idx(&label);
    return status;
}

/* As many classes as names, or up to the greatest label of both parts. */
static gyre_status count_classes(const char *dir, gyre_dataset_content *content, int names) {
    int32_t greatest = 0;
    for (int64_t i = 0; i < content->train.count; i++) {
        if (content->train.labels[i] > greatest) greatest = content->train.labels[i];
    }
    for (int64_t i = 0; i < content->test.count; i++) {
        if (content->test.labels[i] > greatest) greatest = content->test.labels[i];
    }
    content->classes = content->names != NULL ? names : greatest + 1;
    if (content->classes == 1) {
        return gyre_fail(
            GYRE_EIO, "all images of '%s' are of one class: there is nothing to tell apart", dir);
    }
    if (greatest < content->classes) return GYRE_OK;
    return gyre_fail(GYRE_EIO,
                     "the file of names in '%s' has %d, but labels go up to %d: %d names were "
                     "expected",
                     dir, names, greatest, greatest + 1);
}

/* From names.txt or labels.txt. */
static gyre_status read_names(const char *dir, gyre_dataset_content *content, int *count) {
    char(*other)[GYRE_NAME_SIZE] = NULL;
    int others = 0;
    GYRE_TRY(data_names_read(dir, "names.txt", &content->names, count));
    GYRE_TRY(data_names_read(dir, "labels.txt", &other, &others));
    bool both = content->names != NULL && other != NULL;
    bool same = both && *count == others;
    for (int i = 0; same && i < others; i++) same = strcmp(content->names[i], other[i]) == 0;
    if (content->names == NULL) {
        content->names = other;
        *count = others;
        return GYRE_OK;
    }
    free(other);
    if (same || !both) return GYRE_OK;
    return gyre_fail(
        GYRE_EIO,
        "names.txt and labels.txt in '%s' name different classes; move the one that is "
        "not meant away",
        dir);
}

gyre_status gyre_import_idx(const char *dir, const char *output, bool force) {
    gyre_status status = GYRE_OK;
    uint8_t *images[2] = {0};
    int32_t *labels[2] = {0};
    int names = 0;
    char prefix[NAME_MAX + 1], part[NAME_MAX + 16];
    gyre_dataset_content content = {0};
    GYRE_TRY(data_output_check(output, force));
    GYRE_TRY(data_output_apart_in(output, dir, (const char *[]){"names.txt", "labels.txt", NULL}));
    GYRE_GOTO(read_names(dir, &content, &names));
    GYRE_GOTO(find_prefix(dir, prefix));
    snprintf(part, sizeof part, "%strain", prefix);
    GYRE_GOTO(read_part(dir, part, output, &content.train, &images[0], &labels[0]));
    GYRE_GOTO(find_test(dir, prefix, part));
    GYRE_GOTO(read_part(dir, part, output, &content.test, &images[1], &labels[1]));
    GYRE_GOTO(count_classes(dir, &content, names));
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
