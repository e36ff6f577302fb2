/* Gathers the samples of a batch, one after the other in the order of their rows. */
#include "gyre/gather.h"

int64_t gyre_view_row(const gyre_view *view, int64_t index) {
    return view->rows == NULL ? index : (int64_t)view->rows[index];
}

size_t gyre_view_image_bytes(const gyre_view *view) {
    const size_t side = (size_t)view->size;
    return side > 0 ? side * side * (size_t)view->images->c : gyre_images_row(view->images);
}

static gyre_status read_image(const gyre_view *view, int64_t row, const gyre_gather_key *key,
                              gyre_fitter *fitter, uint8_t *out) {
    const gyre_images *source = view->images;
    if (key == NULL || view->size == 0) return gyre_fitter_read(fitter, source, row, NULL, out);
    gyre_crop crop =
        gyre_crop_draw(key->settings, key->seed, key->epoch, row, source->h, source->w);
    return gyre_fitter_read(fitter, source, row, &crop, out);
}

gyre_status gyre_gather(const gyre_view *view, const int64_t *rows, int64_t count,
                        const gyre_gather_key *key, gyre_fitter *fitter,
                        const gyre_gather_room *room) {
    const size_t bytes = gyre_view_image_bytes(view);
    for (int64_t i = 0; i < count; i++) {
        if (room->images != NULL) {
            GYRE_TRY(read_image(view, rows[i], key, fitter, room->images + (size_t)i * bytes));
        }
        room->labels[i] = view->images->labels[rows[i]];
        if (room->augment != NULL) {
            room->augment[i] = gyre_augment_draw(key->settings, key->seed, key->epoch, rows[i]);
        }
    }
    return GYRE_OK;
}
