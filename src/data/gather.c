/* Gathers the samples of a batch, one after the other in the order that is asked for. */
#include "gyre/gather.h"

#include "gyre/augment.h"
#include "gyre/move.h"
#include "jitter.h"
#include "randaugment.h"
#include <stdio.h>
#include <string.h>

int64_t gyre_view_row(const gyre_view *view, int64_t index) {
    return view->rows == NULL ? index : (int64_t)view->rows[index];
}

size_t gyre_view_image_bytes(const gyre_view *view) {
    const size_t side = (size_t)view->size;
    return side > 0 ? side * side * (size_t)view->images->c : gyre_images_row(view->images);
}

/* The part of a row that a view with a size shows. */
static gyre_crop part_of(const gyre_view *view, int64_t row, const gyre_gather_key *key) {
    const gyre_images *source = view->images;
    if (key == NULL) return gyre_crop_middle(source->h, source->w, view->size);
    return gyre_crop_draw(key->settings, key->seed, key->epoch, row, source->h, source->w);
}

static gyre_status read_image(const gyre_view *view, int64_t row, const gyre_gather_key *key,
                              gyre_fitter *fitter, uint8_t *out) {
    if (view->size == 0) return gyre_fitter_read(fitter, view->images, row, NULL, out);
    const gyre_crop part = part_of(view, row, key);
    return gyre_fitter_read(fitter, view->images, row, &part, out);
}

/* The part and its lines, for a device that resizes. */
static gyre_status read_lines(const gyre_view *view, int64_t row, const gyre_gather_key *key,
                              gyre_crop *part, uint8_t *lines) {
    const gyre_images *source = view->images;
    const size_t line = (size_t)source->w * (size_t)source->c;
    *part = part_of(view, row, key);
    if (lines == NULL) return GYRE_OK;
    return gyre_image_read_part(source, row, (size_t)part->y * line, (size_t)part->h * line, lines);
}

static gyre_erase draw_erase(const gyre_view *view, const gyre_gather_key *key, int64_t row) {
    const int h = view->size > 0 ? view->size : view->images->h;
    const int w = view->size > 0 ? view->size : view->images->w;
    return gyre_erase_draw(&key->settings->erasing, key->seed, key->epoch, row, h, w);
}

static bool moves(const gyre_data_settings *s) {
    return s->mirror || s->crop > 0;
}

bool gyre_gather_draws_moves(const gyre_data_settings *settings) {
    return moves(settings) && !gyre_augment_changes_pixels(settings);
}

/* Moves h x w things of `size` bytes: crop first, mirror second; what comes in has the byte `fill`.
 * `from` is room for as many. */
static void move(int h, int w, size_t size, int fill, gyre_augment a, char *to, char *from) {
    memcpy(from, to, (size_t)h * (size_t)w * size);
    for (int y = 0; y < h; y++) {
        for (int x = 0; x < w; x++, to += size) {
            int from_y = gyre_move_row(a, y, h), from_x = gyre_move_column(a, x, w);
            if (from_y >= 0 && from_x >= 0)
                memcpy(to, from + (size_t)(from_y * w + from_x) * size, size);
            else
                memset(to, fill, size);
        }
    }
}

/* All that is done to the bytes of a picture, in torchvision's order. */
static void change(const gyre_view *view, const gyre_gather_key *key, gyre_augment a, int64_t row,
                   uint8_t *image, char *spare) {
    const gyre_data_settings *s = key->settings;
    const int size = view->size;
    data_pixels p = {.h = size > 0 ? size : view->images->h,
                     .w = size > 0 ? size : view->images->w,
                     .c = view->images->c,
                     .bytes = image,
                     .spare = (uint8_t *)spare};
    if (moves(s)) move(p.h, p.w, (size_t)p.c, 0, a, (char *)image, spare);
    if (gyre_jitter_is_on(&s->jitter)) {
        const gyre_jitter jitter = gyre_jitter_draw(&s->jitter, key->seed, key->epoch, row);
        data_jitter_apply(&jitter, &p);
    }
    data_randaugment_apply(&s->randaugment, key->seed, key->epoch, row, &p);
}

/* One sample, into place i of the room. `spare`: of the larger of image and target. */
static gyre_status gather_one(const gyre_view *view, int64_t row, const gyre_gather_key *key,
                              gyre_fitter *fitter, const gyre_gather_room *room, int64_t i,
                              char *spare) {
    const size_t bytes = gyre_view_image_bytes(view);
    const gyre_target *t = &view->images->target;
    gyre_augment a = {0};
    if (key != NULL && moves(key->settings)) {
        a = gyre_augment_draw(key->settings, key->seed, key->epoch, row);
    }
    if (room->crops != NULL) {
        uint8_t *lines = room->images;
        if (lines != NULL) lines += (size_t)i * gyre_images_row(view->images);
        GYRE_TRY(read_lines(view, row, key, &room->crops[i], lines));
    } else if (room->images != NULL) {
        uint8_t *image = room->images + (size_t)i * bytes;
        GYRE_TRY(read_image(view, row, key, fitter, image));
        if (key != NULL && gyre_augment_changes_pixels(key->settings)) {
            change(view, key, a, row, image, spare);
        }
    }
    char *target = (char *)room->targets + (size_t)i * gyre_target_values(t) * sizeof(float);
    GYRE_TRY(gyre_targets_read(view->images, row, 1, target));
    if (t->h * t->w > 1 && (a.mirror || a.dy != 0 || a.dx != 0)) {
        /* Outside there is no class (-1), or the value 0. */
        move(t->h, t->w, (size_t)t->c * sizeof(float), t->classes ? 0xff : 0, a, target, spare);
    }
    if (room->augment != NULL) room->augment[i] = a;
    if (room->erase != NULL) room->erase[i] = draw_erase(view, key, row);
    return GYRE_OK;
}

static gyre_status fail_in_row(gyre_status status, int64_t row) {
    char place[32];
    snprintf(place, sizeof place, "row %lld", (long long)row);
    return gyre_fail_in(place, status);
}

gyre_status gyre_gather(const gyre_view *view, const int64_t *rows, int64_t count,
                        const gyre_gather_key *key, gyre_fitter *fitter,
                        const gyre_gather_room *room) {
    void *spare = NULL; /* a picture or a target while it is moved: most batches need none */
    const size_t image = gyre_view_image_bytes(view);
    const size_t target = gyre_target_values(&view->images->target) * sizeof(float);
    const bool maps = view->images->target.h * view->images->target.w > 1;
    if (key != NULL &&
        ((maps && moves(key->settings)) || gyre_augment_changes_pixels(key->settings))) {
        GYRE_TRY(gyre_fitter_spare(fitter, image > target ? image : target, &spare));
    }
    for (int64_t i = 0; i < count; i++) {
        gyre_status status = gather_one(view, rows[i], key, fitter, room, i, spare);
        if (status != GYRE_OK) return fail_in_row(status, rows[i]);
    }
    return GYRE_OK;
}
