/* A picture file as one image of a dataset: decoded by what it holds, not by its name, resized, and
 * turned the way that EXIF tells. Internal to src/data. */
#ifndef GYRE_DATA_PICTURE_H
#define GYRE_DATA_PICTURE_H

#include "gyre/import.h"

typedef struct {
    int h, w, c; /* of the image; c is 3 or 1 */
    gyre_fit fit;
    bool exact; /* pictures of another size are refused, with GYRE_EUSAGE */
} data_picture_form;

/* (h, w, c) bytes. The message of a failure does not name the file. GYRE_EIO: it is no picture, or
 * not a whole one. */
gyre_status data_picture_read(const char *path, const data_picture_form *form, uint8_t *out);

/* Its height and width, turned, as its header tells. GYRE_EIO. */
gyre_status data_picture_size(const char *path, int *h, int *w);

#endif
