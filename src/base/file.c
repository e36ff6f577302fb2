/* Whole-file reads, atomic writes, folders. */
#include "gyre/file.h"

#include "gyre/alive.h"
#include "gyre/log.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

enum { PIPE_SECONDS = 10 };

/* Opening a pipe must not wait for a writer. */
static gyre_status open_now(const char *path, int *fd, struct stat *st) {
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    if (*fd < 0) return gyre_fail(GYRE_EIO, "cannot open '%s': %s", path, strerror(errno));
    if (fstat(*fd, st) == 0) return GYRE_OK;
    gyre_status status = gyre_fail(GYRE_EIO, "cannot read '%s': %s", path, strerror(errno));
    close(*fd);
    return status;
}

static gyre_status check_regular(const char *path, const struct stat *st) {
    if (S_ISREG(st->st_mode)) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "'%s' is %s; a file was expected", path,
                     S_ISDIR(st->st_mode)    ? "a folder"
                     : S_ISFIFO(st->st_mode) ? "a pipe"
                                             : "a device");
}

gyre_status gyre_file_open(const char *path, int *fd) {
    struct stat st;
    GYRE_TRY(open_now(path, fd, &st));
    gyre_status status = check_regular(path, &st);
    if (status != GYRE_OK) close(*fd);
    return status;
}

static gyre_status cut_short(int fd, const char *path, uint64_t end) {
    struct stat st = {0};
    fstat(fd, &st);
    return gyre_fail(GYRE_EIO,
                     "'%s' has been cut short: it had %llu bytes or more, and has %llu now", path,
                     (unsigned long long)end, (unsigned long long)st.st_size);
}

gyre_status gyre_file_read_at(int fd, const char *path, uint64_t offset, void *out, size_t size) {
    for (size_t done = 0; done < size;) {
        ssize_t n = pread(fd, (char *)out + done, size - done, (off_t)(offset + done));
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return gyre_fail(GYRE_EIO, "cannot read '%s': %s", path, strerror(errno));
        if (n == 0) return cut_short(fd, path, offset + size);
        done += (size_t)n;
    }
    return GYRE_OK;
}

/* Opened for appending, without waiting for a reader should it be a pipe. */
static gyre_status open_to_append(const char *path, int *fd) {
    struct stat st;
    if (stat(path, &st) == 0) GYRE_TRY(check_regular(path, &st));
    *fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0666);
    if (*fd >= 0) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "cannot write '%s': %s", path, strerror(errno));
}

gyre_status gyre_file_stream(const char *path, bool append, FILE **out) {
    int fd;
    GYRE_TRY(append ? open_to_append(path, &fd) : gyre_file_open(path, &fd));
    *out = fdopen(fd, append ? "a" : "r");
    if (*out != NULL) return GYRE_OK;
    close(fd);
    return gyre_no_memory("opening '%s'", path);
}

/* *got is 0 at the end. */
static gyre_status read_some(int fd, const char *path, bool waits, void *out, size_t room,
                             size_t *got) {
    struct pollfd ready = {.fd = fd, .events = POLLIN};
    for (;;) {
        int there = waits ? poll(&ready, 1, 1000 * PIPE_SECONDS) : 1;
        if (there == 0) {
            return gyre_fail(GYRE_EIO,
                             "'%s' is a pipe or a device that gave nothing for %d s; a file was "
                             "expected",
                             path, PIPE_SECONDS);
        }
        ssize_t done = there > 0 ? read(fd, out, room) : -1;
        if (done >= 0) {
            gyre_alive();
            *got = (size_t)done;
            return GYRE_OK;
        }
        if (errno == EINTR || errno == EAGAIN) continue;
        return gyre_fail(GYRE_EIO, "cannot read '%s': %s", path, strerror(errno));
    }
}

gyre_status gyre_file_read(const char *path, size_t max, char **out, size_t *size) {
    char *text = NULL;
    size_t used = 0, room = 0, got = 1;
    int fd;
    struct stat st;
    GYRE_TRY(open_now(path, &fd, &st));
    gyre_status status = GYRE_OK;
    bool waits = !S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode);
    while (got > 0) {
        if (used + 1 >= room) {
            room = room == 0 ? 4096 : room * 2;
            char *more = realloc(text, room);
            if (more == NULL) GYRE_GOTO(gyre_no_memory("reading '%s'", path));
            text = more;
        }
        GYRE_GOTO(read_some(fd, path, waits, text + used, room - 1 - used, &got));
        used += got;
        if (used > max) {
            status = gyre_fail(GYRE_EIO, "'%s' is larger than the %zu bytes expected", path, max);
            goto out;
        }
    }
    text[used] = '\0';
    *out = text;
    *size = used;
    text = NULL;
out:
    free(text);
    close(fd);
    return status;
}

