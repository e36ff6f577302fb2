/* Is there anything in a folder? */
#include "gyre/run_folder.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

gyre_status gyre_folder_is_free(const char *path,
                                bool (*leftover)(const char *dir, const char *name), bool *out) {
    *out = true;
    DIR *d = opendir(path);
    if (d == NULL && errno == ENOENT) return GYRE_OK;
    if (d == NULL && errno == ENOMEM) return gyre_no_memory("reading '%s'", path);
    if (d == NULL) return gyre_fail(GYRE_EIO, "cannot use '%s': %s", path, strerror(errno));
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        const char *name = e->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
        if (leftover == NULL || !leftover(path, name)) *out = false;
    }
    closedir(d);
    return GYRE_OK;
}
