/* What the importers share. Internal to src/data. */
#ifndef GYRE_DATA_IMPORT_H
#define GYRE_DATA_IMPORT_H

#include "gyre/dataset.h"

/* Class names from dir/file, one a line; *names stays NULL when the file is not there. free() it.
 * GYRE_EIO when a line is longer than 63 bytes. */
gyre_status gyre_names_read(const char *dir, const char *file, char (**names)[GYRE_NAME_SIZE],
                            int *count);

/* gyre_output_apart for each of `names` in `dir`; the list ends with NULL. */
gyre_status gyre_output_apart_in(const char *output, const char *dir, const char *const *names);

/* Room for `count` images and labels, as the content's part. free() both pointers. */
gyre_status gyre_part_alloc(int64_t count, int h, int w, int c, gyre_images *part, uint8_t **images,
                            int32_t **labels);

#endif