bool gyre_file_first_line(const char *path, char *out, int size) {
    FILE *f = fopen(path, "r");
    bool ok = f != NULL && fgets(out, size, f) != NULL;
    if (!ok) out[0] = '\0';
    if (f != NULL) fclose(f);
    out[strcspn(out, "\n")] = '\0';
    return ok;
}

gyre_status gyre_file_hash(const char *path, uint64_t *out) {
    char piece[1 << 14];
    int fd;
    GYRE_TRY(gyre_file_open(path, &fd));
    gyre_status status = GYRE_OK;
    XXH3_state_t *state = XXH3_createState();
    if (state == NULL || XXH3_64bits_reset(state) != XXH_OK) {
        status = gyre_no_memory("reading '%s'", path);
        goto out;
    }
    for (size_t got = 1; got > 0;) {
        GYRE_GOTO(read_some(fd, path, false, piece, sizeof piece, &got));
        XXH3_64bits_update(state, piece, got);
    }
    uint64_t hash = XXH3_64bits_digest(state);
    *out = hash == 0 ? 1 : hash;
out:
    XXH3_freeState(state);
    close(fd);
    return status;
}

/* Some file systems of networks and of user programs do not know some calls; that is no failing
 * disk. Linux has one number for ENOTSUP and EOPNOTSUPP. */
static bool unknown_call(int reason) {
    return reason == EINVAL || reason == ENOSYS || reason == ENOTSUP;
}

static void warn_unsynced(const char *path, int reason) {
    static atomic_flag warned = ATOMIC_FLAG_INIT;
    if (atomic_flag_test_and_set(&warned)) return;
    gyre_warn("the file system cannot sync '%s' (%s); writing continues, but a power cut may "
              "take the last files away",
              path, strerror(reason));
}

/* 0, or why not. */
static int try_sync(int fd) {
    int failed;
    do failed = fsync(fd);
    while (failed && errno == EINTR);
    return failed ? errno : 0;
}

static gyre_status judge_sync(const char *path, int reason, bool unknown) {
    if (reason == 0) return GYRE_OK;
    if (!unknown) return gyre_fail(GYRE_EIO, "fsync of '%s' failed: %s", path, strerror(reason));
    warn_unsynced(path, reason);
    return GYRE_OK;
}

gyre_status gyre_file_sync(int fd, const char *path) {
    int reason = try_sync(fd);
    return judge_sync(path, reason, unknown_call(reason));
}

/* A folder need not be readable for files to be made in it, and its fsync may answer EBADF where
 * only files have one. */
static gyre_status sync_folder(const char *path) {
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int reason = fd < 0 ? errno : try_sync(fd);
    if (fd >= 0) close(fd);
    return judge_sync(path, reason, unknown_call(reason) || reason == (fd < 0 ? EACCES : EBADF));
}

static gyre_status sync_file(const char *path) {
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return gyre_fail(GYRE_EIO, "cannot open '%s': %s", path, strerror(errno));
    gyre_status status = gyre_file_sync(fd, path);
    close(fd);
    return status;
}

/* A synced file takes its name; the folder is synced too. */
static gyre_status move_to(const char *temporary, const char *path) {
    char *dir = gyre_path_dir(path);
    gyre_status status = GYRE_OK;
    if (dir == NULL) {
        status = gyre_no_memory("writing '%s'", path);
        goto out;
    }
    if (rename(temporary, path) != 0) {
        status =
            gyre_fail(GYRE_EIO, "cannot rename '%s' to '%s': %s", temporary, path, strerror(errno));
        goto out;
    }
    status = sync_folder(dir);
out:
    free(dir);
    return status;
}

gyre_status gyre_file_commit(const char *temporary, const char *path) {
    gyre_status status = sync_file(temporary);
    if (status == GYRE_OK) status = move_to(temporary, path);
    if (status != GYRE_OK) unlink(temporary);
    return status;
}

static gyre_status write_all(int fd, const char *path, const char *data, size_t size) {
    while (size > 0) {
        ssize_t done = write(fd, data, size);
        if (done < 0 && errno == EINTR) continue;
        if (done <= 0) {
            return gyre_fail(GYRE_EIO, "cannot write '%s': %s", path,
                             done < 0 ? strerror(errno) : "the disk takes no more");
        }
        data += done;
        size -= (size_t)done;
    }
    return GYRE_OK;
}

/* Writes and syncs a file that no other process has open. */
static gyre_status write_synced(const char *path, int flags, const void *data, size_t size) {
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | flags, 0666);
    if (fd < 0) return gyre_fail(GYRE_EIO, "cannot create '%s': %s", path, strerror(errno));
    gyre_status status = write_all(fd, path, data, size);
    if (status == GYRE_OK) status = gyre_file_sync(fd, path);
    if (close(fd) != 0 && status == GYRE_OK) {
        status = gyre_fail(GYRE_EIO, "cannot write '%s': %s", path, strerror(errno));
    }
    return status;
}

