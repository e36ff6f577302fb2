/* JPEG through libjpeg-turbo. Its slow integer DCT and its upsampling give the same bits with and
 * without SIMD. Errors leave it by longjmp, and never this file.
 *
 * Of several pictures in a file (MPO, and thumbnails) the first one counts: the rest stands behind
 * its end, or in markers. Four components are Adobe's, inverted, as Pillow and browsers take them.
 */
#include "decode.h"

#include "gyre/import.h"
#include "gyre/text.h"
#include <setjmp.h>
#include <stdio.h> /* which jpeglib.h needs, and does not include */
#include <string.h>

#include <jerror.h>
#include <jpeglib.h>

typedef struct {
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    struct jpeg_progress_mgr progress;
    jmp_buf leave;
    gyre_status status;
} decoder;

static decoder *decoder_of(j_common_ptr jpeg) {
    return jpeg->client_data;
}

static void leave(j_common_ptr jpeg) {
    char text[JMSG_LENGTH_MAX];
    decoder *d = decoder_of(jpeg);
    bool memory = jpeg->err->msg_code == JERR_OUT_OF_MEMORY;
    jpeg->err->format_message(jpeg, text);
    d->status =
        memory ? gyre_no_memory("decoding a JPEG picture")
               : gyre_fail(GYRE_EIO, "is a damaged JPEG file, or one of a rare kind: %s", text);
    longjmp(d->leave, 1);
}

/* Cameras leave bytes between markers, and headers that are not by the book; anything else that the
 * library would only warn of means that pixels were made up. */
static void warn(j_common_ptr jpeg, int level) {
    if (level >= 0) return;
    switch (jpeg->err->msg_code) {
    case JWRN_EXTRANEOUS_DATA:
    case JWRN_ADOBE_XFORM:
    case JWRN_JFIF_MAJOR: return;
    default: leave(jpeg);
    }
}

static void keep_silent(j_common_ptr jpeg) {
    (void)jpeg;
}

/* A progressive file of a few kilobytes can hold thousands of scans of a large picture. */
static void limit_scans(j_common_ptr jpeg) {
    enum { SCANS = 200 };
    decoder *d = decoder_of(jpeg);
    if (d->jpeg.input_scan_number <= SCANS) return;
    d->status = gyre_fail(GYRE_EIO, "has more than %d scans, which no camera makes", SCANS);
    longjmp(d->leave, 1);
}

static int orientation_of(const decoder *d) {
    static const char name[6] = "Exif\0";
    for (jpeg_saved_marker_ptr m = d->jpeg.marker_list; m != NULL; m = m->next) {
        if (m->data_length < sizeof name || memcmp(m->data, name, sizeof name) != 0) continue;
        return data_exif_orientation(m->data + sizeof name, m->data_length - sizeof name);
    }
    return 1;
}

static void from_inverted_cmyk(const JSAMPLE *cmyk, uint8_t *rgb, size_t pixels) {
    for (size_t i = 0; i < pixels; i++) {
        for (size_t k = 0; k < 3; k++) {
            rgb[3 * i + k] = (uint8_t)((cmyk[4 * i + k] * cmyk[4 * i + 3] + 127) / 255);
        }
    }
}

static void read_rows(decoder *d, const data_picture_sink *sink) {
    j_decompress_ptr jpeg = &d->jpeg;
    j_common_ptr common = (j_common_ptr)jpeg;
    bool cmyk = jpeg->num_components == 4;
    jpeg->out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
    jpeg->dct_method = JDCT_ISLOW;
    jpeg_start_decompress(jpeg);
    size_t width = jpeg->output_width;
    JSAMPROW row = jpeg->mem->alloc_large(common, JPOOL_IMAGE, width * 4);
    uint8_t *rgb = cmyk ? jpeg->mem->alloc_large(common, JPOOL_IMAGE, width * 3) : row;
    while (jpeg->output_scanline < jpeg->output_height) {
        jpeg_read_scanlines(jpeg, &row, 1);
        if (cmyk) from_inverted_cmyk(row, rgb, width);
        sink->row(sink->self, rgb);
    }
    jpeg_finish_decompress(jpeg);
}

static gyre_status decode(decoder *d, const uint8_t *bytes, size_t size,
                          const data_picture_sink *sink) {
    j_decompress_ptr jpeg = &d->jpeg;
    if (setjmp(d->leave) != 0) return d->status;
    jpeg_create_decompress(jpeg);
    jpeg->client_data = d;
    jpeg->progress = &d->progress;
    jpeg_save_markers(jpeg, JPEG_APP0 + 1, 0xffff);
    jpeg_mem_src(jpeg, bytes, size);
    jpeg_read_header(jpeg, TRUE);
    bool held = jpeg_has_multiple_scans(jpeg);
    GYRE_TRY(data_pixels_check(jpeg->image_height, jpeg->image_width, held));
    GYRE_TRY(sink->begin(sink->self, (int)jpeg->image_height, (int)jpeg->image_width,
                         orientation_of(d)));
    if (sink->row != NULL) read_rows(d, sink);
    return GYRE_OK;
}

gyre_status data_jpeg_decode(const uint8_t *bytes, size_t size, const data_picture_sink *sink) {
    decoder d;
    memset(&d, 0, sizeof d);
    d.jpeg.err = jpeg_std_error(&d.errors);
    d.jpeg.client_data = &d;
    d.errors.error_exit = leave;
    d.errors.emit_message = warn;
    d.errors.output_message = keep_silent;
    d.progress.progress_monitor = limit_scans;
    gyre_status status = decode(&d, bytes, size, sink);
    jpeg_destroy_decompress(&d.jpeg);
    return status;
}

const char *gyre_jpeg_version(void) {
    return GYRE_STRING(LIBJPEG_TURBO_VERSION);
}
