/* Gathers the samples of a batch, one after the other in the order of their rows. */
#include "gyre/gather.h"

#include "gyre/augment.h"
#include <stdlib.h>
#include <string.h>

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

static gyre_erase draw_erase(const gyre_view *view, const gyre_gather_key *key, int64_t row) {
    const int h = view->size > 0 ? view->size : view->images->h;
    const int w = view->size > 0 ? view->size : view->images->w;
    return gyre_erase_draw(&key->settings->erasing, key->seed, key->epoch, row, h, w);
}

/* A target for each pixel moves with its sample: crop first, mirror second. Outside there is no
 * class (-1), or the value 0. */
static void move(const gyre_target *t, gyre_augment a, char *target, char *from) {
    const size_t pixel = (size_t)t->c * sizeof(float);
    memcpy(from, target, (size_t)t->h * (size_t)t->w * pixel);
    for (int y = 0; y < t->h; y++) {
        for (int x = 0; x < t->w; x++, target += pixel) {
            int from_y = y + a.dy, from_x = (a.mirror ? t->w - 1 - x : x) + a.dx;
            bool inside = from_y >= 0 && from_y < t->h && from_x >= 0 && from_x < t->w;
            if (inside)
                memcpy(target, from + (size_t)(from_y * t->w + from_x) * pixel, pixel);
            else
                memset(target, t->classes ? 0xff : 0, pixel);
        }
    }
}

gyre_status gyre_gather(const gyre_view *view, const int64_t *rows, int64_t count,
                        const gyre_gather_key *key, gyre_fitter *fitter,
                        const gyre_gather_room *room) {
    const size_t bytes = gyre_view_image_bytes(view);
    const gyre_target *t = &view->images->target;
    const size_t target_bytes = gyre_target_values(t) * sizeof(float);
    gyre_status status = GYRE_OK;
    char *moved = NULL; /* a target while it is augmented as its sample is */
    if (room->augment != NULL && t->h * t->w > 1) {
        moved = malloc(target_bytes);
        if (moved == NULL) return gyre_no_memory("augmenting targets");
    }
    for (int64_t i = 0; i < count; i++) {
        if (room->images != NULL) {
            GYRE_GOTO(read_image(view, rows[i], key, fitter, room->images + (size_t)i * bytes));
        }
        char *target = (char *)room->targets + (size_t)i * target_bytes;
        GYRE_GOTO(gyre_targets_read(view->images, rows[i], 1, target));
        if (room->erase != NULL) room->erase[i] = draw_erase(view, key, rows[i]);
        if (room->augment == NULL) continue;
        room->augment[i] = gyre_augment_draw(key->settings, key->seed, key->epoch, rows[i]);
        if (moved != NULL) move(&view->images->target, room->augment[i], target, moved);
    }
out:
    free(moved);
    return status;
}
