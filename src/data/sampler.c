/* Steps to samples, and how each is augmented; all of it pure but for one cached permutation. */
#include "gyre/sampler.h"

#include "gyre/random.h"
#include "permutation.h"
#include <stdbool.h>
#include <stdlib.h>

gyre_status gyre_epochs_make(int64_t samples, int64_t batch, gyre_last_batch last,
                             gyre_epochs *out) {
    int64_t steps = samples / batch;
    if (last == GYRE_LAST_WRAP && samples % batch != 0) steps++;
    if (steps < 1) {
        return gyre_fail(GYRE_EUSAGE,
                         "batch.size %lld is larger than the %lld training samples, so an epoch "
                         "has no step; make it smaller, or set data.last_batch to \"wrap\"",
                         (long long)batch, (long long)samples);
    }
    *out = (gyre_epochs){.samples = samples, .batch = batch, .steps_per_epoch = steps};
    return GYRE_OK;
}

struct gyre_sampler {
    gyre_epochs epochs;
    gyre_order order;
    uint64_t seed;
    int64_t epoch;         /* whose order is at hand; -1: none yet */
    uint32_t *permutation; /* NULL: by `feistel`, or file order */
    gyre_feistel feistel;
};

gyre_status gyre_sampler_open(gyre_epochs epochs, gyre_order order, uint64_t seed,
                              gyre_sampler **out) {
    gyre_sampler *s = calloc(1, sizeof *s);
    bool cached = order == GYRE_ORDER_SHUFFLE && epochs.samples <= GYRE_SHUFFLE_MAX;
    if (s != NULL) {
        *s = (gyre_sampler){.epochs = epochs, .order = order, .seed = seed, .epoch = -1};
        if (cached) s->permutation = malloc((size_t)epochs.samples * sizeof *s->permutation);
    }
    if (s == NULL || (cached && s->permutation == NULL)) {
        free(s);
        return gyre_fail(GYRE_EDEVICE, "no memory for the order of %lld samples",
                         (long long)epochs.samples);
    }
    *out = s;
    return GYRE_OK;
}

void gyre_sampler_close(gyre_sampler *s) {
    if (s == NULL) return;
    free(s->permutation);
    free(s);
}

static void turn_to(gyre_sampler *s, int64_t epoch) {
    if (s->permutation != NULL) {
        gyre_shuffle(s->permutation, (uint32_t)s->epochs.samples, s->seed, epoch);
    } else {
        s->feistel = gyre_feistel_make((uint64_t)s->epochs.samples, s->seed, epoch);
    }
    s->epoch = epoch;
}

int64_t gyre_sampler_index(gyre_sampler *s, int64_t t, int64_t i) {
    const gyre_epochs *e = &s->epochs;
    int64_t epoch = t / e->steps_per_epoch;
    int64_t place = (t % e->steps_per_epoch * e->batch + i) % e->samples; /* wraps, if asked */
    if (s->order == GYRE_ORDER_SEQUENTIAL) return place;
    if (epoch != s->epoch) turn_to(s, epoch);
    if (s->permutation != NULL) return s->permutation[place];
    return (int64_t)gyre_feistel_at(&s->feistel, (uint64_t)place);
}

/* All three are always drawn, so that to switch one on does not change the others. */
gyre_augment gyre_augment_draw(const gyre_data_settings *settings, uint64_t seed, int64_t epoch,
                               int64_t sample) {
    gyre_random r = gyre_random_open(seed, GYRE_RANDOM_AUGMENT, (uint64_t)epoch, (uint64_t)sample);
    uint32_t places = 2 * (uint32_t)settings->crop + 1;
    gyre_augment a = {0};
    a.dy = (int8_t)((int)gyre_random_below(&r, places) - settings->crop);
    a.dx = (int8_t)((int)gyre_random_below(&r, places) - settings->crop);
    uint32_t coin = gyre_random_below(&r, 2);
    a.mirror = settings->mirror && coin != 0;
    return a;
}
