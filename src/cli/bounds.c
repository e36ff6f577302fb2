/* A config with found bounds; see bounds.h. */
#include "bounds.h"

#include "gyre/config.h"
#include "gyre/file.h"
#include "gyre/log.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { CHANGES_MAX = 6 };

static gyre_status check_folder(const char *path, const char *made) {
    gyre_status status = GYRE_OK;
    char *folder = gyre_path_dir(path);
    if (folder == NULL) return gyre_fail(GYRE_EDEVICE, "no memory for the path '%s'", path);
    bool will_be = made != NULL && strcmp(folder, made) == 0;
    if (!will_be && access(folder, W_OK | X_OK) != 0) {
        status = gyre_fail(GYRE_EIO,
                           "--write: '%s' cannot be written: its folder '%s': %s; make the folder, "
                           "or choose another",
                           path, folder, strerror(errno));
    }
    free(folder);
    return status;
}

gyre_status gyre_cli_bounds_check(const gyre_settings *s, const char *path, const char *made) {
    const gyre_schedule_settings *outer = &s->schedule;
    if (gyre_file_exists(path)) {
        return gyre_fail(GYRE_EIO, "--write: '%s' exists; choose another name, it is left alone",
                         path);
    }
    GYRE_TRY(check_folder(path, made));
    for (int i = 0; i < outer->stage_count; i++) {
        const gyre_schedule_settings *inner = &outer->stages[i].schedule;
        if (inner->base_lr == outer->base_lr && inner->max_lr == outer->max_lr) continue;
        return gyre_fail(GYRE_EUSAGE,
                         "--write: schedule.stages[%d] has rates of its own, which base_lr and "
                         "max_lr of the schedule would not change; leave --write out and set the "
                         "stages by hand",
                         i);
    }
    return GYRE_OK;
}

/* ---- paths, which are relative to their config's folder */

static bool same_folder(const char *a, const char *b) {
    char *x = gyre_path_dir(a), *y = gyre_path_dir(b);
    char *real_x = x == NULL ? NULL : realpath(x, NULL);
    char *real_y = y == NULL ? NULL : realpath(y, NULL);
    bool same = real_x != NULL && real_y != NULL && strcmp(real_x, real_y) == 0;
    free(x);
    free(y);
    free(real_x);
    free(real_y);
    return same;
}

/* *path from the folder of `s` as one that is right anywhere. */
static gyre_status from_anywhere(const gyre_settings *s, char **path) {
    if (*path == NULL || **path == '/') return GYRE_OK;
    char *folder = realpath(s->dir, NULL);
    char *joined = folder == NULL ? NULL : gyre_path_join(folder, *path);
    free(folder);
    if (joined == NULL) return gyre_fail(GYRE_EIO, "cannot tell where '%s' is", s->dir);
    free(*path);
    *path = joined;
    return GYRE_OK;
}

/* ---- text */

static char *quoted(const char *text) {
    char *out = malloc(2 * strlen(text) + 3), *to = out;
    if (out == NULL) return NULL;
    *to++ = '"';
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == '"' || *c == '\\') *to++ = '\\';
        *to++ = *c;
    }
    *to++ = '"';
    *to = '\0';
    return out;
}

static gyre_status edited(const char *config, const gyre_settings *s, bool moved, char **text) {
    char base[32], most[32], *paths[3] = {0};
    const char *const keys[] = {"data.path", "model.init_from", "output.dir"};
    const char *const values[] = {s->data.path, s->model.init_from, s->output_dir};
    gyre_config_change changes[CHANGES_MAX];
    int count = 0;
    gyre_status status = GYRE_OK;
    snprintf(base, sizeof base, "%.3g", s->schedule.base_lr);
    snprintf(most, sizeof most, "%.3g", s->schedule.max_lr);
    changes[count++] = (gyre_config_change){"schedule.max_lr", most};
    changes[count++] = (gyre_config_change){"schedule.base_lr", base};
    for (int i = 0; moved && i < 3; i++) {
        if (values[i] == NULL) continue;
        paths[i] = quoted(values[i]);
        if (paths[i] == NULL) GYRE_GOTO(gyre_fail(GYRE_EDEVICE, "no memory for the config"));
        changes[count++] = (gyre_config_change){keys[i], paths[i]};
    }
    status = gyre_config_edit(config, changes, count, text);
out:
    for (int i = 0; i < 3; i++) free(paths[i]);
    return status;
}

static void settle(gyre_settings *s, const gyre_find_verdict *v) {
    s->schedule.base_lr = v->value.base_lr;
    s->schedule.max_lr = v->value.max_lr;
    for (int i = 0; i < s->schedule.stage_count; i++) {
        s->schedule.stages[i].schedule.base_lr = v->value.base_lr;
        s->schedule.stages[i].schedule.max_lr = v->value.max_lr;
    }
}

/* What was written must be a config: a key that was spelled with escapes is not found as text. */
static gyre_status read_back(const char *path) {
    gyre_settings *s = NULL;
    gyre_status status = gyre_config_open(path, NULL, 0, &s);
    gyre_config_close(s);
    if (status != GYRE_OK) unlink(path);
    return gyre_fail_in("--write", status);
}

gyre_status gyre_cli_bounds_write(const char *config, const gyre_cli_sets *sets, gyre_settings *s,
                                  const gyre_find_verdict *v, const char *path) {
    gyre_status status = GYRE_OK;
    char *text = NULL;
    bool moved = !same_folder(config, path);
    GYRE_TRY(gyre_cli_bounds_check(s, path, NULL));
    if (moved) {
        GYRE_TRY(from_anywhere(s, &s->data.path));
        GYRE_TRY(from_anywhere(s, &s->model.init_from));
        GYRE_TRY(from_anywhere(s, &s->output_dir));
    }
    settle(s, v);
    GYRE_GOTO(sets->count > 0 ? gyre_config_print(s, &text) : edited(config, s, moved, &text));
    GYRE_GOTO(gyre_file_write_atomic(path, text, strlen(text)));
    status = read_back(path);
out:
    free(text);
    return status;
}
