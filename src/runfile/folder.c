/* The run folder; see gyre/run_folder.h. The lock is a flock on a file that stays, with host and
 * process id in it for the one who is refused. */
#include "gyre/run_folder.h"

#include "gyre/config.h"
#include "gyre/file.h"
#include "gyre/leftover.h"
#include "gyre/log.h"
#include "gyre/overwrite.h"
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of a file that gyre writes by way of one. */
static bool is_temporary(const char *name) {
    static const char *const own[] = {
        GYRE_CONFIG_FILE, GYRE_METRICS_FILE, GYRE_FIND_FILE, GYRE_PROFILE_FILE,
        "best.h5",        GYRE_RESULT_FILE,  "try"};
    size_t begin = strspn(name, "step-"), digits = strspn(name + begin, "0123456789");
    for (size_t i = 0; i < sizeof own / sizeof *own; i++) {
        if (gyre_leftover_is_of(name, own[i])) return true;
    }
    return strncmp(name, "step-", begin) == 0 && begin == strlen("step-") && digits > 0 &&
           gyre_leftover_is_of(name + begin + digits, ".h5");
}

/* Nothing, or what gyre writes into one: its holder while it is held, else no byte. */
static bool is_own_lock(const char *path) {
    enum { HOLDER_MAX = 512 };
    struct stat st;
    char *text = NULL;
    size_t size = 0;
    if (lstat(path, &st) != 0) return errno == ENOENT;
    if (!S_ISREG(st.st_mode) || st.st_size > HOLDER_MAX) return false;
    bool own = gyre_file_read(path, HOLDER_MAX, &text, &size) != GYRE_OK || size == 0 ||
               strncmp(text, "host ", strlen("host ")) == 0;
    free(text);
    return own;
}

/* Without memory of its own: what is asked here has no way to say that there is none. */
static bool path_in(const char *dir, const char *name, char out[PATH_MAX]) {
    return snprintf(out, PATH_MAX, "%s/%s", dir, name) < PATH_MAX;
}

/* What gyre leaves where it is killed before it has written its config, and what is left of a
 * study's cell that is run again. */
static bool is_leftover(const char *dir, const char *name) {
    if (strncmp(name, GYRE_CONFIG_FILE ".", strlen(GYRE_CONFIG_FILE ".")) == 0)
        return is_temporary(name);
    if (strncmp(name, GYRE_RESULT_FILE ".damaged", strlen(GYRE_RESULT_FILE ".damaged")) == 0)
        return true;
    if (strcmp(name, GYRE_LOCK_FILE) != 0) return false;
    char path[PATH_MAX];
    return path_in(dir, name, path) && is_own_lock(path);
}

static bool has(const char *dir, const char *name) {
    char path[PATH_MAX];
    return path_in(dir, name, path) && gyre_file_exists(path);
}

/* Others call a file config.json too: a run has a lock besides, or what it has written. */
bool gyre_run_folder_is_run(const char *path) {
    return has(path, GYRE_CONFIG_FILE) &&
           ((has(path, GYRE_LOCK_FILE) && is_leftover(path, GYRE_LOCK_FILE)) ||
            has(path, GYRE_LOG_FILE) || has(path, GYRE_METRICS_FILE) ||
            has(path, GYRE_CHECKPOINTS));
}

gyre_status gyre_run_folder_choose(const char *out, const gyre_settings *s, char **path) {
    if (out == NULL && s->output_dir == NULL) {
        return gyre_fail(GYRE_EUSAGE, "no run folder: give --out DIR, or output.dir in the config");
    }
    *path = out != NULL ? strdup(out) : gyre_config_path(s, s->output_dir);
    return *path != NULL ? GYRE_OK : gyre_no_memory("the run folder's path");
}

/* Takes away the temporary files of a launch that was killed while it wrote. The lock is held. */
static void sweep(const char *path) {
    DIR *d = opendir(path);
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        if (is_temporary(e->d_name)) unlinkat(dirfd(d), e->d_name, 0);
    }
    if (d != NULL) closedir(d);
}

static void sweep_run(const gyre_run_folder *f) {
    char *checkpoints = gyre_path_join(f->path, GYRE_CHECKPOINTS);
    sweep(f->path);
    if (checkpoints != NULL) sweep(checkpoints);
    free(checkpoints);
}

