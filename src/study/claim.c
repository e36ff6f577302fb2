/* Whose folder it is: study.json is created by one process, and must say the same to all others,
 * since tasks of an array may begin at the same moment and a study may come back after weeks. */
#include "folder.h"

#include "gyre/config.h"
#include "gyre/file.h"
#include <dirent.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static gyre_status no_memory(void) {
    return gyre_fail(GYRE_EDEVICE, "no memory to compare studies");
}

/* ---- what differs between the folder's study and the one of the study file */

typedef struct {
    char text[GYRE_ERROR_MAX];
    size_t used;
} differences;

static void note(differences *d, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void note(differences *d, const char *format, ...) {
    va_list args;
    va_start(args, format);
    if (d->used > 0 && d->used < sizeof d->text) {
        d->used += (size_t)snprintf(d->text + d->used, sizeof d->text - d->used, "; ");
    }
    if (d->used < sizeof d->text) {
        d->used += (size_t)vsnprintf(d->text + d->used, sizeof d->text - d->used, format, args);
    }
    va_end(args);
}

/* `shown` stands for the key in the text. */
static gyre_status compare_key(const gyre_json_value *then, const gyre_json_value *now,
                               const char *key, const char *shown, differences *d) {
    const gyre_json_value *a = gyre_json_get(then, key), *b = gyre_json_get(now, key);
    char *a_text = a == NULL ? NULL : gyre_json_print(a, false);
    char *b_text = b == NULL ? NULL : gyre_json_print(b, false);
    if ((a != NULL && a_text == NULL) || (b != NULL && b_text == NULL)) {
        free(a_text);
        free(b_text);
        return no_memory();
    }
    if (a_text == NULL || b_text == NULL || strcmp(a_text, b_text) != 0) {
        note(d, "%s: folder has %.80s, study file %.80s", shown,
             a_text == NULL ? "nothing" : a_text, b_text == NULL ? "nothing" : b_text);
    }
    free(a_text);
    free(b_text);
    return GYRE_OK;
}

/* Both trees were read by gyre_study_read or printed by study_print: every arm has a name. */
static const gyre_json_value *find_arm(const gyre_json_value *study, const gyre_json_value *arm) {
    const char *name = gyre_json_text(gyre_json_get(arm, "name"));
    const gyre_json_value *v = gyre_json_first(gyre_json_get(study, "arms"));
    for (; v != NULL; v = gyre_json_next(v)) {
        if (strcmp(gyre_json_text(gyre_json_get(v, "name")), name) == 0) return v;
    }
    return NULL;
}

static gyre_status compare_arm(const gyre_json_value *then, const gyre_json_value *now,
                               const char *path, differences *d) {
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
    if (data.used > 0) note(d, "%s: the dataset has other images or labels", name);
    char shown[160];
    snprintf(shown, sizeof shown, "%s: control", name);
    GYRE_GOTO(compare_key(then, now, "control", shown, d));
    snprintf(shown, sizeof shown, "%s: group", name);
    status = compare_key(then, now, "group", shown, d);
out:
    gyre_config_close(before);
    gyre_config_close(after);
    return status;
}

/* The same arms in another order: a cell's number would mean another cell. */
static void compare_order(const gyre_json_value *then, const gyre_json_value *now, differences *d) {
    const gyre_json_value *a = gyre_json_first(gyre_json_get(then, "arms"));
    const gyre_json_value *b = gyre_json_first(gyre_json_get(now, "arms"));
    for (int i = 0; a != NULL && b != NULL; i++, a = gyre_json_next(a), b = gyre_json_next(b)) {
        const char *old = gyre_json_text(gyre_json_get(a, "name"));
        const char *fresh = gyre_json_text(gyre_json_get(b, "name"));
        if (strcmp(old, fresh) == 0) continue;
        note(d, "the arms' order: arm %d is %s in the folder, %s in the study file", i, old, fresh);
        return;
    }
}

static gyre_status compare_arms(const gyre_json_value *then, const gyre_json_value *now,
                                const char *path, differences *d) {
    const gyre_json_value *old = gyre_json_get(then, "arms"), *fresh = gyre_json_get(now, "arms");
    const gyre_json_value *v = gyre_json_first(old);
    bool same = true;
    for (; v != NULL; v = gyre_json_next(v)) {
        if (find_arm(now, v) != NULL) continue;
        note(d, "arm %s is gone", gyre_json_text(gyre_json_get(v, "name")));
        same = false;
    }
    for (v = gyre_json_first(fresh); v != NULL; v = gyre_json_next(v)) {
        const gyre_json_value *before = find_arm(then, v);
        if (before == NULL) {
            note(d, "arm %s is new", gyre_json_text(gyre_json_get(v, "name")));
            same = false;
        } else {
            GYRE_TRY(compare_arm(before, v, path, d));
        }
    }
    if (same) compare_order(then, now, d);
    return GYRE_OK;
}

static gyre_status compare(const gyre_json_value *now, const char *folder, const char *path) {
    static const char *const keys[] = {"seeds",           "groups",          "budget_steps",
                                       "planned_arm",     "planned_control", "evaluate_steps",
                                       "validation_split"};
    gyre_status status = GYRE_OK;
    gyre_study *old = NULL;
    gyre_json_value *then = NULL;
    differences d = {0};
    GYRE_GOTO(gyre_study_read(folder, &old)); /* which says what is wrong with a damaged one */
    GYRE_GOTO(gyre_json_read(path, &then));
    const char *name = gyre_json_text(gyre_json_get(now, "name"));
    if (strcmp(old->name, name) != 0) {
        status = gyre_fail(GYRE_EUSAGE,
                           "'%s' is the folder of the study '%s', this is '%s'; choose another "
                           "--out",
                           folder, old->name, name);
        goto out;
    }
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        GYRE_GOTO(compare_key(then, now, keys[i], keys[i], &d));
    }
    GYRE_GOTO(compare_arms(then, now, path, &d));
    if (d.used == 0) GYRE_GOTO(compare_key(then, now, "format", "format", &d));
    if (d.used > 0) {
        status = gyre_fail(GYRE_EUSAGE,
                           "'%s' was begun with another study file; put it back or take a new "
                           "--out: %s",
                           folder, d.text);
    }
out:
    gyre_json_close(then);
    gyre_study_close(old);
    return status;
}

