/* The folder that gyre find writes into; see find_folder.h. */
#include "find_folder.h"

#include "cli.h"
#include "gyre/file.h"
#include "gyre/leftover.h"
#include "gyre/plot.h"
#include "gyre/run_folder.h"
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define KEPT "find.partial.h5" /* what is done of a search, until it ends */

char *cli_find_folder_stem(const char *config) {
    const char *slash = strrchr(config, '/');
    char *stem = strdup(slash == NULL ? config : slash + 1);
    char *dot = stem == NULL ? NULL : strrchr(stem, '.');
    if (dot != NULL && dot != stem) *dot = '\0';
    return stem;
}

gyre_status cli_find_folder_choose(const char *asked, const char *stem, char **out) {
    if (asked != NULL) {
        *out = strdup(asked);
    } else if (asprintf(out, "%s-find", stem) < 0) {
        *out = NULL;
    }
    if (*out == NULL) return gyre_no_memory("the folder's name");
    for (size_t end = strlen(*out); end > 1 && (*out)[end - 1] == '/'; end--) (*out)[end - 1] = 0;
    return GYRE_OK;
}

/* The temporary files of a search that was killed while it wrote. */
static bool is_temporary(const char *name) {
    return gyre_leftover_is_of(name, KEPT) || gyre_leftover_is_of(name, GYRE_FIND_FILE);
}

static bool is_kept(const char *dir, const char *name) {
    (void)dir;
    return strcmp(name, KEPT) == 0 || is_temporary(name);
}

void cli_find_folder_end(const char *path, const char *kept) {
    DIR *d = opendir(path);
    for (struct dirent *e; d != NULL && (e = readdir(d)) != NULL;) {
        if (is_temporary(e->d_name)) unlinkat(dirfd(d), e->d_name, 0);
    }
    if (d != NULL) closedir(d);
    unlink(kept);
}

gyre_status cli_find_folder_check(const char *path, char **kept) {
    bool unused = false;
    GYRE_TRY(gyre_fail_in("--out", gyre_folder_is_free(path, is_kept, &unused)));
    *kept = gyre_path_join(path, KEPT);
    if (*kept == NULL) return gyre_no_memory("the folder's name");
    if (unused) return GYRE_OK;
    return gyre_fail(GYRE_EIO,
                     "--out: '%s' is not empty; choose another folder, its files are "
                     "left alone",
                     path);
}

gyre_status cli_find_folder_check_name(const char *write, const char *folder) {
    static const char *const taken[] = {GYRE_FIND_FILE, "find.svg", "find.gp", "find.dat", KEPT};
    const char *slash = strrchr(write, '/'), *name = slash == NULL ? write : slash + 1;
    char *dir = gyre_path_dir(write), *a = dir == NULL ? NULL : realpath(dir, NULL);
    char *b = realpath(folder, NULL);
    bool inside = a != NULL && b != NULL && strcmp(a, b) == 0, clash = false;
    for (int i = 0; i < 5; i++) clash = clash || (inside && strcmp(name, taken[i]) == 0);
    free(dir);
    free(a);
    free(b);
    if (!clash) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE, "--write: '%s' is the name of a result in --out; choose another",
                     write);
}

/* FOLDER/find.h5, or the first of find-2.h5, ... that is free: another range test may have been
 * begun in the same empty folder, and ended first. */
static gyre_status free_name(const char *folder, char **out) {
    for (int i = 1;; i++) {
        int n = i == 1 ? asprintf(out, "%s/" GYRE_FIND_FILE, folder)
                       : asprintf(out, "%s/find-%d.h5", folder, i);
        if (n < 0) {
            *out = NULL;
            return gyre_no_memory("the result's names");
        }
        if (!gyre_file_taken(*out)) return GYRE_OK;
        free(*out);
    }
}

gyre_status cli_find_folder_write(const gyre_find *f, const char *folder, char **out) {
    char *data = NULL;
    GYRE_TRY(free_name(folder, &data));
    gyre_status status = gyre_dir_make(folder); /* somebody may have removed it */
    if (status == GYRE_OK) status = gyre_find_write(f, data);
    if (status == GYRE_OK) cli_print_path(data);
    *out = data;
    return status;
}

gyre_status cli_find_folder_draw(const gyre_find *f, const char *data, const char *stem) {
    gyre_status status = GYRE_OK;
    char *title = NULL, *figure = NULL;
    if (asprintf(&figure, "%.*s.svg", (int)(strlen(data) - strlen(".h5")), data) < 0) figure = NULL;
    if (asprintf(&title, "learning-rate range test: %s", stem) < 0) title = NULL;
    if (figure == NULL || title == NULL) {
        GYRE_GOTO(gyre_no_memory("the result's names"));
    }
    GYRE_GOTO(gyre_plot_find(f, title, figure));
    cli_print_path(figure);
out:
    free(title);
    free(figure);
    return status;
}
