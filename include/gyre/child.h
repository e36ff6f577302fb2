/* A process of its own for reading an untrusted file.
 *
 * A damaged HDF5 file can hang, crash or corrupt the library that reads it, and a checksum is no
 * signature. So the library sees such a file in a child only, which has a limit on waiting, on
 * computing and on memory, and hands plain bytes back through a socket. The parent checks each
 * number of them. The child is this very program, started again under another name: it answers
 * before main() and never gets there, so that every program with the work in it (the tests too) can
 * do it, and none can forget how. It is spawned, not forked: a fork of a process whose pages a
 * network card writes to can leave the card with the old copies, and one of several threads may
 * inherit locks that stay locked for ever. */
#ifndef GYRE_CHILD_H
#define GYRE_CHILD_H

#include "gyre/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* What a child is for. */
typedef struct {
    const char *name;    /* argv[0] of the child: "gyre-read-hdf5" */
    const char *library; /* that reads, for messages: "HDF5" */
    /* Answers through `socket`. False: the child is not to be used for another file. */
    bool (*work)(const char *path, int socket);
} gyre_child_task;

/* ---- in the child */

/* For a function with __attribute__((constructor)), which glibc hands the program's arguments. Does
 * not return in a process that was started for the task. */
void gyre_child_serve(int argc, char **argv, const gyre_child_task *task);

/* Whole or not at all; false: the parent has gone. */
bool gyre_child_put(int socket, const void *data, size_t size);
bool gyre_child_get(int socket, void *out, size_t size);

/* ---- in the parent */

typedef struct {
    const gyre_child_task *task;
    const char *path; /* of the file; the caller's */
    pid_t process;
    int socket;
    bool used;    /* it has read another file before; true also after it has failed: a fresh one may
                     not */
    int seconds;  /* that may be spent on waiting for it, all in all */
    int64_t left; /* of them, in milliseconds */
} gyre_child;

/* Seconds that suffice to read a file of so many bytes from a slow disk. The child may compute for
 * an eighth of them. */
int gyre_child_seconds(uint64_t bytes);

/* `path` must stay valid until the child has ended. `fresh`: not one that has read other files, on
 * which nothing may be blamed. GYRE_EIO. */
gyre_status gyre_child_start(const gyre_child_task *task, const char *path, int seconds, bool fresh,
                             gyre_child *out);
void gyre_child_end(gyre_child *c); /* also one that was never started, when it is all zero */

/* The work is done, without a complaint: one child for each task is kept for the next file, since
 * starting it is what costs most (10 ms and more). */
void gyre_child_rest(gyre_child *c);
/* Ends those that are kept, before long work. They also end with their parent. */
void gyre_child_end_resting(void);

/* GYRE_EIO, with the child ended: it crashed, or the time is over. The message names the file. */
gyre_status gyre_child_send(gyre_child *c, const void *data, size_t size);
gyre_status gyre_child_receive(gyre_child *c, void *out, size_t size);

#endif
