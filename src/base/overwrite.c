/* Nothing of the user's is overwritten: a file is known as gyre's by how it begins. */
#include "gyre/overwrite.h"

#include "gyre/file.h"
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static gyre_status foreign(const char *path) {
    return gyre_fail(GYRE_EIO,
                     "'%s' would be overwritten, but gyre did not write it; give another name or "
                     "folder, or move that file away",
                     path);
}

static gyre_status look(const char *path, bool *there, bool *plain) {
    struct stat st;
    *there = lstat(path, &st) == 0;
    *plain = *there && S_ISREG(st.st_mode);
    if (*there || errno == ENOENT) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "cannot open '%s': %s", path, strerror(errno));
}

gyre_status gyre_overwrite_check(const char *path, const char *mark) {
    char found[128] = "";
    size_t size = strlen(mark);
    bool there, plain;
    GYRE_TRY(look(path, &there, &plain));
    if (!there) return GYRE_OK;
    if (!plain) return foreign(path);
    FILE *f = fopen(path, "rb");
    if (f == NULL) return gyre_fail(GYRE_EIO, "cannot open '%s': %s", path, strerror(errno));
    size_t got = fread(found, 1, size, f);
    fclose(f);
    return got == size && memcmp(found, mark, size) == 0 ? GYRE_OK : foreign(path);
}

gyre_status gyre_overwrite_check_figure(const char *path) {
    char *script = NULL;
    bool there, plain;
    GYRE_TRY(look(path, &there, &plain));
    if (!there) return GYRE_OK;
    if (asprintf(&script, "%.*s.gp", (int)(strlen(path) - strlen(".svg")), path) < 0) {
        return gyre_fail(GYRE_EDEVICE, "no memory for a figure");
    }
    bool own = plain && gyre_file_exists(script);
    free(script);
    return own ? GYRE_OK : foreign(path);
}
