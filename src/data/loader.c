/* The prefetch thread and its ring of batches.
 *
 * Step s sits in slot s mod depth. The thread makes steps in order and may be at most depth - 2
 * ahead of those handed out, since the last two handed out are still the caller's. Which rows a
 * step has is found out some steps before its images are read, so that a disk is asked for many at
 * a time. */
#include "loader_test.h"

#include "gyre/augment.h"
#include "gyre/gather.h"
#include "gyre/thread.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEPTH = 4, AHEAD = 8 /* steps whose rows are announced before they are read */ };

struct gyre_loader {
    gyre_view view;
    gyre_data_settings settings; /* its path is not used */
    gyre_epochs epochs;
    gyre_sampler *sampler; /* the thread's own, once it runs; the fitter, too */
    gyre_fitter *fitter;
    uint64_t seed;
    int64_t first, count, first_step, last_step;
    int64_t before;        /* 1: the sample before the first lies in front (gyre_batch) */
    int depth, rows_depth; /* of the ring, and of that of rows */
    int64_t found;         /* the next step whose rows are to be found */
    bool rows_only;
    size_t pixels;         /* bytes of an image */
    uint8_t *images;       /* (depth, count, pixels), or NULL: rows only */
    int64_t *rows;         /* (rows_depth, count) */
    size_t target_bytes;   /* of a sample */
    char *targets;         /* (depth, count, target_bytes) */
    gyre_augment *augment; /* (depth, count), or NULL */
    gyre_erase *erase;     /* (depth, count), or NULL */

    pthread_t thread;
    bool running;
    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t changed;
    int64_t made, taken; /* the next step to make, and to hand out */
    bool stop;
    gyre_status status; /* why no more are made */
    char error[GYRE_ERROR_MAX];
};

static size_t stored(const gyre_loader *l) {
    return (size_t)(l->before + l->count);
}

static size_t slot_of(const gyre_loader *l, int64_t step) {
    return (size_t)(step % l->depth) * stored(l);
}

static int64_t *rows_of(const gyre_loader *l, int64_t step) {
    return l->rows + (size_t)(step % l->rows_depth) * stored(l);
}

static void find_rows(gyre_loader *l, int64_t step) {
    const gyre_images *source = l->view.images;
    bool announced = l->images != NULL && gyre_images_large(source);
    int64_t *rows = rows_of(l, step);
    for (int64_t i = 0; i < l->before + l->count; i++) {
        int64_t place = l->first - l->before + i; /* -1: the last one */
        if (place < 0) place = l->epochs.batch - 1;
        rows[i] = gyre_view_row(&l->view, gyre_sampler_index(l->sampler, step, place));
        if (announced) gyre_images_expect(source, rows[i]);
    }
}

static gyre_status make_batch(gyre_loader *l, int64_t step) {
    size_t slot = slot_of(l, step);
    const gyre_gather_key key = {&l->settings, l->seed, step / l->epochs.steps_per_epoch};
    const gyre_gather_room room = {
        .images = l->images == NULL ? NULL : l->images + slot * l->pixels,
        .targets = l->targets + slot * l->target_bytes,
        .augment = l->augment == NULL ? NULL : l->augment + slot,
        .erase = l->erase == NULL ? NULL : l->erase + slot,
    };
    while (l->found < l->last_step && l->found <= step + AHEAD) find_rows(l, l->found++);
    return gyre_gather(&l->view, rows_of(l, step), (int64_t)stored(l), &key, l->fitter, &room);
}

