/* Nothing of the user's is overwritten: a file is known as ours by how it begins. */
#include "ours.h"

#include "gyre/file.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static gyre_status foreign(const char *path) {
    return gyre_fail(GYRE_EIO,
                     "'%s' would be overwritten, but gyre did not write it; give another name or "
                     "folder, or move that file away",
                     path);
}

gyre_status gyre_ours_check(const char *path, const char *mark) {
    char found[64] = "";
    size_t size = strlen(mark);
    FILE *f = fopen(path, "rb");
    if (f == NULL && errno == ENOENT) return GYRE_OK;
    if (f == NULL) return gyre_fail(GYRE_EIO, "cannot open '%s': %s", path, strerror(errno));
    size_t got = fread(found, 1, size, f);
    fclose(f);
    if (got == size && memcmp(found, mark, size) == 0) return GYRE_OK;
    return foreign(path);
}

gyre_status gyre_ours_check_figure(const char *path) {
    char *script = NULL;
    if (asprintf(&script, "%.*s.gp", (int)(strlen(path) - strlen(".svg")), path) < 0) {
        return gyre_fail(GYRE_EDEVICE, "no memory for a figure");
    }
    bool ours = gyre_file_exists(script) || !gyre_file_exists(path);
    free(script);
    return ours ? GYRE_OK : foreign(path);
}
