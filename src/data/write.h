/* Writing a dataset file row by row, so that its images need never be in memory together: HDF5 lays
 * the file out, rows are written to their places from any thread in any order. Internal to
 * src/data. */
#ifndef GYRE_DATA_WRITE_H
#define GYRE_DATA_WRITE_H

#include "gyre/dataset.h"
#include "layout.h"

/* GYRE_EIO when `path` is taken (a regular file may be replaced with `force`), or its folder is
 * missing or not writable. Importers ask before long work. */
gyre_status gyre_output_check(const char *path, bool force);

/* GYRE_EUSAGE when `path` is the file `input`, by whatever name: to write it would destroy what is
 * to be read. Files that are not there are no one's. */
gyre_status gyre_output_apart(const char *path, const char *input);

typedef struct {
    int64_t counts[GYRE_PARTS]; /* rows; 0: no such part */
    int h, w, c, classes;
    char (*names)[GYRE_NAME_SIZE]; /* of the classes; NULL: their numbers */
} gyre_rows_shape;

typedef struct gyre_rows gyre_rows;

/* A temporary file beside `path` with room for all rows. `shape->names` must stay until the end. */
gyre_status gyre_rows_open(const char *path, bool force, const gyre_rows_shape *shape,
                           gyre_rows **out);

/* Rows first..first+count-1 of a part. Any thread, any order, each row once. GYRE_EIO. */
gyre_status gyre_rows_put(const gyre_rows *r, int part, int64_t first, int64_t count,
                          const uint8_t *images);

/* Writes the labels, seals the file and puts it at `path`. A row with label GYRE_NO_ROW was not
 * put: it is left out, at the price of copying the others. Errors: GYRE_EIO. */
enum { GYRE_NO_ROW = -1 };
gyre_status gyre_rows_finish(gyre_rows *r, const int32_t *const labels[GYRE_PARTS]);

/* Removes the temporary file unless it was finished. */
void gyre_rows_close(gyre_rows *r);

#endif
