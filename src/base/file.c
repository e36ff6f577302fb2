/* Whole-file reads, atomic writes, folders. */
#include "gyre/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

gyre_status gyre_file_read(const char *path, size_t max, char **out, size_t *size) {
    gyre_status status = GYRE_OK;
    char *text = NULL;
    size_t used = 0, room = 0;
    FILE *f = fopen(path, "rb");
    if (f == NULL) return gyre_fail(GYRE_EIO, "cannot open '%s': %s", path, strerror(errno));
    for (;;) {
        if (used + 1 >= room) {
            room = room == 0 ? 4096 : room * 2;
            char *more = realloc(text, room);
            if (more == NULL) {
                status = gyre_fail(GYRE_EDEVICE, "no memory to read '%s'", path);
                goto out;
            }
            text = more;
        }
        size_t got = fread(text + used, 1, room - 1 - used, f);
        used += got;
        if (used > max) {
            status = gyre_fail(GYRE_EIO, "'%s' is larger than the %zu bytes expected", path, max);
            goto out;
        }
        if (got == 0) break;
    }
    if (ferror(f)) {
        status = gyre_fail(GYRE_EIO, "cannot read '%s': %s", path, strerror(errno));
        goto out;
    }
    text[used] = '\0';
    *out = text;
    *size = used;
    text = NULL;
out:
    free(text);
    fclose(f);
    return status;
}

gyre_status gyre_file_hash(const char *path, uint64_t *out) {
    gyre_status status = GYRE_OK;
    char piece[1 << 14];
    FILE *f = fopen(path, "rb");
    if (f == NULL) return gyre_fail(GYRE_EIO, "cannot open '%s': %s", path, strerror(errno));
    XXH3_state_t *state = XXH3_createState();
    if (state == NULL || XXH3_64bits_reset(state) != XXH_OK) {
        status = gyre_fail(GYRE_EDEVICE, "no memory to read '%s'", path);
        goto out;
    }
    for (size_t got; (got = fread(piece, 1, sizeof piece, f)) > 0;) {
        XXH3_64bits_update(state, piece, got);
    }
    if (ferror(f)) {
        status = gyre_fail(GYRE_EIO, "cannot read '%s': %s", path, strerror(errno));
        goto out;
    }
    uint64_t hash = XXH3_64bits_digest(state);
    *out = hash == 0 ? 1 : hash;
out:
    XXH3_freeState(state);
    fclose(f);
    return status;
}

static gyre_status sync_path(const char *path, int flags) {
    int fd = open(path, flags);
    if (fd < 0) return gyre_fail(GYRE_EIO, "cannot open '%s': %s", path, strerror(errno));
    int failed = fsync(fd);
    int reason = errno;
    close(fd);
    if (failed) return gyre_fail(GYRE_EIO, "fsync of '%s' failed: %s", path, strerror(reason));
    return GYRE_OK;
}

/* A synced file takes its name; the folder is synced too. */
static gyre_status move_to(const char *temporary, const char *path) {
    char *dir = gyre_path_dir(path);
    gyre_status status = GYRE_OK;
    if (dir == NULL) {
        status = gyre_fail(GYRE_EDEVICE, "no memory to write '%s'", path);
        goto out;
    }
    if (rename(temporary, path) != 0) {
        status =
            gyre_fail(GYRE_EIO, "cannot rename '%s' to '%s': %s", temporary, path, strerror(errno));
        goto out;
    }
    status = sync_path(dir, O_RDONLY | O_DIRECTORY);
out:
    free(dir);
    return status;
}

gyre_status gyre_file_commit(const char *temporary, const char *path) {
    gyre_status status = sync_path(temporary, O_RDONLY);
    if (status == GYRE_OK) status = move_to(temporary, path);
    if (status != GYRE_OK) unlink(temporary);
    return status;
}

static gyre_status write_all(int fd, const char *path, const char *data, size_t size) {
    while (size > 0) {
        ssize_t done = write(fd, data, size);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) return gyre_fail(GYRE_EIO, "cannot write '%s': %s", path, strerror(errno));
        data += done;
        size -= (size_t)done;
    }
    return GYRE_OK;
}

/* Writes and syncs a file that nobody else has open. */
static gyre_status write_synced(const char *path, int flags, const void *data, size_t size) {
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0666);
    if (fd < 0) return gyre_fail(GYRE_EIO, "cannot create '%s': %s", path, strerror(errno));
    gyre_status status = write_all(fd, path, data, size);
    if (status == GYRE_OK && fsync(fd) != 0) {
        status = gyre_fail(GYRE_EIO, "fsync of '%s' failed: %s", path, strerror(errno));
    }
    if (close(fd) != 0 && status == GYRE_OK) {
        status = gyre_fail(GYRE_EIO, "cannot write '%s': %s", path, strerror(errno));
    }
    return status;
}

gyre_status gyre_file_write_atomic(const char *path, const void *data, size_t size) {
    char *temporary = NULL;
    if (asprintf(&temporary, "%s.tmp.%ld", path, (long)getpid()) < 0) {
        return gyre_fail(GYRE_EDEVICE, "no memory to write '%s'", path);
    }
    gyre_status status = write_synced(temporary, O_TRUNC, data, size);
    if (status == GYRE_OK) status = move_to(temporary, path);
    if (status != GYRE_OK) unlink(temporary);
    free(temporary);
    return status;
}

gyre_status gyre_file_create_atomic(const char *path, const void *data, size_t size,
                                    bool *created) {
    char *temporary = NULL;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    /* processes of several hosts may share the folder and the process id */
    if (asprintf(&temporary, "%s.tmp.%ld%09ld", path, (long)getpid(), now.tv_nsec) < 0) {
        return gyre_fail(GYRE_EDEVICE, "no memory to write '%s'", path);
    }
    gyre_status status = write_synced(temporary, O_EXCL, data, size);
    *created = status == GYRE_OK && link(temporary, path) == 0;
    if (status == GYRE_OK && !*created && errno != EEXIST) {
        status = gyre_fail(GYRE_EIO, "cannot create '%s': %s", path, strerror(errno));
    }
    unlink(temporary);
    free(temporary);
    return status;
}

/* Keeps errno, which says why the folder could not be made. */
static bool is_folder(const char *path) {
    int reason = errno;
    struct stat st;
    bool yes = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    errno = reason;
    return yes;
}

gyre_status gyre_dir_make(const char *path) {
    char *copy = strdup(path);
    if (copy == NULL) return gyre_fail(GYRE_EDEVICE, "no memory to make folder '%s'", path);
    gyre_status status = GYRE_OK;
    for (char *p = copy + 1;; p++) {
        if (*p != '/' && *p != '\0') continue;
        char end = *p;
        *p = '\0';
        if (mkdir(copy, 0777) != 0 && !is_folder(copy)) {
            status = gyre_fail(GYRE_EIO, "cannot make folder '%s': %s", copy, strerror(errno));
            break;
        }
        if (end == '\0') break;
        *p = end;
    }
    free(copy);
    return status;
}

bool gyre_file_exists(const char *path) {
    return access(path, F_OK) == 0;
}

char *gyre_path_join(const char *dir, const char *name) {
    char *out = NULL;
    if (name[0] == '/') return strdup(name);
    const char *slash = dir[0] != '\0' && dir[strlen(dir) - 1] == '/' ? "" : "/";
    return asprintf(&out, "%s%s%s", dir, slash, name) < 0 ? NULL : out;
}

char *gyre_path_dir(const char *path) {
    const char *slash = strrchr(path, '/');
    if (slash == NULL) return strdup(".");
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}
