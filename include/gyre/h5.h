/* HDF5 files: reading one that this process has not written itself, and tables of rows.
 *
 * A child process (gyre/child.h) opens a file, lists what is in it, and reads what is asked for.
 * What comes back is plain: names, 64-bit extents, numbers of fixed types. Whatever the file holds,
 * the worst is GYRE_EIO that names it. Nothing is followed into another file. */
#ifndef GYRE_H5_H
#define GYRE_H5_H

#include "gyre/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    GYRE_H5_NDIM_MAX = 8,     /* an entry of more dimensions has kind GYRE_H5_OTHER */
    GYRE_H5_COLUMNS_MAX = 32, /* of a table */
    GYRE_H5_NAME_SIZE = 1024, /* of a path in the file, with its zero */
    GYRE_H5_ENTRIES_MAX = 100000
};

typedef enum {
    GYRE_H5_GROUP,
    GYRE_H5_FLOATS, /* datasets, by what they hold */
    GYRE_H5_INTEGERS,
    GYRE_H5_TEXTS, /* strings of a fixed length */
    GYRE_H5_ROWS,  /* compounds */
    GYRE_H5_LINK,  /* to another file, or data that lies in one */
    GYRE_H5_OTHER, /* anything else, or unreadable */
    GYRE_H5_KINDS
} gyre_h5_kind;

/* One object of the file. */
typedef struct {
    char *name; /* its path, "/parameters/conv1.weight"; one object may have several */
    gyre_h5_kind kind;
    size_t size; /* bytes of an element in the file */
    int ndim;    /* 0: a single value */
    uint64_t dims[GYRE_H5_NDIM_MAX];
    bool packed;     /* compressed */
    bool attributes; /* it has some */
} gyre_h5_entry;

typedef struct gyre_h5_reader gyre_h5_reader;

/* Opens a file and lists it. GYRE_EIO: it is not there, is no HDF5 file, is damaged so that HDF5
 * crashes or does not end, or holds more than GYRE_H5_ENTRIES_MAX objects. `path` is copied. */
gyre_status gyre_h5_reader_open(const char *path, gyre_h5_reader **out);
void gyre_h5_reader_close(gyre_h5_reader *r); /* NULL is fine */

/* All objects, groups included, the root ("/") first; each group before its members, and those in
 * the order in which they were made, where the file has kept it, else by name. */
const gyre_h5_entry *gyre_h5_reader_list(const gyre_h5_reader *r, size_t *count);
/* The object with this path, NULL when there is none. */
const gyre_h5_entry *gyre_h5_reader_find(const gyre_h5_reader *r, const char *name);
const char *gyre_h5_reader_path(const gyre_h5_reader *r);
uint64_t gyre_h5_reader_size(const gyre_h5_reader *r); /* of the file, bytes */

/* "(64, 3, 3, 3)", "(scalar)"; cut at `size`. */
void gyre_h5_shape(const gyre_h5_entry *e, char *out, size_t size);

/* ---- tables: rows are plain structs of eight-byte columns */

typedef struct {
    const char *name;
    bool integer; /* int64, else double */
} gyre_h5_column;

typedef struct {
    const char *name; /* "train" */
    size_t row_size;
    int column_count;
    const gyre_h5_column *columns;
    int key; /* the column that a resume cuts by */
} gyre_h5_layout;

typedef struct {
    const gyre_h5_layout *layout;
    const void *rows;
    size_t count;
} gyre_h5_rows;

/* A file of these tables, written atomically. */
gyre_status gyre_h5_rows_write(const char *path, const gyre_h5_rows *tables, int count);
/* All rows of one table; free() them. GYRE_EIO when it is missing or has other columns. */
gyre_status gyre_h5_rows_read(gyre_h5_reader *r, const gyre_h5_layout *layout, void **rows,
                              size_t *count);

#endif
