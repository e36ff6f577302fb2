/* Looking for pictures below a folder. A folder is known by its device and number, so that links
 * that lead in a circle, or twice to one place, do no harm. */
#include "listing.h"

#include "gyre/file.h"
#include "importer.h"
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

typedef struct {
    dev_t device;
    ino_t number;
} identity;

typedef struct {
    data_listing *list;
    identity *seen;
    size_t count, room;
} walk;

bool data_is_picture_name(const char *name) {
    static const char *const ends[] = {".jpg", ".jpeg", ".jpe", ".jfif", ".mpo", ".png"};
    const char *dot = strrchr(name, '.');
    for (size_t i = 0; dot != NULL && i < sizeof ends / sizeof *ends; i++) {
        if (strcasecmp(dot, ends[i]) == 0) return true;
    }
    return false;
}

const char *const data_other_formats[DATA_OTHER_FORMATS] = {
    ".webp", ".gif", ".bmp", ".tif", ".tiff", ".heic", ".heif", ".avif", ".jp2", ".jxl", ".ppm"};

static void count_format(data_listing *l, const char *name) {
    const char *dot = strrchr(name, '.');
    for (int i = 0; dot != NULL && i < DATA_OTHER_FORMATS; i++) {
        l->formats[i] += strcasecmp(dot, data_other_formats[i]) == 0;
    }
}

/* Counts something that is not taken, and keeps the first one's name. */
static gyre_status count(size_t *number, char **first, const char *name) {
    if ((*number)++ > 0) return GYRE_OK;
    *first = strdup(name);
    return *first == NULL ? gyre_no_memory("listing the pictures of a folder") : GYRE_OK;
}

static gyre_status enter(walk *w, const struct stat *st, bool *again) {
    *again = false;
    for (size_t i = 0; i < w->count && !*again; i++) {
        *again = w->seen[i].number == st->st_ino && w->seen[i].device == st->st_dev;
    }
    if (*again) return GYRE_OK;
    if (w->count == w->room) {
        size_t room = w->room == 0 ? 64 : 2 * w->room;
        identity *more = realloc(w->seen, room * sizeof *more);
        if (more == NULL) return gyre_no_memory("listing the pictures of a folder");
        w->seen = more;
        w->room = room;
    }
    w->seen[w->count++] = (identity){st->st_dev, st->st_ino};
    return GYRE_OK;
}

/* Not what file managers and servers keep beside pictures: hidden files, previews, resource forks.
 */
static int is_visible(const struct dirent *entry) {
    return entry->d_name[0] != '.' && strcmp(entry->d_name, "__MACOSX") != 0 &&
           strcmp(entry->d_name, "@eaDir") != 0;
}

static gyre_status walk_folder(walk *w, const char *path, const char *below);

/* `below` is its place below the folder; `path` the same for the operating system. */
static gyre_status visit(walk *w, const char *path, const char *below) {
    data_listing *l = w->list;
    struct stat st;
    bool there = stat(path, &st) == 0;
    if (there && S_ISDIR(st.st_mode)) return walk_folder(w, path, below);
    if (!data_is_picture_name(below)) {
        count_format(l, below);
        return count(&l->others, &l->other, below);
    }
    data_listed file = {.path = strdup(below)};
    return file.path == NULL ? gyre_no_memory("listing the pictures of a folder")
                             : data_listing_add(l, file);
}

/* The top folder is told by `below` being empty. */
static gyre_status cannot_list(walk *w, const char *path, const char *below, int reason) {
    if (reason == ENOMEM) return gyre_no_memory("listing the pictures of a folder");
    if (below[0] == '\0') {
        return gyre_fail(GYRE_EIO, "'%s' cannot be listed: %s", path, strerror(reason));
    }
    gyre_fail(GYRE_EIO, "is a folder that cannot be listed: %s", strerror(reason));
    data_listed file = {.path = strdup(below), .problem = strdup(gyre_error_text())};
    if (file.path != NULL && file.problem != NULL) return data_listing_add(w->list, file);
    free(file.path);
    free(file.problem);
    return gyre_no_memory("listing the pictures of a folder");
}

static gyre_status walk_folder(walk *w, const char *path, const char *below) {
    struct dirent **entries = NULL;
    struct stat st;
    gyre_status status = GYRE_OK;
    bool again;
    if (stat(path, &st) != 0) return cannot_list(w, path, below, errno);
    GYRE_TRY(enter(w, &st, &again));
    if (again) return count(&w->list->repeats, &w->list->repeat, below);
    int entry_count = scandir(path, &entries, is_visible, data_entries_by_bytes);
    if (entry_count < 0) return cannot_list(w, path, below, errno);
    if (entry_count == 0 && below[0] != '\0') {
        status = count(&w->list->hollow, &w->list->hollow_name, below);
    }
    for (int i = 0; i < entry_count; i++) {
        const char *name = entries[i]->d_name;
        char *there = gyre_path_join(path, name);
        char *its_below = below[0] == '\0' ? strdup(name) : gyre_path_join(below, name);
        if (there == NULL || its_below == NULL)
            status = gyre_no_memory("listing the pictures of a folder");
        else if (status == GYRE_OK)
            status = visit(w, there, its_below);
        free(there);
        free(its_below);
        free(entries[i]);
    }
    free(entries);
    return status;
}

gyre_status data_listing_walk(const char *dir, data_listing *l) {
    walk w = {.list = l};
    gyre_status status = walk_folder(&w, dir, "");
    free(w.seen);
    data_listing_sort(l);
    return status;
}
