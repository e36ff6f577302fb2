/* A batch in a buffer: the slot, what belongs to its samples, and their images or the lines of
 * their parts, without a gap. On the device the parts' images follow. */
#include "input_layout.h"

#include "gyre/size.h"
#include <string.h>

static size_t align(size_t bytes) {
    return gyre_size_align(bytes, GYRE_ALIGNMENT);
}

static size_t row_bytes(const gyre_image_shape *s, const gyre_batch *batch) {
    return (size_t)s->h * (size_t)s->w * (size_t)s->c * gyre_element_size(batch->element);
}

static size_t line_bytes(const gpu_input *input, const gyre_image_shape *s) {
    return (size_t)input->resizing.w * (size_t)s->c;
}

gpu_layout gpu_layout_of(const gpu_input *input, const gyre_image_shape *s,
                         const gyre_batch *batch) {
    const size_t before = batch->mix.on ? 1 : 0, n = (size_t)batch->count + before;
    const bool parts = batch->crops != NULL;
    gpu_layout l = {.from_kept = batch->images == NULL, .before = before};
    l.stored_bytes = parts ? (size_t)input->resizing.h * line_bytes(input, s) : row_bytes(s, batch);
    l.image_bytes = l.from_kept ? 0 : n * l.stored_bytes;
    l.target_bytes = n * (size_t)batch->target_values * sizeof(int32_t);
    l.rows = align(sizeof *input->current);
    l.targets = l.rows + (l.from_kept ? align(n * sizeof *batch->rows) : 0);
    l.augment = l.targets + align(l.target_bytes);
    l.erase = l.augment + (batch->augment == NULL ? 0 : align(n * sizeof *batch->augment));
    l.crops = l.erase + (batch->erase == NULL ? 0 : align(n * sizeof *batch->erase));
    l.places = l.crops + (parts ? align(n * sizeof *batch->crops) : 0);
    l.images = l.places + (parts ? align(n * sizeof(int64_t)) : 0);
    l.end = l.images + align(l.image_bytes);
    l.resized = l.end;
    l.device_end = l.end + (parts ? align(n * row_bytes(s, batch)) : 0);
    return l;
}

/* A wrong row would be read past the end on the device, where nothing says so. */
static gyre_status check_rows(const gpu_input *input, const gpu_layout *l,
                              const gyre_batch *batch) {
    if (input->kept == NULL || batch->rows == NULL || input->kept_row_bytes != l->stored_bytes) {
        return gyre_fail(GYRE_EDEVICE, "a batch came without images, of which the GPU keeps none "
                                       "of its shape");
    }
    for (int64_t i = batch->mix.on ? -1 : 0; i < batch->count; i++) {
        if (batch->rows[i] < 0 || (size_t)batch->rows[i] >= input->kept_rows) {
            return gyre_fail(GYRE_EDEVICE, "sample %lld is row %lld of %zu kept images",
                             (long long)i, (long long)batch->rows[i], input->kept_rows);
        }
    }
    return GYRE_OK;
}

/* A part outside of its image would be read past the end likewise. */
static gyre_status check_crops(const gpu_input *input, const gyre_image_shape *s,
                               const gyre_batch *batch) {
    const gyre_resizing *r = &input->resizing;
    if (batch->element != GYRE_ELEMENT_U8 || r->size != s->h || r->size != s->w) {
        return gyre_fail(GYRE_EDEVICE, "a batch came with parts of images, of which the GPU has no "
                                       "weights");
    }
    for (int64_t i = batch->mix.on ? -1 : 0; i < batch->count; i++) {
        const gyre_crop *c = &batch->crops[i];
        if (c->y < 0 || c->x < 0 || c->h < 1 || c->w < 1 || c->h > r->h - c->y ||
            c->w > r->w - c->x) {
            return gyre_fail(GYRE_EDEVICE, "the part of sample %lld is outside of its image",
                             (long long)i);
        }
    }
    return GYRE_OK;
}

