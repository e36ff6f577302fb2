/* Nothing of the user's is overwritten: a file is known as gyre's by how it begins. */
#include "gyre/overwrite.h"

#include "gyre/file.h"
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* ---- keeping what is replaced */

static bool same_file(const char *a, const char *b) {
    struct stat x, y;
    return lstat(a, &x) == 0 && lstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* 0, or why not. EEXIST: the name is another file's. */
static int name_also(const char *path, const char *name) {
    struct stat st;
    if (link(path, name) == 0) return 0;
    if (errno == EEXIST) return same_file(path, name) ? 0 : EEXIST; /* of a launch that failed */
    if (errno == ENOENT || errno == ENOSPC || errno == EROFS || errno == EIO) return errno;
    /* no links here */
    if (renameat2(AT_FDCWD, path, AT_FDCWD, name, RENAME_NOREPLACE) == 0) return 0;
    if (errno == EEXIST || (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP)) return errno;
    if (lstat(name, &st) == 0) return EEXIST;
    return rename(path, name) == 0 ? 0 : errno;
}

gyre_status gyre_overwrite_keep(const char *path, const char *word, char **kept) {
    enum { TRIES = 10000 };
    int reason = EEXIST;
    *kept = NULL;
    for (int i = 1; i <= TRIES && reason == EEXIST; i++) {
        char *name = NULL;
        int n = i == 1 ? asprintf(&name, "%s.%s", path, word)
                       : asprintf(&name, "%s.%s-%d", path, word, i);
        if (n < 0) return gyre_fail(GYRE_EDEVICE, "no memory to keep '%s'", path);
        reason = name_also(path, name);
        if (reason == 0)
            *kept = name;
        else
            free(name);
    }
    if (reason == 0) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "cannot keep '%s' as '%s.%s': %s", path, path, word,
                     strerror(reason));
}

gyre_status gyre_overwrite_set_aside(const char *path, const char *word, char **kept) {
    GYRE_TRY(gyre_overwrite_keep(path, word, kept));
    if (unlink(path) == 0 || errno == ENOENT) return GYRE_OK;
    gyre_status status = gyre_fail(GYRE_EIO, "cannot remove '%s': %s", path, strerror(errno));
    free(*kept);
    *kept = NULL;
    return status;
}
