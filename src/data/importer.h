/* What the importers share. Internal to src/data. */
#ifndef GYRE_DATA_IMPORTER_H
#define GYRE_DATA_IMPORTER_H

#include "gyre/dataset.h"
#include <dirent.h>

/* A regular file, or a link to one. */
bool data_is_file(const char *path);

/* For scandir: an order that no locale changes. */
int data_entries_by_bytes(const struct dirent **a, const struct dirent **b);

/* Class names from dir/file, one a line, bytes that are not UTF-8 as \xHH; *names stays NULL when
 * there is no such file. free() it. GYRE_EIO, naming the line: a name that is empty, has more than
 * 63 bytes, or comes twice. */
gyre_status data_names_read(const char *dir, const char *file, char (**names)[GYRE_NAME_SIZE],
                            int *count);

/* data_output_apart for each of `names` in `dir`; the list ends with NULL. */
gyre_status data_output_apart_in(const char *output, const char *dir, const char *const *names);

/* Room for `count` images and labels, as the content's part. free() both pointers. */
gyre_status data_part_alloc(int64_t count, int h, int w, int c, gyre_images *part, uint8_t **images,
                            int32_t **labels);

#endif
