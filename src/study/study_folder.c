/* Whose folder it is: study.json is created by one process, and must say the same to all others,
 * since tasks of an array may begin at the same moment and a study may come back after weeks. It
 * may come back with more arms and seeds: what is done is the same then. */
#include "study_folder.h"
#include "study_json.h"

#include "gyre/config.h"
#include "gyre/file.h"
#include "gyre/log.h"
#include "gyre/overwrite.h"
#include "gyre/run_folder.h"
#include "gyre/text.h"
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- what differs between the folder's study and the one of the study file */

typedef struct {
    char text[GYRE_ERROR_MAX];
} differences;

static void note(differences *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void note(differences *d, const char *format, ...) {
    va_list args;
    va_start(args, format);
    if (d->text[0] != '\0') gyre_text_add(d->text, sizeof d->text, "; ");
    gyre_text_add_list(d->text, sizeof d->text, format, args);
    va_end(args);
}

/* `shown` stands for the key in the text. */
static gyre_status compare_key(const gyre_json_value *then, const gyre_json_value *now,
                               const char *key, const char *shown, differences *d) {
    enum { MOST = 80 }; /* bytes of a value */
    const gyre_json_value *a = gyre_json_get(then, key), *b = gyre_json_get(now, key);
    char *a_text = a == NULL ? NULL : gyre_json_print(a, false);
    char *b_text = b == NULL ? NULL : gyre_json_print(b, false);
    if ((a != NULL && a_text == NULL) || (b != NULL && b_text == NULL)) {
        free(a_text);
        free(b_text);
        return gyre_no_memory("comparing studies");
    }
    const bool neither = a_text == NULL && b_text == NULL;
    if (!neither && (a_text == NULL || b_text == NULL || strcmp(a_text, b_text) != 0)) {
        note(d, "%s: folder has %s, study file %s", shown,
             a_text == NULL ? "nothing" : gyre_text_shorten(a_text, MOST),
             b_text == NULL ? "nothing" : gyre_text_shorten(b_text, MOST));
    }
    free(a_text);
    free(b_text);
    return GYRE_OK;
}

/* What of the two lists is in one alone. A study may grow; arms that share a name are compared. */
typedef struct {
    int gone, fresh;
    differences list;
} changes;

/* Both trees were read by gyre_study_read or printed by study_print: every arm has a name. */
static void key_of(const gyre_json_value *item, char *out, size_t size) {
    const gyre_json_value *name = gyre_json_get(item, "name");
    if (name != NULL)
        snprintf(out, size, "%s", gyre_json_text(name));
    else
        snprintf(out, size, "%.0f", gyre_json_number(item));
}

static const gyre_json_value *find_item(const gyre_json_value *list, const char *key, int *place) {
    char other[256];
    *place = 0;
    for (const gyre_json_value *v = gyre_json_first(list); v != NULL; v = gyre_json_next(v)) {
        key_of(v, other, sizeof other);
        if (strcmp(other, key) == 0) return v;
        (*place)++;
    }
    return NULL;
}

/* Arms, or seeds. What both have must stand in one order: a report lists it so. */
static void compare_lists(const gyre_json_value *then, const gyre_json_value *now, const char *list,
                          const char *word, changes *c, differences *d) {
    const gyre_json_value *old = gyre_json_get(then, list), *fresh = gyre_json_get(now, list);
    char key[256], before[256] = "";
    int place, last = -1;
    for (const gyre_json_value *v = gyre_json_first(old); v != NULL; v = gyre_json_next(v)) {
        key_of(v, key, sizeof key);
        if (find_item(fresh, key, &place) != NULL) continue;
        note(&c->list, "%s %s is gone", word, key);
        c->gone++;
    }
    for (const gyre_json_value *v = gyre_json_first(fresh); v != NULL; v = gyre_json_next(v)) {
        key_of(v, key, sizeof key);
        if (find_item(old, key, &place) == NULL) {
            note(&c->list, "%s %s is new", word, key);
            c->fresh++;
            continue;
        }
        if (place < last) {
            note(d, "the order of %s: %s comes before %s in the folder, after it in the study file",
                 list, key, before);
            return;
        }
        last = place;
        snprintf(before, sizeof before, "%s", key);
    }
}

/* The name behind an index into a list of the study: of an arm, or of a group; "" for none. */
static const char *name_at(const gyre_json_value *study, const char *list, double index) {
    const gyre_json_value *v = gyre_json_first(gyre_json_get(study, list));
    for (int i = 0; v != NULL && i < (int)index; i++) v = gyre_json_next(v);
    if (v == NULL || index < 0) return "";
    const gyre_json_value *name = gyre_json_get(v, "name");
    return gyre_json_text(name != NULL ? name : v);
}

/* By name, since the index changes as a study grows. */
static void compare_index(const gyre_json_value *then, const gyre_json_value *a,
                          const gyre_json_value *now, const gyre_json_value *b, const char *list,
                          const char *shown, differences *d) {
    const char *old = name_at(then, list, gyre_json_number(a));
    const char *fresh = name_at(now, list, gyre_json_number(b));
    if (strcmp(old, fresh) == 0) return;
    note(d, "%s: folder has '%.80s', study file '%.80s'", shown, old, fresh);
}

/* The file that the arm's runs begin from may come later than the study; then it stays the same. */
static void compare_beginning(const gyre_json_value *then, const gyre_json_value *now,
                              const gyre_settings *settings, changes *c, differences *d) {
    const gyre_json_value *a = gyre_json_get(then, "init_hash");
    const gyre_json_value *b = gyre_json_get(now, "init_hash");
    const char *name = gyre_json_text(gyre_json_get(now, "name"));
    if (b == NULL) return;
    if (a == NULL) {
        note(&c->list, "%s: '%s' is there now", name, settings->model.init_from);
        c->fresh++;
    } else if (strcmp(gyre_json_text(a), gyre_json_text(b)) != 0) {
        note(d, "%s: model.init_from: '%s' has another content", name, settings->model.init_from);
    }
}

static gyre_status compare_arm(const gyre_json_value *old, const gyre_json_value *then,
                               const gyre_json_value *fresh, const gyre_json_value *now,
                               const char *path, changes *c, differences *d) {
    const gyre_json_value *a = gyre_json_get(then, "config"), *b = gyre_json_get(now, "config");
    const char *name = gyre_json_text(gyre_json_get(now, "name"));
    gyre_settings *before = NULL, *after = NULL;
    differences data = {0};
    gyre_status status =
        a == NULL ? gyre_fail(GYRE_EIO, "'%s' is not what gyre writes: arms", path) : GYRE_OK;
    GYRE_GOTO(status);
    GYRE_GOTO(gyre_config_build(a, path, NULL, 0, &before));
    GYRE_GOTO(gyre_config_build(b, path, NULL, 0, &after));
    status = gyre_config_compare(before, after);
    if (status == GYRE_EUSAGE) {
        const char *list = strstr(gyre_error_text(), "--out: ");
        note(d, "%s: %s", name, list == NULL ? gyre_error_text() : list + strlen("--out: "));
        status = GYRE_OK;
    }
    GYRE_GOTO(status);
    GYRE_GOTO(compare_key(then, now, "data_hash", "", &data));
    if (data.text[0] != '\0') note(d, "%s: the dataset has other images or labels", name);
    compare_beginning(then, now, after, c, d);
    char shown[160];
    snprintf(shown, sizeof shown, "%s: control", name);
    GYRE_GOTO(compare_key(then, now, "control", shown, d));
    snprintf(shown, sizeof shown, "%s: group", name);
    compare_index(old, gyre_json_get(then, "group"), fresh, gyre_json_get(now, "group"), "groups",
                  shown, d);
out:
    gyre_config_close(before);
    gyre_config_close(after);
    return status;
}

static gyre_status compare_arms(const gyre_json_value *then, const gyre_json_value *now,
                                const char *path, changes *c, differences *d) {
    const gyre_json_value *old = gyre_json_get(then, "arms");
    const gyre_json_value *v = gyre_json_first(gyre_json_get(now, "arms"));
    for (; v != NULL; v = gyre_json_next(v)) {
        char name[256];
        int place;
        key_of(v, name, sizeof name);
        const gyre_json_value *before = find_item(old, name, &place);
        if (before != NULL) GYRE_TRY(compare_arm(then, before, now, v, path, c, d));
    }
    return GYRE_OK;
}

static gyre_status refused(const char *folder, differences *d, changes *c) {
    enum { MOST = 320 }; /* bytes of each list */
    bool both = d->text[0] != '\0' && c->list.text[0] != '\0';
    return gyre_fail(GYRE_EUSAGE,
                     "'%.200s' was begun with another study file. A study may gain arms and seeds, "
                     "nothing else may change; put it back or take a new --out: %s%s%s",
                     folder, gyre_text_shorten(d->text, MOST), both ? "; " : "",
                     gyre_text_shorten(c->list.text, MOST));
}

/* OK when the folder's study and this one are the same except for arms and seeds that one of them
 * has alone: `c` says what. */
static gyre_status compare(const gyre_json_value *now, const char *folder, const char *path,
                           changes *c) {
    static const char *const keys[] = {"budget_steps", "evaluate_steps", "validation_split",
                                       "samples"};
    static const char *const planned[] = {"planned_arm", "planned_control"};
    gyre_status status = GYRE_OK;
    gyre_study *old = NULL;
    gyre_json_value *then = NULL;
    differences d = {0};
    *c = (changes){0};
    GYRE_GOTO(gyre_study_read(folder, &old)); /* which says what is wrong with a damaged one */
    GYRE_GOTO(gyre_json_read(path, &then));
    const char *name = gyre_json_text(gyre_json_get(now, "name"));
    if (strcmp(old->name, name) != 0) {
        status = gyre_fail(GYRE_EUSAGE,
                           "'%s' is the folder of the study '%s', this is '%s'; choose another "
                           "--out, or write \"name\": \"%s\" into the study file to resume it",
                           folder, old->name, name, old->name);
        goto out;
    }
    compare_lists(then, now, "seeds", "seed", c, &d);
    compare_lists(then, now, "arms", "arm", c, &d);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        GYRE_GOTO(compare_key(then, now, keys[i], keys[i], &d));
    }
    for (int i = 0; i < 2; i++) {
        compare_index(then, gyre_json_get(then, planned[i]), now, gyre_json_get(now, planned[i]),
                      "arms", planned[i], &d);
    }
    GYRE_GOTO(compare_arms(then, now, path, c, &d));
    if (d.text[0] == '\0') GYRE_GOTO(compare_key(then, now, "format", "format", &d));
    if (d.text[0] != '\0' || (c->gone > 0 && c->fresh > 0)) status = refused(folder, &d, c);
out:
    gyre_json_close(then);
    gyre_study_close(old);
    return status;
}

