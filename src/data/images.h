/* Where the rows of a part lie when they are in files. Internal to src/data. */
#ifndef GYRE_DATA_IMAGES_H
#define GYRE_DATA_IMAGES_H

#include "dataset_file.h"
#include "gyre/dataset.h"

typedef struct {
    const data_source *source;
    int64_t first;   /* row of the part; the next piece begins behind its last */
    uint64_t offset; /* of that row in the file */
} data_piece;

struct gyre_pieces {
    int count;
    bool large; /* more than memory is likely to keep: reads are announced */
    data_piece list[];
};

/* The samples, or the targets, of part `part` of all files, one file's rows behind the other's.
 * GYRE_EDEVICE. */
gyre_status data_pieces_open(const data_source *sources, int count, int part, bool targets,
                             bool large, struct gyre_pieces **out);

#endif
