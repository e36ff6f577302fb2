/* A list of nodes as one text of the length that it has. */
#include "checkpoint_network.h"

#include "gyre/json.h"
#include "h5_file.h"
#include "h5_reader.h"
#include <stdlib.h>
#include <string.h>

static const char place[] = "/state/network";

gyre_status checkpoint_network_write(hid_t file, const char *path, const char *text) {
    if (text == NULL) return GYRE_OK;
    hid_t type = h5_text_type(strlen(text)), space = H5Screate(H5S_SCALAR);
    hid_t list = H5Pcreate(H5P_DATASET_CREATE);
    if (list >= 0) H5Pset_obj_track_times(list, 0); /* equal checkpoints are equal files */
    hid_t dataset = H5Dcreate2(file, place, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    bool ok = dataset >= 0 && H5Dwrite(dataset, type, H5S_ALL, H5S_ALL, H5P_DEFAULT, text) >= 0;
    h5_close(dataset);
    h5_close(list);
    h5_close(space);
    h5_close(type);
    return ok ? GYRE_OK : gyre_fail(GYRE_EIO, "cannot write '%s'; is the disk full?", path);
}

gyre_status checkpoint_network_read(gyre_h5_reader *r, char **out) {
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
    if (text == NULL) return gyre_no_memory("the network of '%s'", path);
    const h5_type type = {.format = H5_TEXT, .size = e->size};
    gyre_status status = h5_read(r, e, &type, text, 1);
    if (status == GYRE_OK)
        *out = text;
    else
        free(text);
    return status;
}
