/* Makes a manifest: reads its dataset files as a whole, writes it beside its place, opens it as a
 * dataset, which tells whether the files go together, and then gives it its name. */
#include "gyre/dataset.h"
#include "gyre/file.h"
#include "gyre/json.h"
#include "manifest.h"
#include "write.h"
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MANIFEST_BYTES_MAX = 1 << 20 };

typedef struct {
    data_source *sources;
    char (*checksums)[33];
    int count; /* of sources that are open */
    uint64_t content;
} new_manifest;

/* The file's name below the manifest's folder, or its absolute path. */
static gyre_status name_of(const char *manifest, const char *file, char **out) {
    gyre_status status = GYRE_OK;
    char *dir = gyre_path_dir(manifest), *folder = dir == NULL ? NULL : realpath(dir, NULL);
    char *name = realpath(file, NULL);
    *out = NULL;
    if (folder == NULL || name == NULL) {
        status =
            gyre_fail(GYRE_EIO, "cannot find '%s' from '%s': %s", file, manifest, strerror(errno));
        goto out;
    }
    size_t n = strcmp(folder, "/") == 0 ? 0 : strlen(folder);
    bool below = strncmp(name, folder, n) == 0 && name[n] == '/';
    *out = strdup(below ? name + n + 1 : name);
    if (*out == NULL) status = gyre_no_memory("the manifest");
out:
    free(dir);
    free(folder);
    free(name);
    return status;
}

static gyre_status add_entry(gyre_json *j, const char *path, const data_source *s,
                             const char *checksum) {
    char *name = NULL;
    GYRE_TRY(name_of(path, s->path, &name));
    gyre_json_enter_object(j, NULL);
    gyre_json_add_text(j, "path", name);
    gyre_json_add_integer(j, "bytes", (int64_t)s->size);
    for (int part = 0; part < DATA_PARTS; part++) {
        gyre_json_add_integer(j, data_part_names[part], s->layout.parts[part].count);
    }
    gyre_json_add_text(j, "checksum", checksum);
    gyre_json_leave(j);
    free(name);
    return GYRE_OK;
}

/* The manifest as text, a file on a line. */
static gyre_status print_manifest(const char *path, const new_manifest *m, char **text) {
    char content[17];
    gyre_status status = GYRE_OK;
    gyre_json *j = gyre_json_begin();
    snprintf(content, sizeof content, "%016" PRIx64, m->content);
    gyre_json_add_integer(j, "gyre_manifest", DATA_MANIFEST_VERSION);
    gyre_json_add_text(j, "content", content);
    gyre_json_enter_list(j, "files");
    for (int i = 0; i < m->count && status == GYRE_OK; i++) {
        status = add_entry(j, path, &m->sources[i], m->checksums[i]);
    }
    gyre_json_leave(j);
    gyre_json_value *v = gyre_json_end_value(j);
    *text = status != GYRE_OK || v == NULL ? NULL : gyre_json_print_rows(v);
    gyre_json_close(v);
    return status == GYRE_OK && *text == NULL ? gyre_no_memory("the manifest") : status;
}

static gyre_status write_text(const char *path, const char *temporary, const new_manifest *m) {
    char *text = NULL;
    GYRE_TRY(print_manifest(path, m, &text));
    size_t size = strlen(text);
    gyre_status status = GYRE_OK;
    if (size > MANIFEST_BYTES_MAX) {
        status = gyre_fail(GYRE_EUSAGE,
                           "'%s' would have %zu bytes, and a manifest has at most %d: name fewer "
                           "and larger files, or put it into the folder of its files, below which "
                           "their names are short",
                           path, size, MANIFEST_BYTES_MAX);
    }
    if (status == GYRE_OK) status = gyre_file_write_atomic(temporary, text, size);
    free(text);
    return status;
}

/* Before anything is read: what the command line alone shows. */
static gyre_status check_names(const char *path, char *const *files, int count, bool force) {
    size_t length = strlen(path), ending = strlen(".json");
    if (length <= ending || strcmp(path + length - ending, ".json") != 0) {
        return gyre_fail(
            GYRE_EUSAGE,
            "'%s': a manifest is JSON, a name that ends in .json was expected after -o", path);
    }
    if (count > DATA_MANIFEST_FILES_MAX) {
        return gyre_fail(
            GYRE_EUSAGE,
            "'%s': a manifest has at most %d files, found %d; make fewer and larger ones", path,
            DATA_MANIFEST_FILES_MAX, count);
    }
    GYRE_TRY(data_output_check(path, force));
    for (int i = 0; i < count; i++) GYRE_TRY(data_output_apart(path, files[i]));
    return GYRE_OK;
}

/* Rows that come twice could be trained on and held out by one split. */
static gyre_status check_once(const new_manifest *m) {
    for (int i = 0; i < m->count; i++) {
        for (int k = 0; k < i; k++) {
            if (strcmp(m->checksums[i], m->checksums[k]) != 0) continue;
            return gyre_fail(GYRE_EUSAGE,
                             "'%s' and '%s' are one file, or copies of one; name it once, else its "
                             "images could be trained on and tested with",
                             m->sources[k].path, m->sources[i].path);
        }
    }
    return GYRE_OK;
}

static gyre_status open_parts(char *const *files, int count, new_manifest *m) {
    for (int i = 0; i < count; i++) {
        GYRE_TRY(data_source_open(files[i], true, &m->sources[i]));
        m->count++;
        GYRE_TRY(data_manifest_checksum(&m->sources[i], m->checksums[i]));
    }
    GYRE_TRY(check_once(m));
    uint64_t content = 0;
    GYRE_TRY(data_source_hash(m->sources, count, &content));
    m->content = content;
    return GYRE_OK;
}

static void close_parts(new_manifest *m) {
    for (int i = 0; i < m->count; i++) data_source_close(&m->sources[i]);
    free(m->sources);
    free(m->checksums);
}

gyre_status gyre_manifest_write(const char *path, char *const *files, int count, bool force) {
    gyre_status status = GYRE_OK;
    new_manifest m = {0};
    char *temporary = NULL;
    gyre_dataset *d = NULL;
    GYRE_TRY(check_names(path, files, count, force));
    m.sources = calloc((size_t)count, sizeof *m.sources);
    m.checksums = calloc((size_t)count, sizeof *m.checksums);
    if (asprintf(&temporary, "%s.tmp.%ld", path, (long)getpid()) < 0) temporary = NULL;
    if (m.sources == NULL || m.checksums == NULL || temporary == NULL) {
        status = gyre_no_memory("%d dataset files", count);
        goto out;
    }
    GYRE_GOTO(open_parts(files, count, &m));
    GYRE_GOTO(write_text(path, temporary, &m));
    status = gyre_dataset_open(temporary, &d); /* do they go together? */
    gyre_dataset_close(d);
    if (status == GYRE_OK) status = data_output_check(path, force); /* made by someone meanwhile? */
    if (status == GYRE_OK) status = gyre_file_commit(temporary, path);
    if (status != GYRE_OK) unlink(temporary);
out:
    free(temporary);
    close_parts(&m);
    return status;
}
