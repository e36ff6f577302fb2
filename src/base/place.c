/* Finds the files that come with gyre. */
#include "gyre/place.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* From the program's folder: bin/ of an installation; build/cpu/ of the source. */
static const char *const places[] = {"../share/gyre", "../share/doc/gyre", "../.."};

bool gyre_place_find(const char *file, char *out, size_t size) {
    char program[PATH_MAX], path[2 * PATH_MAX], folder[PATH_MAX];
    out[0] = '\0';
    ssize_t length = readlink("/proc/self/exe", program, sizeof program - 1);
    if (length <= 0) return false;
    program[length] = '\0';
    *strrchr(program, '/') = '\0';
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        snprintf(path, sizeof path, "%s/%s", program, places[i]);
        if (realpath(path, folder) == NULL) continue;
        snprintf(path, sizeof path, "%s/%s", folder, file);
        if (access(path, R_OK) != 0 || strlen(folder) >= size) continue;
        memcpy(out, folder, strlen(folder) + 1);
        return true;
    }
    return false;
}
