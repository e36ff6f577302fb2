/* Reader threads and their ring of batches.
 *
 * Step s sits in slot s mod depth. Readers take pieces of batches in their order, and may be at
 * most depth - 2 steps ahead of those handed out, since the last two handed out are still the
 * caller's. Which rows a step has is found out by one reader, some steps before its images are
 * read, so that a disk is asked for many at a time.
 *
 * A failure ends the taking of pieces. Those before it have all been taken by then, so once they
 * are read the first failure in the order of samples is known, whoever reads them. */
#include "loader_test.h"

#include "gyre/augment.h"
#include "gyre/gather.h"
#include "gyre/thread.h"
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum {
    DEPTH = 4,
    AHEAD = 8, /* steps whose rows are announced before they are read */
    PIECE = 8  /* samples that a reader takes at a time */
};

typedef struct {
    gyre_loader *loader;
    gyre_fitter *fitter;
    pthread_t thread;
} reader;

/* Samples first..first + count - 1 of a step, the one before the batch among them (gyre_batch). */
typedef struct {
    int64_t step, first, count;
} piece;

struct gyre_loader {
    gyre_view view;
    gyre_data_settings settings; /* its path is not used */
    gyre_epochs epochs;
    gyre_sampler *sampler; /* whose reader finds rows */
    uint64_t seed;
    int64_t first, count, first_step, last_step;
    int64_t before;        /* 1: the sample before the first lies in front (gyre_batch) */
    int depth, rows_depth; /* of the ring, and of that of rows */
    int64_t found;         /* the next step whose rows are to be found */
    gyre_load load;
    int reader_count, running;
    reader *readers;       /* (reader_count), of which so many run */
    size_t pixels;         /* bytes of an image, or of all its lines */
    uint8_t *images;       /* (depth, count, pixels), or NULL: rows only */
    gyre_crop *crops;      /* (depth, count), or NULL: there are none, or they are resized here */
    int64_t *rows;         /* (rows_depth, count) */
    size_t target_bytes;   /* of a sample */
    char *targets;         /* (depth, count, target_bytes) */
    gyre_augment *augment; /* (depth, count), or NULL */
    gyre_erase *erase;     /* (depth, count), or NULL */

