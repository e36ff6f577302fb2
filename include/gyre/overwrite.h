/* Files that gyre may replace: those it wrote itself. Asked before the first of several is written.
 */
#ifndef GYRE_OVERWRITE_H
#define GYRE_OVERWRITE_H

#include "gyre/status.h"
#include <stddef.h>

/* GYRE_OK when nothing is at `path`, or a file that begins with `mark` (at most 127 bytes), as all
 * that gyre writes there does; else GYRE_EIO. A link is not replaced, whatever it leads to. */
gyre_status gyre_overwrite_check(const char *path, const char *mark);
/* The same for a mark that stands at byte `at`. */
gyre_status gyre_overwrite_check_at(const char *path, long at, const char *mark);

/* Texts, pictures and networks that a person may edit, as a figure's script: gyre ends them with
 * "gyre checksum HASH" (of all bytes before), so that a file which was changed since is known. */
enum { GYRE_SIGNATURE_SIZE = 30 };
/* The signature of what it stands behind, GYRE_SIGNATURE_SIZE bytes and a zero. */
void gyre_overwrite_signature(const void *before, size_t size, char *out);
/* Puts a line "BEFOREgyre checksum HASHAFTER" behind a text of malloc's; GYRE_EDEVICE. */
gyre_status gyre_overwrite_sign(char **text, size_t *size, const char *before, const char *after);
/* The same of a PNG, as a comment before its last chunk. */
gyre_status gyre_overwrite_sign_png(char **image, size_t *size);
/* The same of a JSON object that ends with "\n}\n", as its last field, "_gyre_checksum". */
gyre_status gyre_overwrite_sign_json(char **text, size_t *size);
/* The same of an ONNX file, as metadata "gyre.checksum". */
gyre_status gyre_overwrite_sign_onnx(char **file, size_t *size);
/* GYRE_OK when nothing is at `path`, or a file with the right signature: behind it stands no more
 * than the end of a comment, of JSON, of a PNG or of an ONNX file. */
gyre_status gyre_overwrite_check_signed(const char *path);

/* A file that must end with its numbers has its signature at byte `at` (at most 64), of all bytes
 * around it. The place is overwritten. */
void gyre_overwrite_sign_at(char *file, size_t size, size_t at);
gyre_status gyre_overwrite_check_signed_at(const char *path, size_t at);

/* Before `path` is replaced: what is there gets the name PATH.WORD as well, or PATH.WORD-2 and so
 * on, whichever is free, and keeps it. Where the file system has no links, that is its only name
 * then. *kept is the new name, free() it. GYRE_EIO, GYRE_EDEVICE. */
gyre_status gyre_overwrite_keep(const char *path, const char *word, char **kept);

/* The same, and `path` is free then. */
gyre_status gyre_overwrite_set_aside(const char *path, const char *word, char **kept);

#endif
