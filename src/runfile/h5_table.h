/* One growing compound table, as in metrics.h5. Rows are plain structs of eight-byte columns; all
 * of them are also kept in memory (72 bytes a step), so that HDF5 is called seldom and a file that
 * a failing disk has spoilt can be made anew. Internal to src/runfile. */
#ifndef GYRE_RUNFILE_H5_TABLE_H
#define GYRE_RUNFILE_H5_TABLE_H

#include "gyre/h5.h"
#include <hdf5.h>

typedef struct {
    const gyre_h5_layout *layout;
    const char *path; /* of the file, for messages; owned by the caller */
    hid_t type, dataset;
    size_t count;  /* rows */
    size_t stored; /* of them in the file */
    size_t slots;  /* rows that the chunks in the file can hold */
    size_t room;   /* rows that `rows` can hold */
    char *rows;
} h5_table;

/* Makes an empty table in `file`. */
gyre_status h5_table_create(hid_t file, const char *path, const gyre_h5_layout *layout);
/* The same, with a chunk that holds `rows` rows and as many again: it is in the file from the first
 * row on. */
gyre_status h5_table_create_for(hid_t file, const char *path, const gyre_h5_layout *layout,
                                size_t rows);
/* A table without rows, in no file yet. */
gyre_status h5_table_begin(const char *path, const gyre_h5_layout *layout, h5_table *out);
/* The same with the rows of a file that this process has not written (h5_reader.h), in no file of
 * its own yet: what is damaged in theirs is not written to. `r` may be closed afterwards; `path` is
 * the caller's. */
gyre_status h5_table_read(gyre_h5_reader *r, const char *path, const gyre_h5_layout *layout,
                          h5_table *out);
void h5_table_close(h5_table *t); /* rows not stored are lost: write first */

/* The same rows with a file that has the table, with `stored` of them. This process has made it:
 * HDF5 opens it here. */
gyre_status h5_table_attach(h5_table *t, hid_t file, size_t stored);
void h5_table_detach(h5_table *t);

gyre_status h5_table_append(h5_table *t, const void *row); /* only to memory */
gyre_status h5_table_write(h5_table *t);                   /* the rows not yet stored */
bool h5_table_fits(const h5_table *t);                     /* writing them takes no new chunk */
/* The first rows, whose keys grow and are not greater than `last`. (After a power cut the file may
 * have more rows than reached the disk: zeros.) */
size_t h5_table_find(const h5_table *t, int64_t last);

#endif
