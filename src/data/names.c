/* Class names from a text file, one a line. */
#include "importer.h"

#include "gyre/file.h"
#include "gyre/log.h"
#include "gyre/text.h"
#include "lines.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Cuts the first line off, without blanks around it; NULL: there is none. */
static char *next_line(char **rest) {
    char *line = *rest, *end = strchr(line, '\n');
    if (*line == '\0') return NULL;
    if (end == NULL) end = line + strlen(line);
    *rest = *end == '\0' ? end : end + 1;
    *end = '\0';
    line += strspn(line, " \t");
    while (end > line && (end[-1] == ' ' || end[-1] == '\t')) *--end = '\0';
    return line;
}

static gyre_status take_name(const char *path, int number, const char *line, char *name) {
    size_t length = gyre_text_visible(line, name, GYRE_NAME_SIZE);
    if (length < GYRE_NAME_SIZE) return GYRE_OK;
    return gyre_fail(GYRE_EIO,
                     "'%s', line %d: the class name '%s...' has %zu bytes, at most %d are kept",
                     path, number, name, length, GYRE_NAME_SIZE - 1);
}

/* An empty line within the names would give all names behind it to other classes. */
static gyre_status take_names(const char *path, char *text, char (*list)[GYRE_NAME_SIZE],
                              int *count) {
    int number = 0, empty = 0;
    for (char *line; (line = next_line(&text)) != NULL;) {
        number++;
        if (line[0] == '\0') {
            empty = empty == 0 ? number : empty;
            continue;
        }
        if (empty > 0) {
            return gyre_fail(GYRE_EIO, "'%s', line %d is empty; a class name was expected", path,
                             empty);
        }
        GYRE_TRY(take_name(path, number, line, list[(*count)++]));
    }
    if (*count > 0) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "'%s' is empty; class names were expected, one a line", path);
}

/* What stands behind the class's number and a separator, as in "0 cat" or "0: cat"; NULL: nothing
 * of that kind. */
static char *behind_number(char *name, long *number) {
    char *end;
    if (name[0] < '0' || name[0] > '9') return NULL;
    *number = strtol(name, &end, 10);
    size_t separators = strspn(end, " \t:,;");
    return separators > 0 && end[separators] != '\0' ? end + separators : NULL;
}

/* Lines that all begin with numbers, each of 0 to count - 1 once: names in themselves they are not.
 */
static bool are_numbered(char (*list)[GYRE_NAME_SIZE], int count, bool *seen, int *moved) {
    *moved = -1;
    for (int i = 0; i < count; i++) {
        long number = -1;
        if (behind_number(list[i], &number) == NULL || number >= count || seen[number])
            return false;
        seen[number] = true;
        if (number != i && *moved < 0) *moved = i;
    }
    return count > 1;
}

/* Labels files of some programs begin each line with the class's number. */
static gyre_status strip_numbers(const char *path, char (*list)[GYRE_NAME_SIZE], int count) {
    int moved;
    long number;
    bool *seen = calloc((size_t)count, sizeof *seen);
    if (seen == NULL) return gyre_no_memory("reading '%s'", path);
    bool numbered = are_numbered(list, count, seen, &moved);
    free(seen);
    if (!numbered) return GYRE_OK;
    if (moved >= 0) {
        return gyre_fail(GYRE_EIO,
                         "'%s', line %d: '%s' begins with another class's number than %d; sort the "
                         "lines by their numbers, or take the numbers away",
                         path, moved + 1, list[moved], moved);
    }
    for (int i = 0; i < count; i++) {
        const char *name = behind_number(list[i], &number);
        memmove(list[i], name, strlen(name) + 1);
    }
    gyre_say("'%s': the number that each line begins with is its class's, and no part of the name",
             path);
    return GYRE_OK;
}

static int by_bytes(const void *a, const void *b) {
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static gyre_status check_once(const char *path, char (*list)[GYRE_NAME_SIZE], int count) {
    gyre_status status = GYRE_OK;
    const char **sorted = calloc((size_t)count, sizeof *sorted);
    if (sorted == NULL) return gyre_no_memory("reading '%s'", path);
    for (int i = 0; i < count; i++) sorted[i] = list[i];
    qsort(sorted, (size_t)count, sizeof *sorted, by_bytes);
    for (int i = 1; i < count && status == GYRE_OK; i++) {
        if (strcmp(sorted[i - 1], sorted[i]) != 0) continue;
        status = gyre_fail(GYRE_EIO, "'%s' has the class name '%s' twice; each class needs its own",
                           path, sorted[i]);
    }
    free(sorted);
    return status;
}

static gyre_status read_names(const char *path, char (**names)[GYRE_NAME_SIZE], int *count) {
    gyre_status status = GYRE_OK;
    char *text = NULL;
    char(*list)[GYRE_NAME_SIZE] = NULL;
    size_t room = 1;
    GYRE_TRY(data_lines_read(path, 64 << 20, &text));
    for (const char *c = text; *c != '\0'; c++) room += *c == '\n';
    list = calloc(room, sizeof *list);
    if (list == NULL) {
        status = gyre_no_memory("reading '%s'", path);
        goto out;
    }
    GYRE_GOTO(take_names(path, text, list, count));
    GYRE_GOTO(strip_numbers(path, list, *count));
    GYRE_GOTO(check_once(path, list, *count));
    *names = list;
    list = NULL;
out:
    free(list);
    free(text);
    return status;
}

gyre_status data_names_read(const char *dir, const char *file, char (**names)[GYRE_NAME_SIZE],
                            int *count) {
    char *path = gyre_path_join(dir, file);
    *names = NULL;
    *count = 0;
    if (path == NULL) return gyre_no_memory("reading '%s'", file);
    gyre_status status = data_is_file(path) ? read_names(path, names, count) : GYRE_OK;
    free(path);
    return status;
}
