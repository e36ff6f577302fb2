/* One dataset file, open for reading, and what may be known of it without reading it all. Internal
 * to src/data. */
#ifndef GYRE_DATA_DATASET_FILE_H
#define GYRE_DATA_DATASET_FILE_H

#include "gyre/seal.h"
#include "layout.h"
#include <stddef.h>

typedef struct {
    char *path;
    int fd;
    uint64_t size;
    gyre_seal_info seal; /* what the file says of itself */
    data_layout layout;
} data_source;

/* Finds the layout and checks it against the file's length. `whole`: the seal's checksum, too, is
 * held against every byte. Errors: GYRE_EIO. */
gyre_status data_source_open(const char *path, bool whole, data_source *out);
void data_source_close(data_source *s); /* also one that is all zero */

/* Bytes from `offset` on. GYRE_EIO: the file ends before, or cannot be read. Any thread. */
gyre_status data_source_read(const data_source *s, uint64_t offset, void *out, size_t size);

/* The hash of the parts' shapes, images and labels, taken over all files as if they were one; it
 * depends neither on names nor on where things lie. Reads every byte of them. */
gyre_status data_source_hash(const data_source *sources, int count, uint64_t *out);

#endif
