/* A file of records as TensorBoard reads them: length, checksum of the length, bytes, checksum of
 * the bytes. Internal to src/runfile. */
#ifndef GYRE_RUNFILE_EVENT_FILE_H
#define GYRE_RUNFILE_EVENT_FILE_H

#include "gyre/status.h"
#include "gyre/wire.h"

/* The checksum of a record: CRC-32C, turned so that a file of records can be in a record. */
uint32_t event_checksum(const void *bytes, size_t size);

/* Adds a record with the bytes of `message`, which is freed. */
void event_record(gyre_wire *records, gyre_wire message);

/* The event files of a folder. Their names say when they were begun, in seconds since 1970, and
 * TensorBoard reads them in that order. */
typedef struct {
    int count;
    long long newest; /* -1: there are none */
} event_files;
gyre_status event_files_find(const char *dir, event_files *out);

/* The path of one; free() it, NULL if out of memory. `maker`: the last part of its name. */
char *event_file_path(const char *dir, long long seconds, const char *maker);

/* Is `bytes` a whole file of records, of which the second is `record`? So a file that was cut or
 * changed, or that another program wrote, is told apart. */
bool event_file_has(const void *bytes, size_t size, const gyre_wire *record);

#endif
