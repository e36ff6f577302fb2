/* What a dataset file that is about to be written will hold, and its making. Internal to src/data.
 */
#ifndef GYRE_DATA_NEW_FILE_H
#define GYRE_DATA_NEW_FILE_H

#include "gyre/dataset.h"
#include "layout.h"

typedef struct {
    int64_t counts[DATA_PARTS]; /* rows; 0: no such part */
    int h, w, c, classes;
    gyre_element element;
    gyre_target target;
    gyre_element target_stored;    /* of targets that are no labels: GYRE_ELEMENT_I32 or F32 */
    char (*names)[GYRE_NAME_SIZE]; /* of the classes; NULL: their numbers */
} data_rows_shape;

/* The HDF5 file, whose arrays have their places but no content yet; the names are in it. Bytes of
 * one to four channels are called images, all else arrays. GYRE_EIO. */
gyre_status data_file_make(const char *path, const data_rows_shape *shape);

#endif
