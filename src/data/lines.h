/* Text files of lines: class names, labels. Internal to src/data. */
#ifndef GYRE_DATA_LINES_H
#define GYRE_DATA_LINES_H

#include "gyre/status.h"
#include <stddef.h>

/* The whole text, each line ended by '\n' alone, whatever ended it in the file (also a lone '\r'),
 * and without a byte order mark. free() it. GYRE_EIO: cannot be read, has more than `most` bytes,
 * or is no text (a byte 0; UTF-16 has such). */
gyre_status data_lines_read(const char *path, size_t most, char **text);

#endif
