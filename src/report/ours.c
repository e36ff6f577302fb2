/* Nothing of the user's is overwritten: a file is known as ours by how it begins. */
#include "ours.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

gyre_status gyre_ours_check(const char *path, const char *mark) {
    char found[64] = "";
    size_t size = strlen(mark);
    FILE *f = fopen(path, "rb");
    if (f == NULL && errno == ENOENT) return GYRE_OK;
    if (f == NULL) return gyre_fail(GYRE_EIO, "cannot open '%s': %s", path, strerror(errno));
    size_t got = fread(found, 1, size, f);
    fclose(f);
    if (got == size && memcmp(found, mark, size) == 0) return GYRE_OK;
    return gyre_fail(GYRE_EIO,
                     "'%s' would be overwritten, but gyre did not write it; give another name or "
                     "folder, or move that file away",
                     path);
}
