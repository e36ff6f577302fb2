/* Class and part of each picture, from the folders that it lies in. */
#include "listing.h"

#include "parts.h"
#include <stdlib.h>
#include <string.h>

static gyre_status take_folder(data_listed *file) {
    const char *at = file->path + file->kind_at, *slash = strchr(at, '/');
    if (file->problem != NULL || slash == NULL) return GYRE_OK;
    file->kind = strndup(at, (size_t)(slash - at));
    return file->kind == NULL ? gyre_no_memory("listing the pictures of a folder") : GYRE_OK;
}

/* A picture outside of all class folders. */
static gyre_status set_stray(data_listed *file) {
    gyre_fail(GYRE_EIO, "lies in no class's folder");
    return data_listed_fail(file);
}

gyre_status data_listing_by_folder(const char *dir, bool no_parts, data_listing *l) {
    size_t inside = 0, outside = 0;
    GYRE_TRY(data_parts_find(dir, no_parts, l));
    for (size_t i = 0; i < l->count; i++) {
        data_listed *file = &l->files[i];
        GYRE_TRY(take_folder(file));
        if (file->kind != NULL)
            inside++;
        else if (file->problem == NULL)
            outside++;
    }
    if (inside == 0 && outside > 0) {
        return gyre_fail(GYRE_EUSAGE,
                         "'%s' holds pictures (%zu) that lie in no class's folder: put each class "
                         "into a folder of its own (cat/1.jpg, dog/1.jpg), or name the classes in "
                         "a file with lines 'file,label' and give --labels FILE.csv",
                         dir, outside);
    }
    for (size_t i = 0; i < l->count; i++) {
        data_listed *file = &l->files[i];
        if (file->kind == NULL && file->problem == NULL) GYRE_TRY(set_stray(file));
    }
    return GYRE_OK;
}