static void *prefetch(void *context) {
    gyre_loader *l = context;
    pthread_mutex_lock(&l->lock);
    while (!l->stop && l->status == GYRE_OK && l->made < l->last_step) {
        if (l->made >= l->taken + l->depth - 2) {
            pthread_cond_wait(&l->changed, &l->lock);
            continue;
        }
        int64_t step = l->made;
        pthread_mutex_unlock(&l->lock);
        gyre_status status = make_batch(l, step);
        pthread_mutex_lock(&l->lock);
        l->status = status;
        if (status == GYRE_OK) {
            l->made = step + 1;
        } else {
            snprintf(l->error, sizeof l->error, "%s", gyre_error_text());
        }
        pthread_cond_broadcast(&l->changed);
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

static gyre_status allocate(gyre_loader *l) {
    size_t samples = (size_t)l->depth * stored(l);
    bool augmented = gyre_gather_draws_moves(&l->settings);
    bool erased = l->settings.erasing.probability > 0;
    l->images = l->rows_only ? NULL : malloc(samples * l->pixels);
    l->rows = malloc((size_t)l->rows_depth * stored(l) * sizeof *l->rows);
    l->targets = malloc(samples * l->target_bytes);
    l->augment = augmented ? malloc(samples * sizeof *l->augment) : NULL;
    l->erase = erased ? malloc(samples * sizeof *l->erase) : NULL;
    bool complete = (l->rows_only || l->images != NULL) && l->rows != NULL && l->targets != NULL &&
                    (!augmented || l->augment != NULL) && (!erased || l->erase != NULL);
    if (complete) return GYRE_OK;
    return gyre_no_memory("%d batches of %lld images", l->depth, (long long)l->count);
}

gyre_status data_loader_open_ring(const gyre_view *train, const gyre_data_settings *settings,
                                  gyre_epochs epochs, uint64_t seed, int64_t first, int64_t count,
                                  int64_t first_step, int64_t last_step, bool rows_only, int depth,
                                  gyre_loader **out) {
    gyre_status status = GYRE_OK;
    gyre_loader *l = calloc(1, sizeof *l);
    *out = NULL;
    if (l == NULL) return gyre_no_memory("the loader");
    *l = (gyre_loader){.view = *train,
                       .settings = *settings,
                       .epochs = epochs,
                       .seed = seed,
                       .first = first,
                       .count = count,
                       .before = gyre_mix_is_on(settings) ? 1 : 0,
                       .first_step = first_step,
                       .last_step = last_step,
                       .depth = depth,
                       .rows_depth = depth + AHEAD,
                       .found = first_step,
                       .rows_only = rows_only,
                       .pixels = gyre_view_image_bytes(train),
                       .target_bytes = gyre_target_values(&train->images->target) * sizeof(float),
                       .made = first_step,
                       .taken = first_step};
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->changed, NULL);
    GYRE_GOTO(gyre_sampler_open(epochs, settings->order, seed, &l->sampler));
    GYRE_GOTO(gyre_fitter_open(train->images, train->size, &l->fitter));
    GYRE_GOTO(allocate(l));
    GYRE_GOTO(gyre_thread_start(&l->thread, prefetch, l, "the loader"));
    l->running = true;
    *out = l;
    l = NULL;
out:
    gyre_loader_close(l);
    return status;
}

gyre_status gyre_loader_open(const gyre_view *train, const gyre_data_settings *settings,
                             gyre_epochs epochs, uint64_t seed, int64_t first, int64_t count,
                             int64_t first_step, int64_t last_step, bool rows_only,
                             gyre_loader **out) {
    return data_loader_open_ring(train, settings, epochs, seed, first, count, first_step, last_step,
                                 rows_only, DEPTH, out);
}

void gyre_loader_close(gyre_loader *l) {
    if (l == NULL) return;
    if (l->running) {
        pthread_mutex_lock(&l->lock);
        l->stop = true;
        pthread_cond_broadcast(&l->changed);
        pthread_mutex_unlock(&l->lock);
        pthread_join(l->thread, NULL);
    }
    pthread_cond_destroy(&l->changed);
    pthread_mutex_destroy(&l->lock);
    gyre_sampler_close(l->sampler);
    gyre_fitter_close(l->fitter);
    free(l->images);
    free(l->rows);
    free(l->targets);
    free(l->augment);
    free(l->erase);
    free(l);
}

static gyre_status await(gyre_loader *l) {
    if (l->made > l->taken) return GYRE_OK;
    while (l->made <= l->taken && l->status == GYRE_OK) pthread_cond_wait(&l->changed, &l->lock);
    return l->made > l->taken ? GYRE_OK : gyre_fail(l->status, "%s", l->error);
}

gyre_status gyre_loader_next(gyre_loader *l, gyre_batch *out) {
    if (l->taken == l->last_step) {
        return gyre_fail(GYRE_EUSAGE, "the loader was opened for steps %lld to %lld only",
                         (long long)l->first_step, (long long)l->last_step - 1);
    }
    pthread_mutex_lock(&l->lock);
    gyre_status status = await(l);
    int64_t step = l->taken;
    if (status == GYRE_OK) {
        l->taken++;
        pthread_cond_broadcast(&l->changed);
    }
    pthread_mutex_unlock(&l->lock);
    GYRE_TRY(status);
    const gyre_view *v = &l->view;
    size_t slot = slot_of(l, step) + (size_t)l->before;
    *out = (gyre_batch){.step = step,
                        .count = l->count,
                        .element = v->images->element,
                        .images = l->images == NULL ? NULL : l->images + slot * l->pixels,
                        .rows = rows_of(l, step) + l->before,
                        .targets = l->targets + slot * l->target_bytes,
                        .target_values = (int64_t)(l->target_bytes / sizeof(float)),
                        .augment = l->augment == NULL ? NULL : l->augment + slot,
                        .erase = l->erase == NULL ? NULL : l->erase + slot};
    if (l->before > 0) {
        out->mix = gyre_mix_draw(&l->settings, l->seed, step, v->size > 0 ? v->size : v->images->h,
                                 v->size > 0 ? v->size : v->images->w);
    }
    return GYRE_OK;
}
