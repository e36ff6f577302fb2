/* Writing a dataset file row by row, so that its images need never be in memory together: HDF5 lays
 * the file out, rows are written to their places from any thread in any order. Internal to
 * src/data. */
#ifndef GYRE_DATA_WRITE_H
#define GYRE_DATA_WRITE_H

#include "gyre/dataset.h"
#include "new_file.h"

/* GYRE_EIO when `path` is taken (a regular file may be replaced with `force`), or its folder is
 * missing or not writable. Importers ask before long work. */
gyre_status data_output_check(const char *path, bool force);

/* GYRE_EUSAGE when `path` is the file `input`, by whatever name: to write it would destroy what is
 * to be read. Files that are not there are no one's. */
gyre_status data_output_apart(const char *path, const char *input);

typedef struct data_rows data_rows;

/* A temporary file beside `path` with room for all rows. `shape->names` must stay until the end. */
gyre_status data_rows_open(const char *path, bool force, const data_rows_shape *shape,
                           data_rows **out);

/* Rows first..first+count-1 of a part. Any thread, any order, each row once. GYRE_EIO. */
gyre_status data_rows_put(const data_rows *r, int part, int64_t first, int64_t count,
                          const uint8_t *images);

/* Their targets, where these are no labels. */
gyre_status data_rows_put_targets(const data_rows *r, int part, int64_t first, int64_t count,
                                  const uint8_t *targets);

/* Writes the labels (NULL: targets have been put), seals the file and puts it at `path`. A row with
 * label DATA_NO_ROW was not put: it is left out, at the price of copying the others. Errors:
 * GYRE_EIO. */
enum { DATA_NO_ROW = -1 };
gyre_status data_rows_finish(data_rows *r, const int32_t *const labels[DATA_PARTS]);

/* Removes the temporary file unless it was finished. */
void data_rows_close(data_rows *r);

#endif
