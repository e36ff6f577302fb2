/* PNG through libpng's interface for whole images, which reports errors by return. */
#include "encode.h"

#include <png.h>
#include <stdlib.h>

gyre_status png_encode(const uint8_t *rgb, size_t width, size_t height, char **png, size_t *size) {
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = (png_uint_32)width,
                       .height = (png_uint_32)height,
                       .format = PNG_FORMAT_RGB};
    png_alloc_size_t bytes = PNG_IMAGE_PNG_SIZE_MAX(image);
    *png = malloc(bytes);
    if (*png == NULL) return gyre_no_memory("a picture of %zu x %zu pixels", height, width);
    if (png_image_write_to_memory(&image, *png, &bytes, 0, rgb, 0, NULL)) {
        *size = bytes;
        return GYRE_OK;
    }
    free(*png);
    *png = NULL;
    return gyre_fail(GYRE_EDEVICE, "libpng makes no picture of %zu x %zu pixels: %s", height, width,
                     image.message);
}
