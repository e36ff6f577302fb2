/* The classes' numbers, the split and the rows of listed pictures. Everything is decided by names,
 * before a picture is opened: a broken one changes neither the numbers of the classes nor the split
 * of the others. */
#include "listing.h"

#include "gyre/random.h"
#include "gyre/text.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* ---- the list */

static void free_file(data_listed *file) {
    free(file->path);
    free(file->kind);
    free(file->problem);
}

gyre_status data_listing_add(data_listing *l, data_listed file) {
    if (l->count == l->room) {
        size_t room = l->room == 0 ? 256 : 2 * l->room;
        data_listed *more = realloc(l->files, room * sizeof *more);
        if (more == NULL) {
            free_file(&file);
            return gyre_no_memory("listing the pictures of a folder");
        }
        l->files = more;
        l->room = room;
    }
    l->files[l->count++] = file;
    return GYRE_OK;
}

static int by_path(const void *a, const void *b) {
    return strcmp(((const data_listed *)a)->path, ((const data_listed *)b)->path);
}

void data_listing_sort(data_listing *l) {
    if (l->count > 0) qsort(l->files, l->count, sizeof *l->files, by_path);
}

gyre_status data_listed_fail(data_listed *file) {
    file->problem = strdup(gyre_error_text());
    return file->problem == NULL ? gyre_no_memory("listing the pictures of a folder") : GYRE_OK;
}

void data_listing_place(data_listing *l) {
    memset(l->counts, 0, sizeof l->counts);
    for (size_t i = 0; i < l->count; i++) {
        if (l->files[i].problem == NULL) l->files[i].row = l->counts[l->files[i].part]++;
    }
}

void data_listing_close(data_listing *l) {
    for (size_t i = 0; i < l->count; i++) free_file(&l->files[i]);
    free(l->files);
    free(l->names);
    free(l->other);
    free(l->repeat);
    free(l->hollow_name);
    *l = (data_listing){0};
}

/* ---- numbers of classes */

static int by_name(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool is_number(const char *name) {
    size_t length = strlen(name);
    return length >= 1 && length <= 18 && strspn(name, "0123456789") == length;
}

static int by_value(const void *a, const void *b) {
    long long x = atoll(*(const char *const *)a), y = atoll(*(const char *const *)b);
    return x < y ? -1 : x > y ? 1 : by_name(a, b);
}

static gyre_status take_name(data_listing *l, int label, const char *kind) {
    size_t length = gyre_text_visible(kind, l->names[label], GYRE_NAME_SIZE);
    if (length < GYRE_NAME_SIZE) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "the class name '%s...' has %zu bytes, %d are kept in a dataset: give it a "
                     "shorter one",
                     l->names[label], length, GYRE_NAME_SIZE - 1);
}

/* Where all pictures lie in folders of one folder: that one's path, "flowers/flowers"; 0: they do
 * not. The list is sorted, so that what its ends share, all share. */
static size_t around_folders(const data_listing *l) {
    const char *first = l->files[0].path, *last = l->files[l->count - 1].path;
    size_t end = 0;
    for (size_t i = 0; first[i] != '\0' && first[i] == last[i]; i++) {
        if (first[i] == '/') end = i;
    }
    for (size_t i = 0; i < l->count && end > 0; i++) {
        if (strchr(l->files[i].path + end + 1, '/') == NULL) return 0;
    }
    return end;
}

static gyre_status check_classes(const data_listing *l, const char *const *kinds, size_t files,
                                 size_t count) {
    char name[GYRE_NAME_SIZE];
    if (count > GYRE_CLASSES_MAX) {
        return gyre_fail(GYRE_EUSAGE, "%zu classes; at most %d are possible", count,
                         GYRE_CLASSES_MAX);
    }
    if (count != 1) return GYRE_OK;
    gyre_text_visible(kinds[0], name, sizeof name);
    size_t around = around_folders(l);
    if (around > 0) {
        char path[512], visible[512];
        snprintf(path, sizeof path, "%.*s", (int)(around < 500 ? around : 500), l->files[0].path);
        gyre_text_visible(path, visible, sizeof visible);
        return gyre_fail(GYRE_EUSAGE,
                         "all %zu pictures are of one class, '%s': there is nothing to tell apart. "
                         "When the folders in '%s' are the classes, import that folder",
                         files, name, visible);
    }
    return gyre_fail(
        GYRE_EUSAGE,
        "all %zu pictures are of one class, '%s': there is nothing to tell apart. Each "
        "class needs a folder of its own, or a label in --labels FILE.csv%s",
        files, name, l->repeats > 0 ? "; folders met again by a link are left out" : "");
}