    pthread_mutex_t lock; /* guards what follows */
    pthread_cond_t work;  /* there may be something to do for a reader */
    pthread_cond_t ready; /* a batch is made, or never will be */
    int64_t *done;        /* (depth): samples of a step that are there */
    int64_t made, taken;  /* the next step to complete, and to hand out */
    int64_t begun, next;  /* the next step to begin; of the one before, the next sample to take */
    int64_t flying;       /* pieces that are being read */
    bool finding;         /* a reader finds rows */
    bool stop;
    gyre_status status; /* why no more are made: of the first sample that failed */
    piece failed;       /* among these samples */
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

static gyre_status read_piece(const reader *r, const piece *p) {
    gyre_loader *l = r->loader;
    size_t slot = slot_of(l, p->step) + (size_t)p->first;
    const gyre_gather_key key = {&l->settings, l->seed, p->step / l->epochs.steps_per_epoch};
    const gyre_gather_room room = {
        .images = l->images == NULL ? NULL : l->images + slot * l->pixels,
        .crops = l->crops == NULL ? NULL : l->crops + slot,
        .targets = l->targets + slot * l->target_bytes,
        .augment = l->augment == NULL ? NULL : l->augment + slot,
        .erase = l->erase == NULL ? NULL : l->erase + slot,
    };
    return gyre_gather(&l->view, rows_of(l, p->step) + p->first, p->count, &key, r->fitter, &room);
}

/* ---- what readers do; all of it holds the lock */

/* The next piece, where one is left of the steps that have begun. */
static bool take_piece(gyre_loader *l, piece *out) {
    const int64_t left = l->begun > l->first_step ? (int64_t)stored(l) - l->next : 0;
    if (left == 0) return false;
    *out = (piece){l->begun - 1, l->next, left < PIECE ? left : PIECE};
    l->next += out->count;
    l->flying++;
    if (left > out->count) pthread_cond_signal(&l->work); /* one wakes the next */
    return true;
}

static void note_failure(gyre_loader *l, const piece *p, gyre_status status) {
    const piece *f = &l->failed;
    const bool before = p->step < f->step || (p->step == f->step && p->first < f->first);
    if (l->status != GYRE_OK && !before) return;
    l->status = status;
    l->failed = *p;
    snprintf(l->error, sizeof l->error, "%s", gyre_error_text());
}

static void end_piece(gyre_loader *l, const piece *p, gyre_status status) {
    const int64_t before = l->made;
    l->flying--;
    if (status != GYRE_OK)
        note_failure(l, p, status);
    else
        l->done[p->step % l->depth] += p->count;
    while (l->made < l->begun && l->done[l->made % l->depth] == (int64_t)stored(l)) l->made++;
    if (l->made > before || l->status != GYRE_OK) pthread_cond_signal(&l->ready);
}

/* Finding rows is left to one reader, without the lock. */
static void begin_step(gyre_loader *l) {
    const int64_t step = l->begun;
    l->finding = true;
    pthread_mutex_unlock(&l->lock);
    while (l->found < l->last_step && l->found <= step + AHEAD) find_rows(l, l->found++);
    pthread_mutex_lock(&l->lock);
    l->finding = false;
    l->done[step % l->depth] = 0;
    l->next = 0;
    l->begun = step + 1;
}

static void *read_batches(void *context) {
    const reader *r = context;
    gyre_loader *l = r->loader;
    piece p;
    pthread_mutex_lock(&l->lock);
    while (!l->stop && l->status == GYRE_OK) {
        if (take_piece(l, &p)) {
            pthread_mutex_unlock(&l->lock);
            gyre_status status = read_piece(r, &p);
            pthread_mutex_lock(&l->lock);
            end_piece(l, &p, status);
        } else if (l->begun == l->last_step) {
            break;
        } else if (!l->finding && l->begun < l->taken + l->depth - 2) {
            begin_step(l);
        } else {
            pthread_cond_wait(&l->work, &l->lock);
        }
    }
    pthread_mutex_unlock(&l->lock);
    return NULL;
}

/* ---- opening and closing */

static gyre_status allocate(gyre_loader *l) {
    size_t samples = (size_t)l->depth * stored(l);
    bool augmented = gyre_gather_draws_moves(&l->settings);
    bool erased = l->settings.erasing.probability > 0;
    bool cropped = l->view.size > 0 && l->load != GYRE_LOAD_IMAGES;
    l->images = l->load == GYRE_LOAD_ROWS ? NULL : malloc(samples * l->pixels);
    l->crops = cropped ? malloc(samples * sizeof *l->crops) : NULL;
    l->rows = malloc((size_t)l->rows_depth * stored(l) * sizeof *l->rows);
    l->targets = malloc(samples * l->target_bytes);
    l->augment = augmented ? malloc(samples * sizeof *l->augment) : NULL;
    l->erase = erased ? malloc(samples * sizeof *l->erase) : NULL;
    l->done = calloc((size_t)l->depth, sizeof *l->done);
    bool complete = (l->load == GYRE_LOAD_ROWS || l->images != NULL) && l->rows != NULL &&
                    l->targets != NULL && l->done != NULL && (!cropped || l->crops != NULL) &&
                    (!augmented || l->augment != NULL) && (!erased || l->erase != NULL);
    if (complete) return GYRE_OK;
    return gyre_no_memory("%d batches of %lld images", l->depth, (long long)l->count);
}

static gyre_status start_readers(gyre_loader *l) {
    l->readers = calloc((size_t)l->reader_count, sizeof *l->readers);
    if (l->readers == NULL) return gyre_no_memory("the loader's readers");
    for (int i = 0; i < l->reader_count; i++) {
        l->readers[i].loader = l;
        GYRE_TRY(gyre_fitter_open(l->view.images, l->view.size, &l->readers[i].fitter));
    }
    for (; l->running < l->reader_count; l->running++) {
        reader *r = &l->readers[l->running];
        GYRE_TRY(gyre_thread_start(&r->thread, read_batches, r, "a reader of the loader"));
    }
    return GYRE_OK;
}

gyre_status data_loader_open_ring(const gyre_view *train, const gyre_data_settings *settings,
                                  gyre_epochs epochs, uint64_t seed, int64_t first, int64_t count,
                                  int64_t first_step, int64_t last_step, gyre_load load, int depth,
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
                       .begun = first_step,
                       .load = load,
                       .pixels = load == GYRE_LOAD_LINES ? gyre_images_row(train->images)
                                                         : gyre_view_image_bytes(train),
                       .target_bytes = gyre_target_values(&train->images->target) * sizeof(float),
                       .made = first_step,
                       .taken = first_step,
                       .reader_count = settings->readers > 0 ? settings->readers : 1};
    pthread_mutex_init(&l->lock, NULL);
    pthread_cond_init(&l->work, NULL);
    pthread_cond_init(&l->ready, NULL);
    GYRE_GOTO(gyre_sampler_open(epochs, settings->order, seed, &l->sampler));
    GYRE_GOTO(allocate(l));
    GYRE_GOTO(start_readers(l));
    *out = l;
    l = NULL;
out:
    gyre_loader_close(l);
    return status;
}

gyre_status gyre_loader_open(const gyre_view *train, const gyre_data_settings *settings,
                             gyre_epochs epochs, uint64_t seed, int64_t first, int64_t count,
                             int64_t first_step, int64_t last_step, gyre_load load,
                             gyre_loader **out) {
    return data_loader_open_ring(train, settings, epochs, seed, first, count, first_step, last_step,
                                 load, DEPTH, out);
}

void gyre_loader_close(gyre_loader *l) {
    if (l == NULL) return;
    pthread_mutex_lock(&l->lock);
    l->stop = true;
    pthread_cond_broadcast(&l->work);
    pthread_mutex_unlock(&l->lock);
    for (int i = 0; i < l->running; i++) pthread_join(l->readers[i].thread, NULL);
    for (int i = 0; l->readers != NULL && i < l->reader_count; i++) {
        gyre_fitter_close(l->readers[i].fitter);
    }
    pthread_cond_destroy(&l->work);
    pthread_cond_destroy(&l->ready);
    pthread_mutex_destroy(&l->lock);
    gyre_sampler_close(l->sampler);
    free(l->readers);
    free(l->done);
    free(l->images);
    free(l->crops);
    free(l->rows);
    free(l->targets);
    free(l->augment);
    free(l->erase);
    free(l);
}

/* A failure counts once all that comes before it is read. */
static gyre_status await(gyre_loader *l) {
    while (l->made <= l->taken && (l->status == GYRE_OK || l->flying > 0)) {
        pthread_cond_wait(&l->ready, &l->lock);
    }
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
        pthread_cond_signal(&l->work);
    }
    pthread_mutex_unlock(&l->lock);
    GYRE_TRY(status);
    const gyre_view *v = &l->view;
    size_t slot = slot_of(l, step) + (size_t)l->before;
    *out = (gyre_batch){.step = step,
                        .count = l->count,
                        .element = v->images->element,
                        .images = l->images == NULL ? NULL : l->images + slot * l->pixels,
                        .crops = l->crops == NULL ? NULL : l->crops + slot,
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
