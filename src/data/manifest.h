/* Several dataset files as one: what a manifest says of them. Internal to src/data. */
#ifndef GYRE_DATA_MANIFEST_H
#define GYRE_DATA_MANIFEST_H

#include "layout.h"
#include "source.h"
#include <stdbool.h>

typedef struct {
    char *path; /* from where the process is */
    uint64_t bytes;
    int64_t rows[GYRE_PARTS];
    char checksum[33]; /* the seal's, or 16 digits: gyre_file_hash of a file without one */
} gyre_manifest_file;

typedef struct {
    uint64_t content; /* gyre_source_hash of all */
    int count;
    gyre_manifest_file *files;
} gyre_manifest;

/* Does the file begin as JSON does? A dataset never does. False also when it cannot be read. */
bool gyre_manifest_is(const char *path);

/* GYRE_EIO, with line and column or with the key. */
gyre_status gyre_manifest_read(const char *path, gyre_manifest *out);
void gyre_manifest_close(gyre_manifest *m);

/* The file that was opened is the one that the manifest means; `whole`: also where only reading it
 * all can tell. GYRE_EIO. */
gyre_status gyre_manifest_check(const char *path, const gyre_manifest_file *f,
                                const gyre_source *found, bool whole);

#endif