/* ---- a study that has grown */

/* A study.json that was changed by hand has more in it than what a study is made of. */
static gyre_status keep_changed(const char *path) {
    enum { LARGEST = 1 << 26 };
    gyre_json_value *tree = NULL;
    char *text = NULL, *own = NULL, *kept = NULL;
    size_t size = 0;
    gyre_status status = GYRE_OK;
    GYRE_GOTO(gyre_json_read(path, &tree));
    GYRE_GOTO(gyre_file_read(path, LARGEST, &text, &size));
    own = gyre_json_print(tree, true);
    if (own == NULL) GYRE_GOTO(gyre_no_memory("comparing studies"));
    if (strcmp(text, own) == 0) goto out;
    GYRE_GOTO(gyre_overwrite_keep(path, "before", &kept));
    gyre_warn("'%s' is not as gyre wrote it; that file is '%s' now", path, kept);
out:
    gyre_json_close(tree);
    free(text);
    free(own);
    free(kept);
    return status;
}

static gyre_status write_grown(const gyre_json_value *now, const char *path) {
    GYRE_TRY(keep_changed(path));
    char *text = gyre_json_print(now, true);
    if (text == NULL) return gyre_no_memory("comparing studies");
    gyre_status status = gyre_file_write_atomic(path, text, strlen(text));
    free(text);
    return status;
}

