/* The weights of filter.h for sides of all lengths, as one table for a device. */
#include "filter.h"
#include "gyre/fitter.h"
#include <stdlib.h>

enum { WORDS_MOST = 1 << 25 /* 128 MiB: sides of 3,800 pixels that become 224 */ };

static uint64_t words_of(int in, int size) {
    const int room = data_filter_room(in, size);
    return (uint64_t)size * (1 + (uint64_t)(room < in ? room : in));
}

static uint64_t words_most(int side, int size) {
    uint64_t words = 0;
    for (int in = 1; in <= side; in++) words += words_of(in, size);
    return words;
}

static void add_side(gyre_resizing *r, int in, const data_filter *f) {
    uint32_t *to = r->words + r->word_count;
    const size_t size = (size_t)f->out, count = size * (size_t)f->taps;
    r->sides[in] = (gyre_resizing_side){(uint32_t)r->word_count, (uint32_t)f->taps};
    for (size_t j = 0; j < size; j++) *to++ = (uint32_t)f->first[j];
    for (size_t i = 0; i < count; i++) *to++ = (uint32_t)f->weights[i];
    r->word_count += size + count;
}

gyre_status gyre_resizing_open(const gyre_images *shape, int size, gyre_resizing **out) {
    const int side = shape->h > shape->w ? shape->h : shape->w;
    const uint64_t most = words_most(side, size);
    gyre_status status = GYRE_OK;
    data_filter f = {0};
    *out = NULL;
    if (most > WORDS_MOST) return GYRE_OK;
    gyre_resizing *r = calloc(1, sizeof *r);
    if (r == NULL) return gyre_no_memory("resizing images");
    *r = (gyre_resizing){.h = shape->h, .w = shape->w, .size = size, .side_count = side + 1};
    r->sides = calloc((size_t)side + 1, sizeof *r->sides);
    r->words = malloc((size_t)most * sizeof *r->words);
    if (r->sides == NULL || r->words == NULL) {
        status = gyre_no_memory("resizing images");
        goto out;
    }
    GYRE_GOTO(data_filter_open(&f, side, side, size));
    for (int in = 1; in <= side; in++) {
        data_filter_set(&f, in, in);
        add_side(r, in, &f);
    }
    *out = r;
    r = NULL;
out:
    data_filter_close(&f);
    gyre_resizing_close(r);
    return status;
}

void gyre_resizing_close(gyre_resizing *r) {
    if (r == NULL) return;
    free(r->sides);
    free(r->words);
    free(r);
}