static gyre_status refuse(const gyre_run_folder *f, const char *path) {
    char *holder = NULL;
    size_t size = 0;
    if (gyre_file_read(path, 512, &holder, &size) != GYRE_OK) holder = NULL;
    if (size > 0 && holder[size - 1] == '\n') holder[size - 1] = '\0';
    gyre_status status =
        gyre_fail(GYRE_EIO,
                  "another job is training in '%s' (%s); wait for it or choose another "
                  "--out",
                  f->path, holder == NULL ? "holder unknown" : holder);
    free(holder);
    return status;
}

static gyre_status lock(gyre_run_folder *f) {
    enum { TRIES = 21 }; /* two seconds: the ranks of a job that was just killed are still ending */
    gyre_status status = GYRE_OK;
    gyre_lock_state state = GYRE_LOCK_NONE;
    char host[128] = "?", text[256], *before = NULL;
    size_t size = 0;
    char *path = gyre_path_join(f->path, GYRE_LOCK_FILE);
    if (path == NULL) return gyre_no_memory("locking '%s'", f->path);
    if (!is_own_lock(path)) {
        status = gyre_fail(GYRE_EIO,
                           "'%s' is not gyre's, and would be emptied: a run locks its folder by a "
                           "file of this name; move that one away",
                           path);
        goto out;
    }
    GYRE_GOTO(gyre_lock_take(path, TRIES, &f->lock, &state));
    if (state == GYRE_LOCK_HELD) GYRE_GOTO(refuse(f, path));
    if (state == GYRE_LOCK_NONE) {
        gyre_warn("cannot lock '%s' (%s); see to it that no second job uses this run folder", path,
                  strerror(errno));
    }
    if (gyre_file_read(path, sizeof text - 1, &before, &size) == GYRE_OK && size > 1) {
        before[size - 1] = '\0'; /* its newline */
        gyre_say("the job that trained here before (%s) ended without closing the run", before);
    }
    gethostname(host, sizeof host - 1);
    int n = snprintf(text, sizeof text, "host %s, process %ld\n", host, (long)getpid());
    if (ftruncate(f->lock, 0) != 0 || pwrite(f->lock, text, (size_t)n, 0) != n) {
        status = gyre_fail(GYRE_EIO, "cannot write '%s': %s", path, strerror(errno));
    }
out:
    if (status != GYRE_OK && f->lock >= 0) {
        close(f->lock);
        f->lock = -1;
    }
    free(before);
    free(path);
    return status;
}

/* A descriptor of the folder stays with it wherever it goes. */
static gyre_status hold(gyre_run_folder *f) {
    f->self = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (f->self >= 0 || errno == EACCES) return GYRE_OK; /* one that may not be listed */
    return gyre_fail(GYRE_EIO, "cannot open '%s': %s", f->path, strerror(errno));
}

static void free_paths(gyre_run_folder *f) {
    free(f->path);
    free(f->config);
    free(f->metrics);
    free(f->log);
}

static gyre_status set_paths(gyre_run_folder *f, const char *path) {
    gyre_run_folder fresh = {.path = strdup(path),
                             .config = gyre_path_join(path, GYRE_CONFIG_FILE),
                             .metrics = gyre_path_join(path, GYRE_METRICS_FILE),
                             .log = gyre_path_join(path, GYRE_LOG_FILE)};
    if (!fresh.path || !fresh.config || !fresh.metrics || !fresh.log) {
        free_paths(&fresh);
        return gyre_no_memory("the run folder's paths");
    }
    free_paths(f);
    f->path = fresh.path;
    f->config = fresh.config;
    f->metrics = fresh.metrics;
    f->log = fresh.log;
    return GYRE_OK;
}

gyre_status gyre_run_folder_open(const char *path, gyre_run_folder *out) {
    gyre_status status = GYRE_OK;
    bool unused = false;
    *out = (gyre_run_folder){.lock = -1, .self = -1};
    GYRE_GOTO(set_paths(out, path));
    out->holds_run = gyre_run_folder_is_run(path);
    if (out->holds_run) {
        GYRE_GOTO(lock(out));
        GYRE_GOTO(hold(out));
        sweep_run(out);
    } else {
        GYRE_GOTO(gyre_fail_in("run folder (--out, output.dir)",
                               gyre_folder_is_free(path, is_leftover, &unused)));
    }
    if (!out->holds_run && !unused) {
        bool config = gyre_file_exists(out->config);
        status =
            gyre_fail(GYRE_EIO, "'%s' %s; choose another --out, its files are left alone", path,
                      config ? "holds a config.json, but no run of gyre"
                             : "is not empty and holds no run of gyre (no config.json)");
    }
out:
    if (status != GYRE_OK) gyre_run_folder_close(out);
    return status;
}

