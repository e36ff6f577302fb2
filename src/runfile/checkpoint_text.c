/* Texts of a checkpoint; see checkpoint_text.h. */
#include "checkpoint_text.h"

#include "gyre/json.h"
#include "h5_file.h"
#include "h5_reader.h"
#include <stdlib.h>
#include <string.h>

gyre_status checkpoint_text_write(hid_t file, const char *path, const char *place,
                                  const char *text) {
    if (text == NULL) return GYRE_OK;
    return h5_write_texts(file, path, place, 0, strlen(text), text);
}

gyre_status checkpoint_text_read(gyre_h5_reader *r, const char *place, char **out) {
    const char *path = gyre_h5_reader_path(r);
    const gyre_h5_entry *e = gyre_h5_reader_find(r, place);
    *out = NULL;
    if (e == NULL) return GYRE_OK;
    if (e->kind != GYRE_H5_TEXTS || h5_count(e) != 1 || e->size < 1 ||
        e->size > GYRE_JSON_BYTES_MAX) {
        return gyre_fail(GYRE_EIO, "'%s': %s is no text of 1 to %d bytes", path, place,
                         GYRE_JSON_BYTES_MAX);
    }
    char *text = calloc(1, e->size + 1);
    if (text == NULL) return gyre_no_memory("%s of '%s'", place, path);
    const h5_type type = {.format = H5_TEXT, .size = e->size};
    gyre_status status = h5_read(r, e, &type, text, 1);
    if (status == GYRE_OK)
        *out = text;
    else
        free(text);
    return status;
}
