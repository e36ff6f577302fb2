/* One growing compound table of metrics.h5. Rows are plain structs of eight-byte columns; all of
 * them are also kept in memory (72 bytes a step), so that HDF5 is called seldom and a file that a
 * failing disk has spoilt can be made anew. Internal to src/run. */
#ifndef GYRE_RUN_TABLE_H
#define GYRE_RUN_TABLE_H

#include "h5.h"
#include "h5_reader.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct {
    const char *name; /* "train" */
    size_t row_size;
    int column_count;
    const struct gyre_column *columns;
    int key; /* the column that a resume cuts by */
} gyre_table_kind;

typedef enum { GYRE_TABLE_TRAIN, GYRE_TABLE_VALIDATION, GYRE_TABLE_CYCLES } gyre_table_name;
enum { GYRE_TABLE_COUNT = 3 };

const gyre_table_kind *gyre_table_kind_of(gyre_table_name name);

typedef struct {
    const gyre_table_kind *kind;
    const char *path; /* of the file, for messages; owned by the caller */
    hid_t type, dataset;
    size_t count;  /* rows */
    size_t stored; /* of them in the file */
    size_t slots;  /* rows that the chunks in the file can hold */
    size_t room;   /* rows that `rows` can hold */
    char *rows;
} gyre_table;

/* Makes an empty table in `file`. */
gyre_status gyre_table_create(hid_t file, const char *path, const gyre_table_kind *kind);
/* The same, with a chunk that holds `rows` rows and as many again: it is in the file from the first
 * row on. */
gyre_status gyre_table_create_for(hid_t file, const char *path, const gyre_table_kind *kind,
                                  size_t rows);
/* A table without rows, in no file yet. */
gyre_status gyre_table_begin(const char *path, const gyre_table_kind *kind, gyre_table *out);
/* The same with the rows of a file that this process has not written (h5_reader.h), in no file of
 * its own yet: what is damaged in theirs is not written to. `r` may be closed afterwards; `path` is
 * the caller's. */
gyre_status gyre_table_read(gyre_h5_reader *r, const char *path, const gyre_table_kind *kind,
                            gyre_table *out);
void gyre_table_close(gyre_table *t); /* rows not stored are lost: write first */

/* The same rows with a file that has the table, with `stored` of them. This process has made it:
 * HDF5 opens it here. */
gyre_status gyre_table_attach(gyre_table *t, hid_t file, size_t stored);
void gyre_table_detach(gyre_table *t);

gyre_status gyre_table_append(gyre_table *t, const void *row); /* only to memory */
gyre_status gyre_table_write(gyre_table *t);                   /* the rows not yet stored */
bool gyre_table_fits(const gyre_table *t);                     /* writing them takes no new chunk */
/* The first rows, whose keys grow and are not greater than `last`. (After a power cut the file may
 * have more rows than reached the disk: zeros.) */
size_t gyre_table_find(const gyre_table *t, int64_t last);

#endif
