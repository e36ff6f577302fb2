/* Temporary files of an import, which may be large: none stays behind a signal that ends the
 * process, and what a killed process left is named. Internal to src/data. */
#ifndef GYRE_DATA_LEFTOVER_H
#define GYRE_DATA_LEFTOVER_H

/* From here on a signal that would end the process removes `path` first. Two at a time; a longer
 * path is not guarded. Not from several threads. */
void data_leftover_guard(const char *path);
void data_leftover_release(const char *path);

/* Says which temporary files of imports into `path` lie beside it, of processes that are gone. */
void data_leftover_tell(const char *path);

#endif
