/* The files that come with gyre, found from where the program lies: beside it in an installation,
 * which may be moved as a whole, or in the source folder in which it was built. */
#ifndef GYRE_PLACE_H
#define GYRE_PLACE_H

#include <stdbool.h>
#include <stddef.h>

/* The folder in which `file` lies, such as "docs/config.md" or "slurm/study.sh", the name that
 * messages give it. False: it is not there, and `out` is empty. */
bool gyre_place_find(const char *file, char *out, size_t size);

#endif
