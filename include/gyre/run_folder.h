/* The run folder: what may be done with it, the lock that keeps a second job out, and its paths.
 * Rank 0 only; no MPI. */
#ifndef GYRE_RUN_FOLDER_H
#define GYRE_RUN_FOLDER_H

#include "gyre/metrics.h"
#include "gyre/schedule.h"
#include "gyre/settings.h"
#include "gyre/status.h"
#include <limits.h>
#include <stdbool.h>

/* The names of what lies in it. */
#define GYRE_CONFIG_FILE "config.json"
#define GYRE_METRICS_FILE "metrics.h5"
#define GYRE_LOG_FILE "log.jsonl"
#define GYRE_FIND_FILE "find.h5"
#define GYRE_PROFILE_FILE "profile.txt"
#define GYRE_LOCK_FILE "lock"
#define GYRE_RESULT_FILE "result.json" /* of a study's cell */
#define GYRE_CHECKPOINTS "checkpoints" /* a folder */
#define GYRE_SAMPLES "samples"         /* likewise */
#define GYRE_SAMPLES_PICTURES "pictures.h5" /* in it, of a study's cell: gyre/latents.h */
#define GYRE_SAMPLES_LATENTS "latents.h5"   /* in its place where samples are no pictures */
#define GYRE_SAMPLES_NEAREST "nearest.h5"   /* the training sample nearest to each of these */

typedef struct {
    char *path, *config, *metrics, *log; /* absolute or as given; owned */
    bool holds_run;                      /* see gyre_run_folder_is_run */
    int lock;                            /* file descriptor, -1: none */
    int self;                            /* of the folder, as long as a run works in it; -1: none */
    bool moved;                          /* since then, to `path` */
} gyre_run_folder;

/* A config.json and something else of a run: one alone may be the user's own. */
bool gyre_run_folder_is_run(const char *path);

/* `out` (--out), or the config's output.dir beside the config where it is NULL; free() it. */
gyre_status gyre_run_folder_choose(const char *out, const gyre_settings *s, char **path);

/* Looks at `path` without changing anything but the lock of an existing run. GYRE_EIO when it is
 * not empty and holds no run, or when another job works in it. On failure nothing is held. */
gyre_status gyre_run_folder_open(const char *path, gyre_run_folder *out);
/* Makes the folder of a new run, locks it, and writes the resolved config. */
gyre_status gyre_run_folder_create(gyre_run_folder *f, const gyre_settings *resolved);
/* Replaces the resolved config, atomically; one that was changed by hand is kept beside it. */
gyre_status gyre_run_folder_rewrite(gyre_run_folder *f, const gyre_settings *resolved);
/* For a run under way: finds the folder again when it was moved; the paths are then the new ones,
 * and *moved says so, once. GYRE_EIO when it was removed, or another run took its place: nothing is
 * to be written by its name then. */
gyre_status gyre_run_folder_follow(gyre_run_folder *f, bool *moved);
/* Does a job work in the folder, as far as its lock tells? One that was killed on another host
 * seems to. Changes nothing. */
bool gyre_run_folder_at_work(const char *dir);
/* Releases the lock. */
void gyre_run_folder_close(gyre_run_folder *f);

/* ---- what else is asked of folders in which gyre works */

typedef enum {
    GYRE_LOCK_TAKEN,
    GYRE_LOCK_HELD, /* by another process */
    GYRE_LOCK_NONE  /* the file system has no locks, errno says why */
} gyre_lock_state;
enum { GYRE_LOCK_FOREVER = INT_MAX }; /* tries: until it is free */
/* Makes the file `path` where it is not there and locks it for this process, until *fd is closed;
 * -1: it is held elsewhere. Tries so many times, a tenth of a second apart. GYRE_EIO: the file
 * cannot be written. */
gyre_status gyre_lock_take(const char *path, int tries, int *fd, gyre_lock_state *state);

/* *out: the folder is not there, or holds nothing but what `leftover` (NULL: nothing) allows.
 * GYRE_EIO: it cannot be read. */
gyre_status gyre_folder_is_free(const char *path,
                                bool (*leftover)(const char *dir, const char *name), bool *out);

/* ---- what is in one */

/* What a run has left: its resolved config, the schedule of that, and all rows. */
typedef struct {
    gyre_settings *settings;
    gyre_schedule *schedule;
    gyre_tables tables;
} gyre_run_content;

/* GYRE_EIO when `dir` holds no run, or one that has not begun. Close it in any case. */
gyre_status gyre_run_content_open(const char *dir, gyre_run_content *r);
void gyre_run_content_close(gyre_run_content *r);

#endif
