/* An image as a PNG file. Internal to src/sampling. */
#ifndef GYRE_SAMPLING_ENCODE_H
#define GYRE_SAMPLING_ENCODE_H

#include "gyre/status.h"
#include <stddef.h>
#include <stdint.h>

/* The file's bytes for rgb(height, width, 3); free() them. */
gyre_status png_encode(const uint8_t *rgb, size_t width, size_t height, char **png, size_t *size);

#endif
