/* Temporary files that may be large: none stays behind a signal that ends the process, and what a
 * killed process left is named. They are called FILE.tmp.PROCESS or FILE.tmp2.PROCESS. */
#ifndef GYRE_LEFTOVER_H
#define GYRE_LEFTOVER_H

#include <stdbool.h>

/* From here on a signal that would end the process removes `path` first. Two at a time; a longer
 * path is not guarded. Not from several threads. */
void gyre_leftover_guard(const char *path);
void gyre_leftover_release(const char *path);

/* `entry` is called as a temporary file of the file `name` is. */
bool gyre_leftover_is_of(const char *entry, const char *name);

/* Says which temporary files of `path` lie beside it, of processes that are gone. */
void gyre_leftover_tell(const char *path);

#endif
