/* For tests of configs: opens a config given as text, through a file of its own. */
#ifndef CONFIG_TEXT_H
#define CONFIG_TEXT_H

#include "gyre/config.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

typedef struct {
    char path[40];
} config_file;

static inline int config_file_make(config_file *f) {
    snprintf(f->path, sizeof f->path, "/tmp/gyre-config-XXXXXX");
    int fd = mkstemp(f->path);
    return fd < 0 ? 1 : close(fd);
}

static inline gyre_status config_open_bytes(const config_file *f, const char *text, size_t size,
                                            char *set, gyre_settings **out) {
    FILE *to = fopen(f->path, "wb");
    if (to == NULL || fwrite(text, 1, size, to) != size || fclose(to) != 0) abort();
    *out = NULL;
    return gyre_config_open(f->path, &set, set == NULL ? 0 : 1, out);
}

static inline uint64_t config_hash(const gyre_settings *settings) {
    uint64_t hash = 0;
    if (gyre_config_hash(settings, &hash) != GYRE_OK) abort();
    return hash;
}

#endif
