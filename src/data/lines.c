/* Reads a text file of lines, whatever ends them. */
#include "lines.h"

#include "gyre/file.h"
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* "\r\n" and a lone '\r' become '\n', in place. */
static void end_lines(char *text) {
    char *to = text;
    for (const char *at = text; *at != '\0'; at++) {
        if (*at == '\r' && at[1] == '\n') continue;
        *to++ = *at == '\r' ? '\n' : *at;
    }
    *to = '\0';
}

gyre_status data_lines_read(const char *path, size_t most, char **text) {
    static const char mark[] = "\xef\xbb\xbf";
    size_t size = 0;
    char *read = NULL;
    GYRE_TRY(gyre_file_read(path, most, &read, &size));
    bool wide = size >= 2 && (memcmp(read, "\xff\xfe", 2) == 0 || memcmp(read, "\xfe\xff", 2) == 0);
    if (wide || memchr(read, '\0', size) != NULL) {
        free(read);
        return gyre_fail(GYRE_EIO, "'%s' is no text: %s", path,
                         wide ? "it begins as UTF-16; UTF-8 was expected" : "it has a byte 0");
    }
    if (strncmp(read, mark, 3) == 0) memmove(read, read + 3, size - 2);
    end_lines(read);
    *text = read;
    return GYRE_OK;
}
