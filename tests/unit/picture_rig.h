/* Picture files for tests, written through libpng and libjpeg. */
#ifndef PICTURE_RIG_H
#define PICTURE_RIG_H

#include "dataset_rig.h"

#include <jpeglib.h>
#include <png.h>

/* Rows of `type` (PNG_COLOR_TYPE_...) and `depth` bits; `palette` of 4 colours for PNG's own kind.
 */
typedef struct {
    int h, w, type, depth;
    bool interlaced;
    int orientation;       /* EXIF; 0: none */
    bool behind;           /* the EXIF block stands behind the pixels */
    const uint8_t *pixels; /* (h, row bytes) */
} png_form;

static inline void exif_block(uint8_t block[26], int orientation, bool big) {
    static const uint8_t little_endian[26] = {'I', 'I',  '*', 0, 8, 0, 0, 0, 1,
                                              0,   0x12, 1,   3, 0, 1, 0, 0, 0};
    static const uint8_t big_endian[26] = {'M', 'M', 0,    '*', 0, 0, 0, 8, 0,
                                           1,   1,   0x12, 0,   3, 0, 0, 0, 1};
    memcpy(block, big ? big_endian : little_endian, 26);
    block[big ? 19 : 18] = (uint8_t)orientation;
}

static inline void write_png(const char *path, const png_form *f) {
    static png_color palette[4] = {{255, 0, 0}, {0, 255, 0}, {0, 0, 255}, {9, 99, 199}};
    uint8_t block[26];
    FILE *file = fopen(path, "wb");
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png), after = png_create_info_struct(png);
    assert_true(file != NULL && info != NULL && after != NULL);
    png_init_io(png, file);
    png_set_IHDR(png, info, (png_uint_32)f->w, (png_uint_32)f->h, f->depth, f->type,
                 f->interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE, 0, 0);
    if (f->type == PNG_COLOR_TYPE_PALETTE) png_set_PLTE(png, info, palette, 4);
    exif_block(block, f->orientation, f->behind);
    if (f->orientation != 0) png_set_eXIf_1(png, f->behind ? after : info, 26, block);
    png_write_info(png, info);
    size_t size = png_get_rowbytes(png, info);
    int passes = png_set_interlace_handling(png);
    for (int pass = 0; pass < passes; pass++) {
        for (int y = 0; y < f->h; y++) png_write_row(png, f->pixels + (size_t)y * size);
    }
    png_write_end(png, after);
    png_destroy_info_struct(png, &after);
    png_destroy_write_struct(&png, &info);
    assert_int_equal(fclose(file), 0);
}

static inline void write_rgb_png(const char *path, int h, int w, const uint8_t *rgb) {
    write_png(path,
              &(png_form){.h = h, .w = w, .type = PNG_COLOR_TYPE_RGB, .depth = 8, .pixels = rgb});
}

/* RGB, or with 4 channels CMYK as it is: with Adobe's marker that libjpeg adds. */
static inline void write_jpeg(const char *path, int h, int w, int channels, bool progressive,
                              const uint8_t *pixels) {
    struct jpeg_compress_struct jpeg;
    struct jpeg_error_mgr errors;
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    jpeg.err = jpeg_std_error(&errors);
    jpeg_create_compress(&jpeg);
    jpeg_stdio_dest(&jpeg, file);
    jpeg.image_width = (JDIMENSION)w;
    jpeg.image_height = (JDIMENSION)h;
    jpeg.input_components = channels;
    jpeg.in_color_space = channels == 4 ? JCS_CMYK : channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, 100, TRUE);
    if (progressive) jpeg_simple_progression(&jpeg);
    jpeg_start_compress(&jpeg, TRUE);
    for (int y = 0; y < h; y++) {
        JSAMPROW row = (JSAMPROW)(uintptr_t)(pixels + (size_t)y * (size_t)(w * channels));
        jpeg_write_scanlines(&jpeg, &row, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    assert_int_equal(fclose(file), 0);
}

static inline int make_scratch(void **state) {
    (void)state;
    return mkdtemp(scratch) == NULL;
}

static inline int drop_scratch(void **state) {
    (void)state;
    return remove_scratch();
}

#endif