/* ---- making it */

/* Empty but for what another process is just making. */
static gyre_status check_free(const char *folder) {
    bool used = false;
    DIR *d = opendir(folder);
    if (d == NULL && errno == ENOENT) return GYRE_OK;
    if (d == NULL) {
        return gyre_fail(GYRE_EIO, "cannot use '%s' as study folder: %s", folder, strerror(errno));
    }
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        used = used || (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0 &&
                        strncmp(e->d_name, "study.json", strlen("study.json")) != 0);
    }
    closedir(d);
    if (!used) return GYRE_OK;
    return gyre_fail(GYRE_EIO,
                     "'%s' is not empty and holds no study (no study.json); choose another --out, "
                     "its files are left alone",
                     folder);
}

static gyre_status create(const gyre_json_value *tree, const char *folder, const char *path) {
    char *text = gyre_json_print(tree, true);
    bool created = false;
    if (text == NULL) return no_memory();
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
        status = no_memory();
        goto out;
    }
    GYRE_GOTO(study_print(s, &tree));
    if (!gyre_file_exists(path)) {
        status = check_free(folder);
        if (status != GYRE_OK && gyre_file_exists(path)) status = GYRE_OK; /* made meanwhile */
        GYRE_GOTO(status);
        GYRE_GOTO(create(tree, folder, path));
    }
    status = compare(tree, folder, path);
out:
    gyre_json_close(tree);
    free(path);
    return status;
}
