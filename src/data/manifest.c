/* Manifests: JSON that names dataset files, with what tells whether one of them has changed.
 *
 * A sealed file is known by its seal's checksum, which is read without the file. Another one has to
 * be read as a whole, which is left out where the dataset is too large for it; its length must do.
 */
#include "manifest.h"

#include "gyre/dataset.h"
#include "gyre/file.h"
#include "gyre/json.h"
#include "write.h"
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILES_MAX = 4096, VERSION = 1 };

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
    if (count < 1 || count > FILES_MAX) {
        return gyre_fail(GYRE_EIO, "%s: files: a list of 1 to %d was expected", path, FILES_MAX);
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
    if (version != VERSION) {
        return gyre_fail(GYRE_EIO, "%s: gyre_manifest: this gyre reads version %d, found %" PRIu64,
                         path, VERSION, version);
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

static gyre_status find_checksum(const data_source *s, char out[33]) {
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
    GYRE_TRY(find_checksum(found, checksum));
    if (strcmp(checksum, f->checksum) == 0) return GYRE_OK;
    snprintf(what, sizeof what, "its checksum is %s, %s was expected", checksum, f->checksum);
    return changed(path, found, what);
}

/* ---- writing */

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

static gyre_status write_entry(FILE *f, const char *path, const data_source *s,
                               const char *checksum, bool last) {
    char *name = NULL;
    GYRE_TRY(name_of(path, s->path, &name));
    gyre_json *j = gyre_json_line_begin();
    gyre_json_line_text(j, "path", name);
    gyre_json_line_integer(j, "bytes", (int64_t)s->size);
    for (int part = 0; part < DATA_PARTS; part++) {
        gyre_json_line_integer(j, data_part_names[part], s->layout.parts[part].count);
    }
    gyre_json_line_text(j, "checksum", checksum);
    char *line = gyre_json_line_end(j);
    free(name);
    if (line == NULL) return gyre_no_memory("the manifest");
    fprintf(f, "        %s%s\n", line, last ? "" : ",");
    free(line);
    return GYRE_OK;
}

static gyre_status write_text(const char *path, const char *temporary, const new_manifest *m) {
    char *text = NULL;
    size_t size = 0;
    gyre_status status = GYRE_OK;
    FILE *f = open_memstream(&text, &size);
    if (f == NULL) return gyre_no_memory("the manifest");
    fprintf(f, "{\n    \"gyre_manifest\": %d,\n    \"content\": \"%016" PRIx64 "\",\n", VERSION,
            m->content);
    fprintf(f, "    \"files\": [\n");
    for (int i = 0; i < m->count && status == GYRE_OK; i++) {
        status = write_entry(f, path, &m->sources[i], m->checksums[i], i == m->count - 1);
    }
    fprintf(f, "    ]\n}\n");
    if (fclose(f) != 0 && status == GYRE_OK) {
        status = gyre_no_memory("the manifest");
    }
    if (status == GYRE_OK && size > GYRE_JSON_BYTES_MAX) {
        status = gyre_fail(GYRE_EUSAGE,
                           "'%s' would have %zu bytes, and a manifest has at most %d: name fewer "
                           "and larger files, or put it into the folder of its files, below which "
                           "their names are short",
                           path, size, GYRE_JSON_BYTES_MAX);
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
    if (count > FILES_MAX) {
        return gyre_fail(
            GYRE_EUSAGE,
            "'%s': a manifest has at most %d files, found %d; make fewer and larger ones", path,
            FILES_MAX, count);
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
        GYRE_TRY(find_checksum(&m->sources[i], m->checksums[i]));
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
