/* What init_from and `gyre eval --model` take from a file of weights, name by name. Internal to
 * src/runfile. */
#ifndef GYRE_RUNFILE_IMPORT_FILE_H
#define GYRE_RUNFILE_IMPORT_FILE_H

#include "gyre/state_dict.h"
#include "h5_arrays.h"
#include "weights_file.h"

typedef enum {
    IMPORT_TAKEN,
    IMPORT_ABSENT,     /* the file has no such name */
    IMPORT_OTHER_SHAPE /* and in no order of its axes this one */
} import_fate;

/* One array of the network, and what the file has under its name. */
typedef struct {
    const h5_array *array;      /* name and shape as such a file has them */
    const char *name;           /* of the network's parameter or statistic */
    gyre_state_array state;     /* the order of the file's numbers; rows 0: the network's */
    float *vector;              /* that it lies in */
    bool statistic;             /* of batch norm, else a parameter */
    bool needed;                /* it cannot begin anew */
    const gyre_h5_entry *entry; /* NULL: nothing */
    import_fate fate;
} import_item;

typedef struct {
    weights_file file;
    bool state_dict; /* PyTorch's names, shapes and order of axes */
    const char *path;
    const gyre_model *model;
    bool own; /* a checkpoint, or what was imported: its axes are in gyre's order */
    h5_array *parameters, *statistics;
    import_item *items; /* parameters, then statistics */
    int count;
} import_file;

#endif