gyre_status gyre_file_write_atomic(const char *path, const void *data, size_t size) {
    char *temporary = NULL;
    if (asprintf(&temporary, "%s.tmp.%ld", path, (long)getpid()) < 0) {
        return gyre_no_memory("writing '%s'", path);
    }
    gyre_status status = write_synced(temporary, O_TRUNC, data, size);
    if (status == GYRE_OK) status = move_to(temporary, path);
    if (status != GYRE_OK) unlink(temporary);
    free(temporary);
    return status;
}

/* Gives `temporary` the name `path` unless that is taken, which is EEXIST. Where the file system
 * has no links, and knows no such rename either, the name is taken by an empty file first. */
static int take_name(const char *temporary, const char *path) {
    struct stat st;
    if (link(temporary, path) == 0) return 0;
    /* over NFS the answer to the first try may be lost, and the second finds its own link */
    if (errno == EEXIST) return stat(temporary, &st) == 0 && st.st_nlink == 2 ? 0 : EEXIST;
    if (errno != EPERM && errno != EMLINK && !unknown_call(errno)) return errno;
    if (renameat2(AT_FDCWD, temporary, AT_FDCWD, path, RENAME_NOREPLACE) == 0) return 0;
    if (!unknown_call(errno)) return errno;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0) return errno;
    close(fd);
    return rename(temporary, path) == 0 ? 0 : errno;
}

gyre_status gyre_file_create_atomic(const char *path, const void *data, size_t size,
                                    bool *created) {
    char *temporary = NULL;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    /* processes of several hosts may share the folder and the process id */
    if (asprintf(&temporary, "%s.tmp.%ld%09ld", path, (long)getpid(), now.tv_nsec) < 0) {
        return gyre_no_memory("writing '%s'", path);
    }
    gyre_status status = write_synced(temporary, O_EXCL, data, size);
    int reason = status == GYRE_OK ? take_name(temporary, path) : 0;
    *created = status == GYRE_OK && reason == 0;
    if (reason != 0 && reason != EEXIST) {
        status = gyre_fail(GYRE_EIO, "cannot create '%s': %s", path, strerror(reason));
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
    if (path[0] == '\0') return gyre_fail(GYRE_EIO, "the name of a folder is empty");
    char *copy = strdup(path);
    if (copy == NULL) return gyre_no_memory("making folder '%s'", path);
    gyre_status status = GYRE_OK;
    for (char *p = copy + 1;; p++) {
        if (*p != '/' && *p != '\0') continue;
        char end = *p;
        *p = '\0';
        if (mkdir(copy, 0777) != 0 && !is_folder(copy)) {
            const char *why = errno != EEXIST          ? strerror(errno)
                              : gyre_file_exists(copy) ? "it is a file"
                                                       : "it is a link that leads nowhere";
            status = gyre_fail(GYRE_EIO, "cannot make folder '%s': %s", copy, why);
            break;
        }
        if (end == '\0') break;
        *p = end;
    }
    free(copy);
    return status;
}

gyre_status gyre_file_try(const char *path) {
    char *temporary = NULL;
    if (is_folder(path)) return gyre_fail(GYRE_EIO, "cannot write '%s': it is a folder", path);
    if (asprintf(&temporary, "%s.tmp.%ld", path, (long)getpid()) < 0) {
        return gyre_no_memory("writing '%s'", path);
    }
    gyre_status status = GYRE_OK;
    int fd = open(temporary, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0) status = gyre_fail(GYRE_EIO, "cannot write '%s': %s", path, strerror(errno));
    if (fd >= 0) close(fd);
    if (fd >= 0) unlink(temporary);
    free(temporary);
    return status;
}

gyre_status gyre_dir_try(const char *path, bool *made) {
    *made = !is_folder(path);
    GYRE_TRY(gyre_dir_make(path));
    char *file = gyre_path_join(path, "try");
    gyre_status status =
        file == NULL ? gyre_no_memory("writing in '%s'", path) : gyre_file_try(file);
    free(file);
    if (status != GYRE_OK && *made) rmdir(path);
    return status;
}

bool gyre_file_exists(const char *path) {
    return access(path, F_OK) == 0;
}

bool gyre_file_taken(const char *path) {
    struct stat st;
    return lstat(path, &st) == 0;
}

char *gyre_path_join(const char *dir, const char *name) {
    char *out = NULL;
    if (name[0] == '/') return strdup(name);
    const char *slash = dir[0] == '\0' || dir[strlen(dir) - 1] == '/' ? "" : "/";
    return asprintf(&out, "%s%s%s", dir, slash, name) < 0 ? NULL : out;
}

char *gyre_path_dir(const char *path) {
    const char *slash = strrchr(path, '/');
    if (slash == NULL) return strdup(".");
    return slash == path ? strdup("/") : strndup(path, (size_t)(slash - path));
}