/* One process at a time looks again and writes, so that two files that grew in two ways do not
 * replace each other's. Where there are no locks, that is up to the user. */
static gyre_status grow(const gyre_json_value *now, const char *folder, const char *path) {
    changes c;
    gyre_lock_state state;
    int lock = -1;
    char *lock_path = NULL;
    if (asprintf(&lock_path, "%s.lock", path) < 0) return gyre_no_memory("comparing studies");
    gyre_status status = gyre_lock_take(lock_path, GYRE_LOCK_FOREVER, &lock, &state);
    free(lock_path);
    if (status == GYRE_OK) status = compare(now, folder, path, &c);
    if (status == GYRE_OK && c.fresh > 0) {
        status = write_grown(now, path);
        if (status == GYRE_OK) gyre_say("%s: the study grows: %s", folder, c.list.text);
    }
    if (lock >= 0) close(lock);
    return status;
}

/* A study that is there already: the same, a part of it, or one that has grown. */
static gyre_status join(const gyre_json_value *now, const char *folder, const char *path) {
    changes c;
    GYRE_TRY(compare(now, folder, path, &c));
    if (c.gone > 0) {
        gyre_warn("'%s' holds more than this study file names (%s): what is left out is not "
                  "run, and `gyre report` counts it all the same",
                  folder, gyre_text_shorten(c.list.text, 300));
    }
    return c.fresh > 0 ? grow(now, folder, path) : GYRE_OK;
}

