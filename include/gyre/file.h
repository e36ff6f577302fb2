/* Files: whole-file reads, atomic writes, folders. All errors are GYRE_EIO and name the path. */
#ifndef GYRE_FILE_H
#define GYRE_FILE_H

#include "gyre/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Opens a regular file to read; a pipe, device or folder is an error, at once. */
gyre_status gyre_file_open(const char *path, int *fd);

/* Reads exactly `size` bytes at `offset` of an open file; `path` names it in messages. Threads may
 * read one file side by side. */
gyre_status gyre_file_read_at(int fd, const char *path, uint64_t offset, void *out, size_t size);

/* Reads a whole file of at most `max` bytes into a fresh, zero-terminated buffer (free() it). A
 * pipe is read too, as the shell makes one for `<(command)`, but not waited for for ever. */
gyre_status gyre_file_read(const char *path, size_t max, char **out, size_t *size);

/* A regular file as a stream, to be read or (made where it is missing) appended to. A pipe is
 * refused and not waited for. fclose() it. */
gyre_status gyre_file_stream(const char *path, bool append, FILE **out);

/* The first line of a file of the system's, as of /sys, without its newline, cut at `size` bytes.
 * false: there is none, and `out` is empty; nothing is reported. */
bool gyre_file_first_line(const char *path, char *out, int size);

/* XXH3-64 of a file's bytes; never 0. */
gyre_status gyre_file_hash(const char *path, uint64_t *out);

/* Writes `path` so that a reader sees the old content or the new, never a part: temporary file in
 * the same folder, fsync, rename, fsync of the folder. */
gyre_status gyre_file_write_atomic(const char *path, const void *data, size_t size);

/* The same for a file that must not be there yet: of several processes that try, one creates it,
 * and the others get *created = false. */
gyre_status gyre_file_create_atomic(const char *path, const void *data, size_t size, bool *created);

/* The last two steps of an atomic write whose temporary file was made elsewhere (HDF5): fsync
 * `temporary`, rename it to `path`, fsync the folder. On failure the temporary is removed. */
gyre_status gyre_file_commit(const char *temporary, const char *path);

/* fsync of a file that is open; a file system that does not know it is a warning, once. */
gyre_status gyre_file_sync(int fd, const char *path);

/* Before long work: whether a new file `path` can be written (its folder is there). Writes and
 * removes a file beside it, since permissions do not tell of file systems that refuse. */
gyre_status gyre_file_try(const char *path);

/* Before long work: makes the folder, unless it is there, and tries to write into it. `made`: it
 * was not there, so that who writes nothing into it removes it. */
gyre_status gyre_dir_try(const char *path, bool *made);

gyre_status gyre_dir_make(const char *path); /* with parents; fine when it exists */
bool gyre_file_exists(const char *path);
bool gyre_file_taken(const char *path); /* the name is, be it by a link that leads nowhere */

/* "dir/name", or name itself when it is absolute; a fresh string (free() it), NULL if out of
 * memory. */
char *gyre_path_join(const char *dir, const char *name);
char *gyre_path_dir(const char *path); /* folder part, "." when there is none; free() it */

#endif
