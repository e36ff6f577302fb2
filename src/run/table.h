/* One growing compound table of metrics.h5. Rows are plain structs of eight-byte columns; they
 * wait in memory until they are written, so that HDF5 is called seldom. Internal to src/run. */
#ifndef GYRE_RUN_TABLE_H
#define GYRE_RUN_TABLE_H

#include "h5.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const char *name; /* "train" */
    size_t row_size;
    int column_count;
    const struct gyre_column {
        const char *name;
        bool integer; /* int64, else double */
    } * columns;
    int key; /* the column that a resume cuts by */
} gyre_table_kind;

typedef enum { GYRE_TABLE_TRAIN, GYRE_TABLE_VALIDATION, GYRE_TABLE_CYCLES } gyre_table_name;
enum { GYRE_TABLE_COUNT = 3, GYRE_TABLE_CHUNK = 256 };

const gyre_table_kind *gyre_table_kind_of(gyre_table_name name);

typedef struct {
    const gyre_table_kind *kind;
    const char *path; /* of the file, for messages; owned by the caller */
    hid_t type, dataset;
    hsize_t stored; /* rows in the file */
    size_t waiting; /* rows not yet written */
    size_t room;    /* rows that `rows` can hold; grows while the disk takes none */
    char *rows;
} gyre_table;

/* Makes an empty table in `file`. */
gyre_status gyre_table_create(hid_t file, const char *path, const gyre_table_kind *kind);
gyre_status gyre_table_open(hid_t file, const char *path, const gyre_table_kind *kind,
                            gyre_table *out);
void gyre_table_close(gyre_table *t); /* waiting rows are lost: write first */

gyre_status gyre_table_append(gyre_table *t, const void *row); /* only to memory */
gyre_status gyre_table_write(gyre_table *t); /* the waiting rows, which wait on when it fails */
gyre_status gyre_table_read(gyre_table *t, hsize_t first, hsize_t count, void *rows);
/* Drops the rows whose key is greater than `last`; keys never decrease. */
gyre_status gyre_table_cut(gyre_table *t, int64_t last);

#endif
