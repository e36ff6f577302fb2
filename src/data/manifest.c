/* Manifests: JSON that names dataset files, with what tells whether one of them has changed.
 *
 * A sealed file is known by its seal's checksum, which is read without the file. Another one has to
 * be read as a whole, which is left out where the dataset is too large for it; its length must do.
 */
#include "manifest.h"

#include "gyre/file.h"
#include "gyre/json.h"
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool data_manifest_is(const char *path) {
    char begin[64];
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) return false;
    ssize_t n = read(fd, begin, sizeof begin - 1);
    close(fd);
    begin[n < 0 ? 0 : n] = '\0';
    char first = begin[strspn(begin, " \t\r\n")];
    return first == '{' || first == '/';
}

/* ---- reading */

static gyre_status read_number(const gyre_json_value *object, const char *key, const char *where,
                               uint64_t *out) {
    const double most = 9007199254740991.0; /* 2^53 - 1 */
    const gyre_json_value *v = gyre_json_get(object, key);
    double x = v == NULL ? (double)NAN : gyre_json_number(v);
    if (!(x >= 0 && x <= most && floor(x) == x)) {
        return gyre_fail(GYRE_EIO, "%s: %s: a whole number was expected", where, key);
    }
    *out = (uint64_t)x;
    return GYRE_OK;
}

static gyre_status read_text(const gyre_json_value *object, const char *key, const char *where,
                             const char **out) {
    const gyre_json_value *v = gyre_json_get(object, key);
    *out = v == NULL ? NULL : gyre_json_text(v);
    if (*out != NULL && **out != '\0') return GYRE_OK;
    return gyre_fail(GYRE_EIO, "%s: %s: a text was expected", where, key);
}

static gyre_status read_file(const char *dir, const gyre_json_value *entry, const char *where,
                             data_manifest_file *out) {
    const char *name, *checksum;
    GYRE_TRY(read_text(entry, "path", where, &name));
    GYRE_TRY(read_text(entry, "checksum", where, &checksum));
    GYRE_TRY(read_number(entry, "bytes", where, &out->bytes));
    for (int part = 0; part < DATA_PARTS; part++) {
        uint64_t rows = 0;
        GYRE_TRY(read_number(entry, data_part_names[part], where, &rows));
        out->rows[part] = (int64_t)rows;
    }
    snprintf(out->checksum, sizeof out->checksum, "%s", checksum);
    out->path = gyre_path_join(dir, name);
    return out->path != NULL ? GYRE_OK : gyre_no_memory("the manifest");
}

static gyre_status read_files(const char *path, const gyre_json_value *list, data_manifest *out) {
    gyre_status status = GYRE_OK;
    int count = 0;
    for (const gyre_json_value *v = gyre_json_first(list); v != NULL; v = gyre_json_next(v)) {
        count++;
    }
    if (count < 1 || count > DATA_MANIFEST_FILES_MAX) {
        return gyre_fail(GYRE_EIO, "%s: files: a list of 1 to %d was expected", path,
                         DATA_MANIFEST_FILES_MAX);
    }
    char *dir = gyre_path_dir(path);
    out->files = calloc((size_t)count, sizeof *out->files);
    if (dir == NULL || out->files == NULL) {
        status = gyre_no_memory("%d dataset files", count);
        goto out;
    }
    for (const gyre_json_value *v = gyre_json_first(list); v != NULL; v = gyre_json_next(v)) {
        char where[PATH_MAX];
        snprintf(where, sizeof where, "%s: files[%d]", path, out->count);
        GYRE_GOTO(read_file(dir, v, where, &out->files[out->count++]));
    }
out:
    free(dir);
    return status;
}

static gyre_status read_tree(const char *path, const gyre_json_value *tree, data_manifest *out) {
    uint64_t version = 0;
    const char *content;
    char *end;
    if (gyre_json_get(tree, "gyre_manifest") == NULL) {
        return gyre_fail(GYRE_EIO,
                         "'%s' is neither a dataset nor a manifest (it has no "
                         "\"gyre_manifest\"); `gyre data manifest` makes one",
                         path);
    }
    GYRE_TRY(read_number(tree, "gyre_manifest", path, &version));
    if (version != DATA_MANIFEST_VERSION) {
        return gyre_fail(GYRE_EIO, "%s: gyre_manifest: this gyre reads version %d, found %" PRIu64,
                         path, DATA_MANIFEST_VERSION, version);
    }
    GYRE_TRY(read_text(tree, "content", path, &content));
    out->content = strtoull(content, &end, 16);
    if (strlen(content) != 16 || *end != '\0') {
        return gyre_fail(GYRE_EIO, "%s: content: 16 hexadecimal digits were expected", path);
    }
    const gyre_json_value *files = gyre_json_get(tree, "files");
    if (files == NULL) return gyre_fail(GYRE_EIO, "%s: it has no list \"files\"", path);
    return read_files(path, files, out);
}

gyre_status data_manifest_read(const char *path, data_manifest *out) {
    gyre_json_value *tree = NULL;
    *out = (data_manifest){0};
    gyre_status status = gyre_json_read(path, &tree);
    if (status == GYRE_EUSAGE) return gyre_fail(GYRE_EIO, "%s", gyre_error_text());
    GYRE_TRY(status);
    status = read_tree(path, tree, out);
    gyre_json_close(tree);
    if (status != GYRE_OK) data_manifest_close(out);
    return status;
}

void data_manifest_close(data_manifest *m) {
    for (int i = 0; i < m->count; i++) free(m->files[i].path);
    free(m->files);
    *m = (data_manifest){0};
}

/* ---- a file and its entry */

gyre_status data_manifest_checksum(const data_source *s, char out[33]) {
    uint64_t hash = 0;
    if (s->seal.sealed) {
        memcpy(out, s->seal.checksum, sizeof s->seal.checksum);
        return GYRE_OK;
    }
    GYRE_TRY(gyre_file_hash(s->path, &hash));
    snprintf(out, 33, "%016" PRIx64, hash);
    return GYRE_OK;
}

static gyre_status changed(const char *path, const data_source *s, const char *what) {
    return gyre_fail(GYRE_EIO,
                     "'%s' has changed since '%s' was made: %s; if that is meant, make the "
                     "manifest anew with `gyre data manifest`",
                     s->path, path, what);
}

gyre_status data_manifest_check(const char *path, const data_manifest_file *f,
                                const data_source *found, bool whole) {
    char what[160], checksum[33];
    if (found->size != f->bytes) {
        snprintf(what, sizeof what, "it has %" PRIu64 " bytes, %" PRIu64 " were expected",
                 found->size, f->bytes);
        return changed(path, found, what);
    }
    for (int part = 0; part < DATA_PARTS; part++) {
        int64_t rows = found->layout.parts[part].count;
        if (rows == f->rows[part]) continue;
        snprintf(what, sizeof what, "/%s has %" PRId64 " rows, %" PRId64 " were expected",
                 data_part_names[part], rows, f->rows[part]);
        return changed(path, found, what);
    }
    if (!found->seal.sealed && !whole) return GYRE_OK;
    GYRE_TRY(data_manifest_checksum(found, checksum));
    if (strcmp(checksum, f->checksum) == 0) return GYRE_OK;
    snprintf(what, sizeof what, "its checksum is %s, %s was expected", checksum, f->checksum);
    return changed(path, found, what);
}
