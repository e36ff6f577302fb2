/* The loader as the run's settings and ranks have it. */
#include "batches.h"

#include "gyre/augment.h"
#include "gyre/cores.h"
#include "gyre/defaults.h"
#include "gyre/fitter.h"

int run_batches_readers(const gyre_trainer *t) {
    const gyre_settings *s = &t->resolved->settings;
    if (s->data.readers > 0) return s->data.readers;
    int threads = s->threads > 0 ? s->threads : gyre_cores_threads(gyre_comm_cores(t->comm));
    return threads < GYRE_DEFAULT_READERS_MAX ? threads : GYRE_DEFAULT_READERS_MAX;
}

static gyre_status read_rows(const void *images, int64_t first, int64_t count, uint8_t *out) {
    return gyre_images_read(images, first, count, out);
}

gyre_status run_batches_resize(gyre_backend *b, const gyre_view *view, bool *taken) {
    gyre_resizing *resizing = NULL;
    *taken = false;
    if (view->size == 0) return GYRE_OK;
    GYRE_TRY(b->ops->resize_crops(b, NULL, taken));
    if (!*taken) return GYRE_OK;
    GYRE_TRY(gyre_resizing_open(view->images, view->size, &resizing));
    *taken = resizing != NULL;
    gyre_status status = *taken ? b->ops->resize_crops(b, resizing, taken) : GYRE_OK;
    gyre_resizing_close(resizing);
    return status;
}

gyre_status run_batches_prepare(gyre_trainer *t) {
    const gyre_view *view = &t->resolved->samples.train;
    const gyre_row_reader reader = {.read = read_rows,
                                    .context = view->images,
                                    .rows = (size_t)view->images->count,
                                    .row_bytes = gyre_images_row(view->images)};
    bool resizes = false, kept = false;
    t->load = GYRE_LOAD_IMAGES;
    if (gyre_augment_changes_pixels(&t->resolved->settings.data)) return GYRE_OK;
    GYRE_TRY(run_batches_resize(t->backend, view, &resizes));
    if (view->size == 0 || resizes) {
        GYRE_TRY(t->backend->ops->cache_images(t->backend, &reader, &kept));
    }
    t->load = kept ? GYRE_LOAD_ROWS : resizes ? GYRE_LOAD_LINES : GYRE_LOAD_IMAGES;
    return GYRE_OK;
}

gyre_status run_batches_open(const gyre_trainer *t, int64_t first, int64_t last,
                             gyre_loader **out) {
    const int64_t count = t->resolved->settings.batch_size / t->ranks;
    gyre_data_settings settings = t->resolved->settings.data;
    settings.readers = run_batches_readers(t);
    return gyre_loader_open(&t->resolved->samples.train, &settings, t->resolved->epochs, t->seed,
                            t->rank * count, count, first, last, t->load, out);
}