/* ---- making it */

/* What another process is just making. */
static bool is_being_made(const char *dir, const char *name) {
    (void)dir;
    return strncmp(name, GYRE_STUDY_FILE, strlen(GYRE_STUDY_FILE)) == 0;
}

static gyre_status check_free(const char *folder) {
    bool unused = false;
    GYRE_TRY(
        gyre_fail_in("study folder (--out)", gyre_folder_is_free(folder, is_being_made, &unused)));
    if (unused) return GYRE_OK;
    return gyre_fail(GYRE_EIO,
                     "'%s' is not empty and holds no study (no study.json); choose another --out, "
                     "its files are left alone",
                     folder);
}

static gyre_status create(const gyre_json_value *tree, const char *folder, const char *path) {
    char *text = gyre_json_print(tree, true);
    bool created = false;
    if (text == NULL) return gyre_no_memory("comparing studies");
    gyre_status status = gyre_fail_in("study folder (--out)", gyre_dir_make(folder));
    if (status == GYRE_OK) {
        status = gyre_file_create_atomic(path, text, strlen(text), &created);
    }
    free(text);
    return status;
}

gyre_status study_folder_claim(gyre_study *s, const char *folder) {
    gyre_status status = GYRE_OK;
    gyre_json_value *tree = NULL;
    char *path = study_file_path(folder);
    free(s->folder);
    s->folder = strdup(folder);
    if (path == NULL || s->folder == NULL) {
        status = gyre_no_memory("comparing studies");
        goto out;
    }
    GYRE_GOTO(study_print(s, &tree));
    if (!gyre_file_exists(path)) {
        status = check_free(folder);
        if (status != GYRE_OK && gyre_file_exists(path)) status = GYRE_OK; /* made meanwhile */
        GYRE_GOTO(status);
        GYRE_GOTO(create(tree, folder, path));
    }
    status = join(tree, folder, path);
out:
    gyre_json_close(tree);
    free(path);
    return status;
}
