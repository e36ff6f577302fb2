/* Several dataset files as one: what a manifest says of them. Internal to src/data. */
#ifndef GYRE_DATA_MANIFEST_H
#define GYRE_DATA_MANIFEST_H

#include "dataset_file.h"
#include "layout.h"
#include <stdbool.h>

enum { DATA_MANIFEST_FILES_MAX = 4096, DATA_MANIFEST_VERSION = 1 };

typedef struct {
    char *path; /* from where the process is */
    uint64_t bytes;
    int64_t rows[DATA_PARTS];
    char checksum[33]; /* the seal's, or 16 digits: gyre_file_hash of a file without one */
} data_manifest_file;

typedef struct {
    uint64_t content; /* data_source_hash of all */
    int count;
    data_manifest_file *files;
} data_manifest;

/* Does the file begin as JSON does? A dataset never does. False also when it cannot be read. */
bool data_manifest_is(const char *path);

/* GYRE_EIO, with line and column or with the key. */
gyre_status data_manifest_read(const char *path, data_manifest *out);
void data_manifest_close(data_manifest *m);

/* The seal's checksum, or that of all bytes of a file without one: 16 digits. GYRE_EIO. */
gyre_status data_manifest_checksum(const data_source *s, char out[33]);

/* The file that was opened is the one that the manifest means; `whole`: also where only reading it
 * all can tell. GYRE_EIO. */
gyre_status data_manifest_check(const char *path, const data_manifest_file *f,
                                const data_source *found, bool whole);

#endif
