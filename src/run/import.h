/* What init_from and `gyre eval --model` take from a file of weights, name by name. Internal to
 * src/run. */
#ifndef GYRE_RUN_IMPORT_H
#define GYRE_RUN_IMPORT_H

#include "h5_reader.h"
#include "vector.h"

typedef enum {
    IMPORT_TAKEN,
    IMPORT_ABSENT,     /* the file has no such name */
    IMPORT_OTHER_SHAPE /* and in no order of its axes this one */
} import_fate;

/* One array of the network, and what the file has under its name. */
typedef struct {
    const gyre_array *array;
    float *vector;              /* that it lies in */
    bool statistic;             /* of batch norm, else a parameter */
    const gyre_h5_entry *entry; /* NULL: nothing */
    import_fate fate;
} import_item;

typedef struct {
    gyre_h5_reader *reader;
    const char *path;
    const gyre_model *model;
    bool own; /* a checkpoint of gyre */
    gyre_array *parameters, *statistics;
    import_item *items; /* parameters, then statistics */
    int count;
} import_file;

/* "(64, 3, 3, 3)" */
void import_shape(const gyre_array *a, char *out, size_t size);

/* Arrays whose axes have another order than the network's: GYRE_EIO that names the order which fits
 * most of them. Where the shape of an array fits as it is and in another order too, the others
 * tell. */
gyre_status import_check_axes(const import_file *f);
/* A line where no shape of the file tells. */
void import_say_axes(const import_file *f);

/* GYRE_EIO naming what is missing of what must be there. */
gyre_status import_check_needs(const import_file *f, unsigned needs);
/* How much was taken, and what was not: one text. */
void import_summary(const import_file *f, char *out, size_t size);
/* What was taken, what was not, and what the file holds besides: lines for a person. */
void import_say(const import_file *f);

#endif
