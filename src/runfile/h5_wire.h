/* What a reader of HDF5 and its child say to each other: structs of fixed size, on one machine and
 * of one program. The child answers the start with a result and one wire_entry for each object (its
 * name behind it), the last of kind GYRE_H5_KINDS; and each request with a result, and pieces of
 * data (a 64-bit length before each; 0: it could not be read, H5_WIRE_NO_MEMORY: the child is out
 * of memory). Internal to src/runfile. */
#ifndef GYRE_RUNFILE_H5_WIRE_H
#define GYRE_RUNFILE_H5_WIRE_H

#include "gyre/child.h"
#include "h5_type.h"

extern const gyre_child_task h5_task;

enum { H5_WIRE_NAME = 64, H5_WIRE_PIECE = 1 << 20 };
/* How a message about a table ends that gyre cannot have written so. */
#define H5_OTHER_WRITER                                                                            \
    "; was it written by another program or another version of gyre? Read it there, or restore "   \
    "it "                                                                                          \
    "from a copy"
#define H5_WIRE_END UINT64_MAX       /* as index: no more requests */
#define H5_WIRE_NO_MEMORY UINT64_MAX /* as length of a piece */

typedef struct {
    int32_t failed, no_memory;
    char why[384]; /* "it has no ..."; of a failure that is none of memory */
} h5_wire_result;

typedef struct {
    int32_t kind, ndim, packed, attributes;
    uint32_t name_length; /* without a zero */
    uint64_t size, dims[GYRE_H5_NDIM_MAX];
} h5_wire_entry;

typedef struct {
    uint64_t index;               /* in the list */
    char attribute[H5_WIRE_NAME]; /* "": the dataset itself */
    int32_t format, column_count;
    uint64_t size, count; /* of an element; elements */
    struct {
        char name[H5_WIRE_NAME];
        int32_t integer;
    } columns[GYRE_H5_COLUMNS_MAX];
} h5_wire_request;

#endif
