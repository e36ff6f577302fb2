/* PNG through libpng. Errors leave it by longjmp, and never this file.
 *
 * Palettes, gray and 16 bits become 8-bit RGB. What is transparent is laid over white: its pixels
 * may have any colour, which no viewer ever showed. Gamma and colour profiles are not applied. */
#include "decode.h"

#include "gyre/import.h"
#include <png.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    png_structp png;
    png_infop info;
    const uint8_t *bytes;
    size_t size, used;
    uint8_t *pixels; /* one row, or all of an interlaced picture */
    png_bytepp rows;
    bool no_memory;
    gyre_status status;
    jmp_buf leave;
} decoder;

/* ---- what libpng calls */

static PNG_NORETURN void leave(png_structp png, png_const_charp text) {
    decoder *d = png_get_error_ptr(png);
    d->status = d->no_memory ? gyre_no_memory("decoding a PNG picture")
                             : gyre_fail(GYRE_EIO, "is a damaged PNG file: %s", text);
    longjmp(d->leave, 1);
}

/* libpng's warnings are about chunks that are not pixels. */
static void keep_silent(png_structp png, png_const_charp text) {
    (void)png;
    (void)text;
}

static png_voidp take_memory(png_structp png, png_alloc_size_t size) {
    decoder *d = png_get_mem_ptr(png);
    void *block = malloc(size);
    if (block == NULL) d->no_memory = true;
    return block;
}

static void give_memory(png_structp png, png_voidp block) {
    (void)png;
    free(block);
}

static void read_bytes(png_structp png, png_bytep to, size_t size) {
    decoder *d = png_get_io_ptr(png);
    if (size > d->size - d->used) png_error(png, "it is cut short");
    memcpy(to, d->bytes + d->used, size);
    d->used += size;
}

/* ---- orientation */

/* The chunk eXIf may stand before the pixels or behind them, so it is looked for by hand. */
static int orientation_of(const decoder *d) {
    enum { SIGNATURE = 8, FRAME = 12 }; /* length, name, checksum */
    for (size_t at = SIGNATURE; d->size - at >= FRAME;) {
        const uint8_t *chunk = d->bytes + at;
        size_t length = png_get_uint_32(chunk);
        if (length > d->size - at - FRAME) break;
        if (memcmp(chunk + 4, "eXIf", 4) == 0) return data_exif_orientation(chunk + 8, length);
        at += FRAME + length;
    }
    return 1;
}

/* ---- pixels */

static void over_white(uint8_t *row, size_t pixels) {
    for (size_t i = 0; i < pixels; i++) {
        unsigned alpha = row[4 * i + 3];
        for (size_t k = 0; k < 3; k++) {
            unsigned value = row[4 * i + k] * alpha + 255 * (255 - alpha);
            row[3 * i + k] = (uint8_t)((value + 127) / 255);
        }
    }
}

static void read_rows(decoder *d, const data_picture_sink *sink) {
    png_structp png = d->png;
    png_set_expand(png);
    png_set_scale_16(png);
    png_set_gray_to_rgb(png);
    bool held = png_set_interlace_handling(png) > 1;
    png_read_update_info(png, d->info);
    size_t height = png_get_image_height(png, d->info), width = png_get_image_width(png, d->info);
    size_t size = png_get_rowbytes(png, d->info);
    bool alpha = png_get_channels(png, d->info) == 4;
    d->pixels = png_malloc(png, held ? height * size : size);
    if (held) {
        d->rows = png_malloc(png, height * sizeof *d->rows);
        for (size_t y = 0; y < height; y++) d->rows[y] = d->pixels + y * size;
        png_read_image(png, d->rows);
    }
    for (size_t y = 0; y < height; y++) {
        uint8_t *row = d->pixels + (held ? y * size : 0);
        if (!held) png_read_row(png, row, NULL);
        if (alpha) over_white(row, width);
        sink->row(sink->self, row);
    }
    png_read_end(png, NULL);
}

static gyre_status decode(decoder *d, const data_picture_sink *sink) {
    if (setjmp(d->leave) != 0) return d->status;
    d->png = png_create_read_struct_2(PNG_LIBPNG_VER_STRING, d, leave, keep_silent, d, take_memory,
                                      give_memory);
    d->info = d->png == NULL ? NULL : png_create_info_struct(d->png);
    if (d->info == NULL) return gyre_no_memory("decoding a PNG picture");
    png_set_read_fn(d->png, d, read_bytes);
    png_read_info(d->png, d->info);
    uint32_t h = png_get_image_height(d->png, d->info), w = png_get_image_width(d->png, d->info);
    bool held = png_get_interlace_type(d->png, d->info) != PNG_INTERLACE_NONE;
    GYRE_TRY(data_pixels_check(h, w, held));
    GYRE_TRY(sink->begin(sink->self, (int)h, (int)w, orientation_of(d)));
    if (sink->row != NULL) read_rows(d, sink);
    return GYRE_OK;
}

gyre_status data_png_decode(const uint8_t *bytes, size_t size, const data_picture_sink *sink) {
    decoder d = {.bytes = bytes, .size = size};
    gyre_status status = decode(&d, sink);
    free(d.rows);
    free(d.pixels);
    png_destroy_read_struct(&d.png, &d.info, NULL);
    return status;
}

const char *gyre_png_version(void) {
    return PNG_LIBPNG_VER_STRING;
}
