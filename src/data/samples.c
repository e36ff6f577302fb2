/* Which samples are trained on and which are evaluated, and the statistics of the first. */
#include "gyre/dataset.h"

#include "check_augment.h"
#include "gyre/alive.h"
#include "gyre/random.h"
#include "gyre/size.h"
#include "value_stats.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- the split */

/* Knuth's selection sampling (The Art of Computer Programming, 3.4.2, algorithm S): every set of
 * `chosen` rows is equally likely, and both parts come out in ascending order. */
static void split(uint64_t seed, uint32_t count, uint32_t chosen, uint32_t *train) {
    gyre_random r = gyre_random_open(seed, GYRE_RANDOM_SPLIT, 0, 0);
    uint32_t *validation = train + (count - chosen);
    for (uint32_t row = 0; row < count; row++) {
        if (gyre_random_below(&r, count - row) < chosen) {
            *validation++ = row;
            chosen--;
        } else {
            *train++ = row;
        }
    }
}

int64_t gyre_split_count(int64_t n, double fraction) {
    int64_t chosen = (int64_t)floor(fraction * (double)n + 0.5);
    return chosen < 1 ? 1 : chosen > n - 1 ? n - 1 : chosen;
}

static gyre_status open_split(const gyre_images *train, double fraction, uint64_t seed,
                              gyre_samples *out) {
    int64_t n = train->count;
    if (n < 2 || n > UINT32_MAX) {
        return gyre_fail(GYRE_EUSAGE,
                         "data.validation: %lld training images cannot be split; 2 to %lld can",
                         (long long)n, (long long)UINT32_MAX);
    }
    int64_t chosen = gyre_split_count(n, fraction);
    out->split_rows = malloc((size_t)n * sizeof *out->split_rows);
    if (out->split_rows == NULL) {
        return gyre_no_memory("splitting %lld training images", (long long)n);
    }
    split(seed, (uint32_t)n, (uint32_t)chosen, out->split_rows);
    out->train = (gyre_view){.images = train, .rows = out->split_rows, .count = n - chosen};
    out->validation =
        (gyre_view){.images = train, .rows = out->split_rows + (n - chosen), .count = chosen};
    return GYRE_OK;
}

/* A part of the file that is evaluated as it is. */
static gyre_status open_part(const gyre_dataset *d, const gyre_data_settings *settings,
                             const char *part, gyre_view *out) {
    char parts[GYRE_PARTS_TEXT];
    if (out->images->count > 0) {
        out->count = out->images->count;
        return GYRE_OK;
    }
    gyre_dataset_parts_text(d, parts);
    const char *other = gyre_dataset_validation(d)->count > 0
                            ? "\"validation\" evaluates that part, "
                        : gyre_dataset_test(d)->count > 0 ? "\"test\" evaluates that part, "
                                                          : "";
    return gyre_fail(
        GYRE_EUSAGE,
        "data.validation is \"%s\", but '%s' has no part /%s; it has %s. %s{\"split\": "
        "0.1} sets training images aside, \"none\" evaluates nothing",
        part, settings->path, part, parts, other);
}

static gyre_status open_views(const gyre_dataset *d, const gyre_data_settings *settings,
                              uint64_t seed, gyre_samples *out) {
    const gyre_images *train = gyre_dataset_train(d);
    bool validation = settings->validation == GYRE_VALIDATION_PART;
    out->train = (gyre_view){.images = train, .count = train->count};
    out->validation.images = validation ? gyre_dataset_validation(d) : gyre_dataset_test(d);
    switch (settings->validation) {
    case GYRE_VALIDATION_NONE: break;
    case GYRE_VALIDATION_SPLIT: return open_split(train, settings->split, seed, out);
    case GYRE_VALIDATION_PART: return open_part(d, settings, "validation", &out->validation);
    case GYRE_VALIDATION_TEST: return open_part(d, settings, "test", &out->validation);
    }
    return GYRE_OK;
}

/* ---- the subset */

