/* Names of classes as text of a fixed length; see class_names.h. */
#include "class_names.h"

#include "h5_file.h"
#include "h5_reader.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char place[] = "/state/class_names";

static size_t longest(const gyre_class_names *names) {
    size_t most = 1;
    for (int i = 0; i < names->count; i++) {
        size_t length = strlen(names->names[i]);
        if (length > most) most = length;
    }
    return most;
}

gyre_status class_names_write(hid_t file, const char *path, const gyre_class_names *names) {
    if (names->count == 0) return GYRE_OK;
    size_t size = longest(names);
    char *text = calloc((size_t)names->count, size);
    if (text == NULL) return gyre_no_memory("writing '%s'", path);
    for (int i = 0; i < names->count; i++) {
        memcpy(text + (size_t)i * size, names->names[i], strlen(names->names[i]));
    }
    gyre_status status = h5_write_texts(file, path, place, (hsize_t)names->count, size, text);
    free(text);
    return status;
}

gyre_status class_names_read(gyre_h5_reader *r, gyre_class_names *out) {
    const char *path = gyre_h5_reader_path(r);
    const gyre_h5_entry *e = gyre_h5_reader_find(r, place);
    *out = (gyre_class_names){0};
    if (e == NULL) return GYRE_OK;
    size_t count = h5_count(e);
    if (e->kind != GYRE_H5_TEXTS || count < 1 || count > GYRE_CLASSES_MAX) {
        char shape[128];
        gyre_h5_shape(e, shape, sizeof shape);
        return gyre_fail(GYRE_EIO, "'%s': %s has the shape %s; 1 to %d names were expected", path,
                         place, shape, GYRE_CLASSES_MAX);
    }
    out->names = calloc(count, sizeof *out->names);
    if (out->names == NULL) {
        return gyre_no_memory("the class names of '%s'", path);
    }
    const h5_type type = {.format = H5_TEXT, .size = GYRE_NAME_SIZE};
    gyre_status status = h5_read(r, e, &type, out->names, count);
    if (status != GYRE_OK) {
        free(out->names);
        out->names = NULL;
        return status;
    }
    out->count = (int)count;
    for (int i = 0; i < out->count; i++) out->names[i][GYRE_NAME_SIZE - 1] = '\0';
    return GYRE_OK;
}
