#include "import.h"

#include "gyre/file.h"
#include "write.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static gyre_status split_lines(const char *path, char *text, char (**names)[GYRE_NAME_SIZE],
                               int *count) {
    size_t room = 1;
    for (const char *c = text; *c != '\0'; c++) room += *c == '\n';
    char(*list)[GYRE_NAME_SIZE] = calloc(room, sizeof *list);
    if (list == NULL) return gyre_fail(GYRE_EDEVICE, "no memory to read '%s'", path);
    *count = 0;
    for (char *rest = text, *line; (line = strtok_r(rest, "\r\n", &rest)) != NULL;) {
        if (strlen(line) >= GYRE_NAME_SIZE) {
            free(list);
            return gyre_fail(GYRE_EIO, "'%s': the class name '%.80s' has more than %d bytes", path,
                             line, GYRE_NAME_SIZE - 1);
        }
        snprintf(list[(*count)++], GYRE_NAME_SIZE, "%s", line);
    }
    if (*count == 0) {
        free(list);
        return gyre_fail(GYRE_EIO, "'%s' is empty; class names were expected, one a line", path);
    }
    *names = list;
    return GYRE_OK;
}

gyre_status gyre_names_read(const char *dir, const char *file, char (**names)[GYRE_NAME_SIZE],
                            int *count) {
    gyre_status status = GYRE_OK;
    char *path = gyre_path_join(dir, file), *text = NULL;
    size_t size = 0;
    *names = NULL;
    *count = 0;
    if (path == NULL) return gyre_fail(GYRE_EDEVICE, "no memory to read '%s'", file);
    if (!gyre_file_exists(path)) goto out;
    GYRE_GOTO(gyre_file_read(path, 64 << 20, &text, &size));
    status = split_lines(path, text, names, count);
out:
    free(text);
    free(path);
    return status;
}

gyre_status gyre_output_apart_in(const char *output, const char *dir, const char *const *names) {
    gyre_status status = GYRE_OK;
    for (int i = 0; names[i] != NULL && status == GYRE_OK; i++) {
        char *path = gyre_path_join(dir, names[i]);
        status = path == NULL ? gyre_fail(GYRE_EDEVICE, "no memory to read '%s'", names[i])
                              : gyre_output_apart(output, path);
        free(path);
    }
    return status;
}

gyre_status gyre_part_alloc(int64_t count, int h, int w, int c, gyre_images *part, uint8_t **images,
                            int32_t **labels) {
    size_t image = (size_t)h * (size_t)w * (size_t)c;
    *images = malloc((size_t)count * image);
    *labels = malloc((size_t)count * sizeof **labels);
    *part =
        (gyre_images){.count = count, .h = h, .w = w, .c = c, .images = *images, .labels = *labels};
    if (*images != NULL && *labels != NULL) return GYRE_OK;
    return gyre_fail(GYRE_EDEVICE, "no memory for %lld images of %d x %d x %d", (long long)count, h,
                     w, c);
}
