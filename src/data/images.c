/* Reading rows: from memory, or from the files that they lie in. Files are read and not mapped: a
 * page that was looked at once stays no part of the process, and a file that is cut short is an
 * error and no signal. */
#include "images.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

gyre_status data_pieces_open(const data_source *sources, int count, int part, bool targets,
                             bool large, struct gyre_pieces **out) {
    struct gyre_pieces *p = calloc(1, sizeof *p + (size_t)count * sizeof *p->list);
    if (p == NULL) return gyre_no_memory("%d dataset files", count);
    p->large = large;
    int64_t first = 0;
    for (int i = 0; i < count; i++) {
        const data_layout_part *from = &sources[i].layout.parts[part];
        if (from->count == 0) continue;
        uint64_t at = targets ? from->targets : from->images;
        p->list[p->count++] = (data_piece){&sources[i], first, at};
        first += from->count;
    }
    *out = p;
    return GYRE_OK;
}

static const data_piece *piece_of(const struct gyre_pieces *p, int64_t row) {
    int low = 0, high = p->count; /* list[low].first <= row < list[high].first */
    while (high - low > 1) {
        int middle = low + (high - low) / 2;
        if (p->list[middle].first <= row)
            low = middle;
        else
            high = middle;
    }
    return &p->list[low];
}

/* Rows of `row` bytes, from the pieces of a part with `total` of them. */
static gyre_status read_rows(const struct gyre_pieces *p, int64_t total, size_t row, int64_t first,
                             int64_t count, uint8_t *out) {
    while (count > 0) {
        const data_piece *piece = piece_of(p, first);
        bool last = piece == &p->list[p->count - 1];
        int64_t here = (last ? total : piece[1].first) - first; /* in the same file */
        if (here > count) here = count;
        uint64_t at = piece->offset + (uint64_t)(first - piece->first) * row;
        GYRE_TRY(data_source_read(piece->source, at, out, (size_t)here * row));
        out += (size_t)here * row;
        first += here;
        count -= here;
    }
    return GYRE_OK;
}

gyre_status gyre_images_read(const gyre_images *p, int64_t first, int64_t count, uint8_t *out) {
    size_t row = gyre_images_row(p);
    if (p->images != NULL) {
        memcpy(out, p->images + (size_t)first * row, (size_t)count * row);
        return GYRE_OK;
    }
    return read_rows(p->pieces, p->count, row, first, count, out);
}

gyre_status gyre_image_read_part(const gyre_images *p, int64_t row, size_t first, size_t bytes,
                                 uint8_t *out) {
    size_t size = gyre_images_row(p);
    if (p->images != NULL) {
        memcpy(out, p->images + (size_t)row * size + first, bytes);
        return GYRE_OK;
    }
    const data_piece *piece = piece_of(p->pieces, row);
    uint64_t at = piece->offset + (uint64_t)(row - piece->first) * size + first;
    return data_source_read(piece->source, at, out, bytes);
}

/* Integers that are no classes become floats in place. */
static void widen(const gyre_images *p, size_t values, void *targets) {
    if (p->target_stored != GYRE_ELEMENT_I32 || gyre_target_has_classes(&p->target)) return;
    char *at = targets;
    for (size_t i = 0; i < values; i++, at += sizeof(float)) {
        float value;
        gyre_element_floats(GYRE_ELEMENT_I32, at, 1, &value);
        memcpy(at, &value, sizeof value);
    }
}

gyre_status gyre_targets_read(const gyre_images *p, int64_t first, int64_t count, void *out) {
    size_t values = gyre_target_values(&p->target), row = values * sizeof(float);
    if (p->labels != NULL) {
        memcpy(out, p->labels + first, (size_t)count * row);
        return GYRE_OK;
    }
    if (p->targets != NULL)
        memcpy(out, p->targets + (size_t)first * row, (size_t)count * row);
    else
        GYRE_TRY(read_rows(p->target_pieces, p->count, row, first, count, out));
    widen(p, (size_t)count * values, out);
    return GYRE_OK;
}

bool gyre_images_large(const gyre_images *p) {
    return p->images == NULL && p->pieces != NULL && p->pieces->large;
}

void gyre_images_expect(const gyre_images *p, int64_t row) {
    const data_piece *piece = piece_of(p->pieces, row);
    size_t bytes = gyre_images_row(p);
    uint64_t at = piece->offset + (uint64_t)(row - piece->first) * bytes;
    posix_fadvise(piece->source->fd, (off_t)at, (off_t)bytes, POSIX_FADV_WILLNEED);
}
