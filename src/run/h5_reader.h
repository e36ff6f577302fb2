/* Reading an HDF5 file that this process has not written itself.
 *
 * A child process (gyre/child.h) opens it, lists what is in it, and reads what is asked for. What
 * comes back is plain: names, 64-bit extents, numbers of fixed types. No call of HDF5 is made here;
 * whatever the file holds, the worst is GYRE_EIO that names it. Nothing is followed into another
 * file. Internal to src/run. */
#ifndef GYRE_RUN_H5_READER_H
#define GYRE_RUN_H5_READER_H

#include "gyre/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
    GYRE_H5_RANK_MAX = 8,     /* an entry of more dimensions has kind GYRE_H5_OTHER */
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
    int rank;    /* 0: a single value */
    uint64_t dims[GYRE_H5_RANK_MAX];
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

/* Elements of a dataset: the product of its extents; SIZE_MAX when that does not fit. */
size_t gyre_h5_count(const gyre_h5_entry *e);
/* "(64, 3, 3, 3)", "(scalar)"; cut at `size`. */
void gyre_h5_shape(const gyre_h5_entry *e, char *out, size_t size);

/* How an element is handed over. */
typedef enum {
    GYRE_H5_F32,
    GYRE_H5_F64,
    GYRE_H5_I32,
    GYRE_H5_I64,
    GYRE_H5_U64,
    GYRE_H5_TEXT, /* `size` bytes, filled with zeros, and not always one at the end */
    GYRE_H5_ROW   /* `size` bytes: columns of eight bytes, the file's very own */
} gyre_h5_format;

typedef struct {
    gyre_h5_format format;
    size_t size; /* of a text or a row */
    int column_count;
    const struct gyre_column {
        const char *name;
        bool integer; /* int64, else double */
    } * columns;
} gyre_h5_type;

/* Reads a whole dataset of `count` elements into `out`; floats, integers and texts are converted.
 * GYRE_EIO: it has another number of elements, another kind, or cannot be read. */
gyre_status gyre_h5_reader_read(gyre_h5_reader *r, const gyre_h5_entry *e, const gyre_h5_type *type,
                                void *out, size_t count);
/* The same for 32-bit floats. */
gyre_status gyre_h5_reader_floats(gyre_h5_reader *r, const gyre_h5_entry *e, float *out,
                                  size_t count);
/* A single value: an attribute of an object. */
gyre_status gyre_h5_reader_attribute(gyre_h5_reader *r, const gyre_h5_entry *e, const char *name,
                                     const gyre_h5_type *type, void *out);

#endif
