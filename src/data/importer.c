/* What the importers share; see importer.h. */
#include "importer.h"

#include "gyre/file.h"
#include "gyre/size.h"
#include "write.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

bool data_is_file(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

int data_entries_by_bytes(const struct dirent **a, const struct dirent **b) {
    return strcmp((*a)->d_name, (*b)->d_name);
}

gyre_status data_output_apart_in(const char *output, const char *dir, const char *const *names) {
    gyre_status status = GYRE_OK;
    for (int i = 0; names[i] != NULL && status == GYRE_OK; i++) {
        char *path = gyre_path_join(dir, names[i]);
        status = path == NULL ? gyre_no_memory("reading '%s'", names[i])
                              : data_output_apart(output, path);
        free(path);
    }
    return status;
}

gyre_status data_part_alloc(int64_t count, int h, int w, int c, gyre_images *part, uint8_t **images,
                            int32_t **labels) {
    size_t image = (size_t)h * (size_t)w * (size_t)c;
    *images = malloc(gyre_size_of((size_t)count, image));
    *labels = malloc(gyre_size_of((size_t)count, sizeof **labels));
    *part =
        (gyre_images){.count = count, .h = h, .w = w, .c = c, .images = *images, .labels = *labels};
    if (*images != NULL && *labels != NULL) return GYRE_OK;
    return gyre_no_memory("%lld images of %d x %d x %d", (long long)count, h, w, c);
}