/* Parts, where their lines begin, and the lines, without a gap; returns the bytes of all. */
static size_t pack_parts(const gpu_input *input, const gpu_input_buffer *p, const gpu_layout *l,
                         const gyre_image_shape *s, const gyre_batch *batch) {
    const size_t n = (size_t)batch->count + l->before, line = line_bytes(input, s);
    const gyre_crop *crops = batch->crops - l->before;
    int64_t *places = (int64_t *)(void *)(p->host + l->places);
    size_t bytes = 0;
    memcpy(p->host + l->crops, crops, n * sizeof *crops);
    for (size_t i = 0; i < n; i++) {
        const size_t part = (size_t)crops[i].h * line;
        if (l->from_kept) {
            const int64_t row = *(batch->rows - l->before + i);
            places[i] = row * (int64_t)l->stored_bytes + crops[i].y * (int64_t)line;
            continue;
        }
        places[i] = (int64_t)bytes;
        memcpy(p->host + l->images + bytes,
               batch->images - l->before * l->stored_bytes + i * l->stored_bytes, part);
        bytes += part;
    }
    return bytes;
}

/* Where the kernels find the images, and their rows there. */
static void find_images(const gpu_input *input, const gpu_input_buffer *p, const gpu_layout *l,
                        const gyre_image_shape *s, const gyre_batch *batch, gpu_input_slot *slot) {
    const bool parts = batch->crops != NULL;
    if (l->from_kept && !parts) {
        slot->images = input->kept;
        slot->rows = (const int64_t *)(void *)(p->device + l->rows) + l->before;
        return;
    }
    slot->images = (const uint8_t *)(p->device + (parts ? l->resized : l->images)) +
                   l->before * row_bytes(s, batch);
}

size_t gpu_layout_pack(const gpu_input *input, const gpu_input_buffer *p, const gpu_layout *l,
                       const gyre_image_shape *s, const gyre_batch *batch) {
    const size_t before = l->before, n = (size_t)batch->count + before;
    const size_t values = (size_t)batch->target_values;
    gpu_input_slot slot = {
        .targets = (const int32_t *)(void *)(p->device + l->targets) + before * values,
        .augment = batch->augment == NULL
                       ? NULL
                       : (const gyre_augment *)(void *)(p->device + l->augment) + before,
        .erase = batch->erase == NULL ? NULL
                                      : (const gyre_erase *)(void *)(p->device + l->erase) + before,
        .mix = batch->mix};
    find_images(input, p, l, s, batch, &slot);
    memcpy(p->host, &slot, sizeof slot);
    memcpy(p->host + l->targets, (const int32_t *)batch->targets - before * values,
           l->target_bytes);
    if (l->from_kept) memcpy(p->host + l->rows, batch->rows - before, n * sizeof *batch->rows);
    if (batch->augment != NULL) {
        memcpy(p->host + l->augment, batch->augment - before, n * sizeof *batch->augment);
    }
    if (batch->erase != NULL) {
        memcpy(p->host + l->erase, batch->erase - before, n * sizeof *batch->erase);
    }
    if (batch->crops != NULL) return l->images + pack_parts(input, p, l, s, batch);
    if (!l->from_kept) {
        memcpy(p->host + l->images, batch->images - before * l->stored_bytes, l->image_bytes);
    }
    return l->end;
}

gyre_status gpu_layout_check(const gpu_input *input, const gpu_layout *l, const gyre_image_shape *s,
                             const gyre_batch *batch) {
    if (batch->crops != NULL) GYRE_TRY(check_crops(input, s, batch));
    return l->from_kept ? check_rows(input, l, batch) : GYRE_OK;
}

gpu_parts gpu_layout_parts(const gpu_input *input, const gpu_input_buffer *p, const gpu_layout *l,
                           const gyre_image_shape *s) {
    return (gpu_parts){.source =
                           l->from_kept ? input->kept : (const uint8_t *)(p->device + l->images),
                       .places = (const int64_t *)(void *)(p->device + l->places),
                       .crops = (const gyre_crop *)(void *)(p->device + l->crops),
                       .sides = input->resizing.sides,
                       .words = input->resizing.words,
                       .line = line_bytes(input, s)};
}