static int ascending(const void *a, const void *b) {
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* The first `count` places of a keyed permutation of the view (Fisher and Yates, from the front, so
 * that a place does not depend on how many are asked for); in file order, as without a subset. */
static gyre_status open_subset(int count, uint64_t seed, gyre_samples *out) {
    gyre_view *v = &out->train;
    if (count == 0) return GYRE_OK;
    if (count > v->count || v->count > UINT32_MAX) {
        return gyre_fail(GYRE_EUSAGE,
                         "data.subset is %d, but there are %lld training samples after the split; "
                         "take at most as many, or 0 for all",
                         count, (long long)v->count);
    }
    uint32_t n = (uint32_t)v->count;
    uint32_t *rows = calloc(n, sizeof *rows);
    if (rows == NULL) {
        return gyre_no_memory("choosing from %u training samples", n);
    }
    for (uint32_t i = 0; i < n; i++) rows[i] = v->rows == NULL ? i : v->rows[i];
    gyre_random r = gyre_random_open(seed, GYRE_RANDOM_SUBSET, 0, 0);
    for (uint32_t i = 0; i < (uint32_t)count; i++) {
        uint32_t other = i + gyre_random_below(&r, n - i), kept = rows[i];
        rows[i] = rows[other];
        rows[other] = kept;
    }
    qsort(rows, (size_t)count, sizeof *rows, ascending);
    out->subset_rows = rows;
    *v = (gyre_view){.images = v->images, .rows = rows, .count = count};
    return GYRE_OK;
}

/* ---- the statistics */

__extension__ typedef unsigned __int128 wide;

enum { BYTE_CHANNELS = 4 }; /* of pictures */
enum { PIECE = 65536 };     /* images whose sums of squares fit 32 bits: 65536 * 255^2 < 2^32 */

/* Sums over the view for each place of an image, and of squares for each channel. */
typedef struct {
    uint64_t *sums;
    uint64_t squares[BYTE_CHANNELS];
    uint32_t *piece_sums, *piece_squares;
    uint8_t *image;
} totals;

static void add_image(const uint8_t *restrict image, size_t count, uint32_t *restrict sums,
                      uint32_t *restrict squares) {
    for (size_t i = 0; i < count; i++) {
        uint32_t x = image[i];
        sums[i] += x;
        squares[i] += x * x;
    }
}

static void add_piece(totals *t, size_t count, size_t channels) {
    for (size_t i = 0; i < count; i++) {
        t->sums[i] += t->piece_sums[i];
        t->squares[i % channels] += t->piece_squares[i];
    }
    memset(t->piece_sums, 0, count * sizeof *t->piece_sums);
    memset(t->piece_squares, 0, count * sizeof *t->piece_squares);
}

/* The view's images, or so many of them at equal distances. */
static gyre_status add_view(totals *t, const gyre_view *view, int64_t rows, size_t count,
                            size_t channels) {
    for (int64_t i = 0; i < rows; i++) {
        int64_t row = data_measured_row(view, i, rows);
        GYRE_TRY(gyre_images_read(view->images, row, 1, t->image));
        add_image(t->image, count, t->piece_sums, t->piece_squares);
        if ((i + 1) % PIECE != 0) continue;
        add_piece(t, count, channels);
        gyre_alive();
    }
    add_piece(t, count, channels);
    return GYRE_OK;
}

static int64_t rows_measured(const gyre_view *view, size_t row_bytes) {
    int64_t most = GYRE_DATASET_LARGE / (int64_t)row_bytes;
    return view->count <= most || view->count <= GYRE_SAMPLED_ROWS ? view->count
                                                                   : GYRE_SAMPLED_ROWS;
}

/* Each number is rounded from an exact one: n sum(x^2) - sum(x)^2 is taken in 128 bits. */
static void conclude(const totals *t, int64_t images, size_t count, size_t channels,
                     gyre_pixel_stats *out) {
    uint64_t sums[BYTE_CHANNELS] = {0}, n = (uint64_t)images * (count / channels);
    for (size_t i = 0; i < count; i++) {
        out->mean_image[i] = (float)((double)t->sums[i] / (double)images);
        sums[i % channels] += t->sums[i];
    }
    for (size_t k = 0; k < channels; k++) {
        wide variance = (wide)n * t->squares[k] - (wide)sums[k] * sums[k];
        out->mean[k] = (float)((double)sums[k] / (double)n);
        out->dev[k] = variance == 0 ? 1 : (float)(sqrt((double)variance) / (double)n);
    }
}

static gyre_status measure_bytes(const gyre_view *view, int64_t rows, gyre_pixel_stats *out) {
    const gyre_images *p = view->images;
    size_t channels = (size_t)p->c, count = (size_t)p->h * (size_t)p->w * channels;
    totals t = {.sums = calloc(count, sizeof *t.sums),
                .piece_sums = calloc(count, sizeof *t.piece_sums),
                .piece_squares = calloc(count, sizeof *t.piece_squares),
                .image = malloc(count)};
    gyre_status status = GYRE_OK;
    if (!t.sums || !t.piece_sums || !t.piece_squares || !t.image) {
        size_t each = 2 * sizeof *t.sums + sizeof *t.piece_sums;
        status = gyre_no_memory("the mean of images of %d x %d x %d, which takes %zu MB", p->h,
                                p->w, p->c, gyre_size_of(count, each) >> 20);
    }
    if (status == GYRE_OK) status = add_view(&t, view, rows, count, channels);
    if (status == GYRE_OK) conclude(&t, rows, count, channels, out);
    free(t.sums);
    free(t.piece_sums);
    free(t.piece_squares);
    free(t.image);
    return status;
}

/* Bytes add up exactly; other values in double. */
static gyre_status measure(const gyre_view *view, gyre_pixel_stats *out) {
    const gyre_images *p = view->images;
    size_t channels = (size_t)p->c, count = (size_t)p->h * (size_t)p->w * channels;
    int64_t rows = rows_measured(view, gyre_images_row(p));
    out->mean_image = malloc(gyre_size_of(count, sizeof *out->mean_image));
    out->mean = calloc(2 * channels, sizeof *out->mean);
    if (out->mean_image == NULL || out->mean == NULL) {
        return gyre_no_memory("the mean of samples of %d x %d x %d", p->h, p->w, p->c);
    }
    out->dev = out->mean + channels;
    if (p->element == GYRE_ELEMENT_U8 && channels <= BYTE_CHANNELS) {
        return measure_bytes(view, rows, out);
    }
    return data_measure_values(view, rows, out);
}

gyre_status gyre_samples_open(const gyre_dataset *d, const gyre_data_settings *settings,
                              uint64_t seed, gyre_samples *out) {
    *out = (gyre_samples){0};
    gyre_status status = data_check_augment(settings, gyre_dataset_train(d));
    if (status == GYRE_OK) status = open_views(d, settings, seed, out);
    if (status == GYRE_OK) status = open_subset(settings->subset, seed, out);
    out->train.size = out->validation.size = settings->crop_size;
    if (status == GYRE_OK) status = measure(&out->train, &out->stats);
    if (status != GYRE_OK) gyre_samples_close(out);
    return status;
}

void gyre_samples_close(gyre_samples *s) {
    free(s->stats.mean_image);
    free(s->stats.mean);
    free(s->split_rows);
    free(s->subset_rows);
    *s = (gyre_samples){0};
}