/* One that was changed by hand, or is a link, has more than its fields. */
static gyre_status keep_config(const gyre_run_folder *f) {
    enum { LARGEST = 1 << 24 };
    gyre_status status = GYRE_OK;
    gyre_settings *s = NULL;
    char *text = NULL, *own = NULL, *kept = NULL;
    size_t size = 0;
    struct stat st;
    if (lstat(f->config, &st) != 0) return GYRE_OK;
    GYRE_GOTO(gyre_file_read(f->config, LARGEST, &text, &size));
    GYRE_GOTO(gyre_config_open(f->config, NULL, 0, &s));
    GYRE_GOTO(gyre_config_print(s, &own));
    if (S_ISREG(st.st_mode) && strcmp(text, own) == 0) goto out;
    GYRE_GOTO(gyre_overwrite_keep(f->config, "before", &kept));
    gyre_warn("'%s' is not as gyre wrote it; that file is '%s' now", f->config, kept);
out:
    gyre_config_close(s);
    free(text);
    free(own);
    free(kept);
    return status;
}

gyre_status gyre_run_folder_rewrite(gyre_run_folder *f, const gyre_settings *resolved) {
    char *text = NULL;
    GYRE_TRY(keep_config(f));
    GYRE_TRY(gyre_config_print(resolved, &text));
    gyre_status status = gyre_file_write_atomic(f->config, text, strlen(text));
    free(text);
    return status;
}

gyre_status gyre_run_folder_create(gyre_run_folder *f, const gyre_settings *resolved) {
    GYRE_TRY(gyre_fail_in("run folder (--out, output.dir)", gyre_dir_make(f->path)));
    GYRE_TRY(gyre_fail_in("run folder (--out, output.dir)", lock(f)));
    if (gyre_file_exists(f->config)) {
        return gyre_fail(GYRE_EIO, "another job has just started a run in '%s'", f->path);
    }
    GYRE_TRY(hold(f));
    sweep_run(f);
    GYRE_TRY(gyre_run_folder_rewrite(f, resolved));
    f->holds_run = true;
    return GYRE_OK;
}

/* ---- a folder that is moved or removed while a run works in it */

static bool is_at(const gyre_run_folder *f, const char *path) {
    struct stat held, found;
    return fstat(f->self, &held) == 0 && stat(path, &found) == 0 && held.st_dev == found.st_dev &&
           held.st_ino == found.st_ino;
}

/* Its own config is what makes a folder a run. */
static gyre_status check_content(const gyre_run_folder *f) {
    if (gyre_file_exists(f->config) || errno != ENOENT) return GYRE_OK;
    return gyre_fail(GYRE_EIO,
                     "the files of the run in '%s' were removed while it was working; start it "
                     "again",
                     f->path);
}

gyre_status gyre_run_folder_follow(gyre_run_folder *f, bool *moved) {
    char link[64], place[PATH_MAX];
    *moved = false;
    if (f->self < 0) return GYRE_OK;
    if (is_at(f, f->path)) return check_content(f);
    snprintf(link, sizeof link, "/proc/self/fd/%d", f->self);
    ssize_t n = readlink(link, place, sizeof place - 1);
    if (n > 0) place[n] = '\0';
    if (n <= 0 || !is_at(f, place)) {
        return gyre_fail(
            GYRE_EIO,
            "the run folder '%s' was removed, or moved out of reach, while the run was "
            "working; start it again, or give the --out where it is now",
            f->path);
    }
    gyre_warn("the run folder '%s' was moved to '%s'; the run continues there", f->path, place);
    GYRE_TRY(set_paths(f, place));
    f->moved = *moved = true;
    return check_content(f);
}

void gyre_run_folder_close(gyre_run_folder *f) {
    if (f->lock >= 0) {
        if (ftruncate(f->lock, 0) != 0) gyre_warn("cannot empty the lock of '%s'", f->path);
        close(f->lock);
    }
    if (f->self >= 0) close(f->self);
    free_paths(f);
    *f = (gyre_run_folder){.lock = -1, .self = -1};
}
