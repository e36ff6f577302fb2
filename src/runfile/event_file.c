/* Files of records for TensorBoard; see event_file.h. */
#include "event_file.h"

#include "gyre/crc32c.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PREFIX "events.out.tfevents."

enum { HEAD = 12, TAIL = 4 }; /* bytes of a record around its content */

uint32_t event_checksum(const void *bytes, size_t size) {
    uint32_t crc = gyre_crc32c(bytes, size);
    return (crc >> 15 | crc << 17) + 0xa282ead8;
}

void event_record(gyre_wire *records, gyre_wire message) {
    size_t begin = records->size;
    gyre_wire_fixed64(records, message.size);
    if (!records->failed) gyre_wire_fixed32(records, event_checksum(records->bytes + begin, 8));
    gyre_wire_raw(records, message.bytes, message.size);
    gyre_wire_fixed32(records, event_checksum(message.bytes, message.size));
    records->failed = records->failed || message.failed;
    if (records->failed) records->size = begin; /* whole records alone */
    free(message.bytes);
}

static uint64_t number_at(const unsigned char *bytes, int size) {
    uint64_t value = 0;
    for (int i = size - 1; i >= 0; i--) value = value << 8 | bytes[i];
    return value;
}

/* Bytes of the record at `bytes`; 0: there is no whole one. */
static size_t record_size(const unsigned char *bytes, size_t size) {
    if (size < HEAD + TAIL || number_at(bytes + 8, 4) != event_checksum(bytes, 8)) return 0;
    uint64_t length = number_at(bytes, 8);
    if (length > size - HEAD - TAIL) return 0;
    bool right = number_at(bytes + HEAD + length, 4) == event_checksum(bytes + HEAD, length);
    return right ? HEAD + length + TAIL : 0;
}

bool event_file_has(const void *bytes, size_t size, const gyre_wire *record) {
    const unsigned char *at = bytes;
    bool found = false;
    for (int i = 0; size > 0; i++) {
        size_t length = record_size(at, size);
        if (length == 0) return false;
        found =
            found || (i == 1 && length == record->size && memcmp(at, record->bytes, length) == 0);
        at += length;
        size -= length;
    }
    return found;
}

/* The seconds in a file's name; -1: it is no event file. */
static long long time_of(const char *name) {
    long long seconds = -1;
    int end = 0;
    if (strncmp(name, PREFIX, strlen(PREFIX)) != 0) return -1;
    name += strlen(PREFIX);
    return sscanf(name, "%10lld%n", &seconds, &end) == 1 && name[end] == '.' ? seconds : 0;
}

gyre_status event_files_find(const char *dir, event_files *out) {
    *out = (event_files){.newest = -1};
    DIR *d = opendir(dir);
    if (d == NULL && errno == ENOMEM) return gyre_no_memory("reading '%s'", dir);
    if (d == NULL) return gyre_fail(GYRE_EIO, "cannot read '%s': %s", dir, strerror(errno));
    for (const struct dirent *e; (e = readdir(d)) != NULL;) {
        long long seconds = time_of(e->d_name);
        if (seconds >= 0) out->count++;
        if (seconds > out->newest) out->newest = seconds;
    }
    closedir(d);
    return GYRE_OK;
}

char *event_file_path(const char *dir, long long seconds, const char *maker) {
    char *path = NULL;
    return asprintf(&path, "%s/" PREFIX "%010lld.%s", dir, seconds, maker) < 0 ? NULL : path;
}