/* The names, each once, in order. */
static size_t sort_kinds(const char **kinds, size_t count) {
    bool numbers = true;
    size_t unique = 0;
    for (size_t i = 0; i < count; i++) numbers = numbers && is_number(kinds[i]);
    qsort(kinds, count, sizeof *kinds, numbers ? by_value : by_name);
    for (size_t i = 0; i < count; i++) {
        if (i == 0 || strcmp(kinds[i], kinds[unique - 1]) != 0) kinds[unique++] = kinds[i];
    }
    return unique;
}

static int32_t label_of(const char *const *kinds, size_t count, const char *kind, bool numbers) {
    const char *const *found =
        bsearch(&kind, kinds, count, sizeof *kinds, numbers ? by_value : by_name);
    return (int32_t)(found - kinds);
}

gyre_status data_listing_number(data_listing *l) {
    const char **kinds = calloc(l->count + 1, sizeof *kinds);
    gyre_status status = GYRE_OK;
    size_t files = 0;
    bool numbers = true;
    if (kinds == NULL) return gyre_no_memory("listing the pictures of a folder");
    for (size_t i = 0; i < l->count; i++) {
        if (l->files[i].kind != NULL) kinds[files++] = l->files[i].kind;
    }
    size_t count = sort_kinds(kinds, files);
    GYRE_GOTO(check_classes(l, kinds, files, count));
    l->names = calloc(count + 1, sizeof *l->names);
    if (l->names == NULL) {
        status = gyre_no_memory("listing the pictures of a folder");
        goto out;
    }
    l->classes = (int)count;
    for (size_t i = 0; i < count; i++) {
        numbers = numbers && is_number(kinds[i]);
        GYRE_GOTO(take_name(l, (int)i, kinds[i]));
    }
    for (size_t i = 0; i < l->count; i++) {
        data_listed *file = &l->files[i];
        if (file->kind != NULL) file->label = label_of(kinds, count, file->kind, numbers);
    }
out:
    free(kinds);
    return status;
}

/* ---- the split */

typedef struct {
    int32_t label;
    uint64_t key;
    size_t file;
} draw;

static int by_draw(const void *a, const void *b) {
    const draw *x = a, *y = b;
    if (x->label != y->label) return x->label < y->label ? -1 : 1;
    if (x->key != y->key) return x->key < y->key ? -1 : 1;
    return x->file < y->file ? -1 : x->file > y->file;
}

static uint64_t key_of(uint64_t seed, const char *path) {
    gyre_random r = gyre_random_open(seed, GYRE_RANDOM_SPLIT, XXH3_64bits(path, strlen(path)), 1);
    return gyre_random_u64(&r);
}

/* How many of a class's n files are set aside. */
static size_t share(double fraction, size_t n) {
    size_t chosen = (size_t)floor(fraction * (double)n + 0.5);
    return chosen < n ? chosen : n - 1;
}

/* The part that takes them, -1: both exist. */
static int free_part(const data_listing *l) {
    bool taken[DATA_PARTS] = {false};
    for (size_t i = 0; i < l->count; i++) {
        if (l->files[i].kind != NULL) taken[l->files[i].part] = true;
    }
    return !taken[DATA_PART_TEST] ? DATA_PART_TEST
                                  : (!taken[DATA_PART_VALIDATION] ? DATA_PART_VALIDATION : -1);
}

/* Draws are sorted; returns how many were set aside. */
static size_t set_aside(data_listing *l, const draw *draws, size_t count, double fraction, int part,
                        size_t *largest) {
    size_t total = 0;
    *largest = 0;
    for (size_t begin = 0, end; begin < count; begin = end) {
        for (end = begin; end < count && draws[end].label == draws[begin].label;) end++;
        size_t chosen = share(fraction, end - begin);
        for (size_t i = 0; i < chosen; i++) l->files[draws[begin + i].file].part = part;
        if (end - begin > *largest) *largest = end - begin;
        total += chosen;
    }
    return total;
}

gyre_status data_listing_split(data_listing *l, double fraction, uint64_t seed) {
    size_t count = 0, largest;
    int part = free_part(l);
    if (part < 0) {
        return gyre_fail(GYRE_EUSAGE, "--split has nothing to make: the folder has a test and a "
                                      "validation part of its own");
    }
    draw *draws = calloc(l->count + 1, sizeof *draws);
    if (draws == NULL) return gyre_no_memory("listing the pictures of a folder");
    for (size_t i = 0; i < l->count; i++) {
        const data_listed *file = &l->files[i];
        if (file->kind == NULL || file->part != DATA_PART_TRAIN) continue;
        draws[count++] = (draw){file->label, key_of(seed, file->path), i};
    }
    qsort(draws, count, sizeof *draws, by_draw);
    size_t chosen = set_aside(l, draws, count, fraction, part, &largest);
    free(draws);
    if (chosen > 0) return GYRE_OK;
    return gyre_fail(
        GYRE_EUSAGE,
        "--split %g sets nothing aside: it takes that part of each class, rounded, and "
        "the largest class has %zu training pictures",
        fraction, largest);
}
