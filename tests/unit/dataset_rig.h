/* Small datasets for tests: a scratch folder, keyed pixels and labels, whole files. */
#ifndef DATASET_RIG_H
#define DATASET_RIG_H

#include "gyre/dataset.h"

#include "gyre/file.h"
#include "gyre/random.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char scratch[] = "/tmp/gyre-data-XXXXXX";

/* Good until the 64th call after it. */
static inline const char *in_scratch(const char *name) {
    static char paths[64][256];
    static int next;
    char *path = paths[next++ % 64];
    snprintf(path, sizeof paths[0], "%s/%s", scratch, name);
    return path;
}

static inline int remove_scratch(void) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", scratch);
    return system(command);
}

static inline gyre_images make_images(int64_t count, int h, int w, int c, int classes,
                                      uint64_t key) {
    gyre_random r = gyre_random_open(7, GYRE_RANDOM_TEST, key, 0);
    size_t pixels = (size_t)count * (size_t)h * (size_t)w * (size_t)c;
    uint8_t *images = malloc(pixels + 1);
    int32_t *labels = malloc((size_t)count * sizeof *labels + 1);
    assert_true(images != NULL && labels != NULL);
    for (size_t i = 0; i < pixels; i++) images[i] = (uint8_t)gyre_random_u32(&r);
    for (int64_t i = 0; i < count; i++) {
        labels[i] = i < classes ? (int)i : (int)gyre_random_below(&r, (uint32_t)classes);
    }
    return (gyre_images){
        .count = count, .h = h, .w = w, .c = c, .images = images, .labels = labels};
}

static inline void free_images(gyre_images *p) {
    free((void *)p->images);
    free((void *)p->labels);
    *p = (gyre_images){0};
}

/* All pixels of a part; free() them. */
static inline uint8_t *read_pixels(const gyre_images *p) {
    uint8_t *pixels = malloc((size_t)p->count * gyre_images_row(p) + 1);
    assert_non_null(pixels);
    assert_int_equal(gyre_images_read(p, 0, p->count, pixels), GYRE_OK);
    return pixels;
}

static inline void same_images(const gyre_images *a, const gyre_images *b) {
    assert_true(a->count == b->count && a->h == b->h && a->w == b->w && a->c == b->c);
    size_t n = (size_t)a->count;
    uint8_t *x = read_pixels(a), *y = read_pixels(b);
    assert_memory_equal(x, y, n * gyre_images_row(a));
    assert_memory_equal(a->labels, b->labels, n * sizeof *a->labels);
    free(x);
    free(y);
}

/* A failure of this kind, whose message holds each of the words (separated by '|'). */
static inline void failed_with(gyre_status found, gyre_status expected, const char *words) {
    char copy[256], *rest = copy;
    snprintf(copy, sizeof copy, "%s", words);
    if (found != expected) print_message("%s (%s)\n", gyre_error_text(), words);
    assert_int_equal(found, expected);
    for (char *word; (word = strtok_r(rest, "|", &rest)) != NULL;) {
        if (strstr(gyre_error_text(), word) == NULL) {
            print_message("no \"%s\" in \"%s\"\n", word, gyre_error_text());
            fail();
        }
    }
}

static inline void write_bytes(const char *path, const void *bytes, size_t size) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes, 1, size, f), size);
    assert_int_equal(fclose(f), 0);
}

/* Whether a dataset opens. */
static inline gyre_status open_and_close(const char *path) {
    gyre_dataset *d = NULL;
    gyre_status status = gyre_dataset_open(path, &d);
    gyre_dataset_close(d);
    return status;
}

/* The hash of a dataset with this content. */
static inline uint64_t content_hash(const gyre_dataset_content *c) {
    gyre_dataset *d = NULL;
    const char *path = in_scratch("hashed.h5");
    assert_int_equal(gyre_dataset_write(path, c, true), GYRE_OK);
    assert_int_equal(gyre_dataset_open(path, &d), GYRE_OK);
    uint64_t hash = gyre_dataset_hash(d);
    gyre_dataset_close(d);
    return hash;
}

#endif
