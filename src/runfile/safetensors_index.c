/* Reads an index; see safetensors_index.h. */
#include "safetensors_index.h"

#include "gyre/file.h"
#include "gyre/safetensors.h"
#include "gyre/size.h"
#include "json_scan.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_NAME = 256 };

/* ---- the files */

static gyre_status add_file(const json_scan *s, const char *name, safetensors_index *out) {
    const size_t room = gyre_size_of((size_t)out->file_count + 1, sizeof *out->names);
    if (out->file_count == GYRE_SAFETENSORS_FILES_MAX) {
        return gyre_fail(GYRE_EIO, "'%s' names more than the %d files that are read", s->path,
                         GYRE_SAFETENSORS_FILES_MAX);
    }
    char **names = realloc(out->names, room);
    if (names != NULL) out->names = names;
    char **files = realloc(out->files, room);
    if (files != NULL) out->files = files;
    if (names == NULL || files == NULL) return gyre_no_memory("reading '%s'", s->path);
    char *folder = gyre_path_dir(s->path);
    const int i = out->file_count++;
    names[i] = strdup(name);
    files[i] = folder == NULL ? NULL : gyre_path_join(folder, name);
    free(folder);
    if (names[i] == NULL || files[i] == NULL) return gyre_no_memory("reading '%s'", s->path);
    return GYRE_OK;
}

static gyre_status find_file(const json_scan *s, const char *name, safetensors_index *out,
                             int *file) {
    if (strchr(name, '/') != NULL || strcmp(name, "..") == 0 || name[0] == '\0') {
        return gyre_fail(GYRE_EIO, "'%s' names the file '%s'; one beside the index was expected",
                         s->path, name);
    }
    for (*file = out->file_count - 1; *file >= 0; --*file) {
        if (strcmp(out->names[*file], name) == 0) return GYRE_OK;
    }
    GYRE_TRY(add_file(s, name, out));
    *file = out->file_count - 1;
    return GYRE_OK;
}

/* ---- the tensors */

static gyre_status add_row(const json_scan *s, const char *name, int file, size_t *room,
                           safetensors_index *out) {
    if (out->count == GYRE_H5_ENTRIES_MAX) {
        return gyre_fail(GYRE_EIO, "'%s' names more than the %d tensors that are read", s->path,
                         GYRE_H5_ENTRIES_MAX);
    }
    if (out->count == *room) {
        *room = gyre_size_double(*room, 64, out->count + 1);
        safetensors_row *more = realloc(out->rows, gyre_size_of(*room, sizeof *more));
        if (more == NULL) return gyre_no_memory("reading '%s'", s->path);
        out->rows = more;
    }
    safetensors_row *row = &out->rows[out->count];
    *row = (safetensors_row){.name = strdup(name), .file = file};
    if (row->name == NULL) return gyre_no_memory("reading '%s'", s->path);
    out->count++;
    return GYRE_OK;
}

static gyre_status read_map(json_scan *s, safetensors_index *out) {
    bool first = true, more = false;
    size_t room = 0;
    GYRE_TRY(json_scan_need(s, '{'));
    for (;;) {
        char name[GYRE_H5_NAME_SIZE], file_name[FILE_NAME];
        int file = 0;
        GYRE_TRY(json_scan_more(s, '}', &first, &more));
        if (!more) return GYRE_OK;
        GYRE_TRY(json_scan_string(s, name, sizeof name));
        GYRE_TRY(json_scan_need(s, ':'));
        GYRE_TRY(json_scan_string(s, file_name, sizeof file_name));
        GYRE_TRY(find_file(s, file_name, out, &file));
        GYRE_TRY(add_row(s, name, file, &room, out));
    }
}

static gyre_status read_index(json_scan *s, safetensors_index *out) {
    bool first = true, more = false, found = false;
    GYRE_TRY(json_scan_need(s, '{'));
    for (;;) {
        char key[GYRE_H5_NAME_SIZE];
        GYRE_TRY(json_scan_more(s, '}', &first, &more));
        if (!more) break;
        GYRE_TRY(json_scan_string(s, key, sizeof key));
        GYRE_TRY(json_scan_need(s, ':'));
        const bool map = strcmp(key, "weight_map") == 0;
        if (map && found) return gyre_fail(GYRE_EIO, "'%s' has two \"weight_map\"", s->path);
        found = found || map;
        GYRE_TRY(map ? read_map(s, out) : json_scan_skip(s));
    }
    GYRE_TRY(json_scan_end(s));
    if (found) return GYRE_OK;
    return gyre_fail(
        GYRE_EIO,
        "'%s' is JSON without \"weight_map\", which an index of safetensors files has; "
        "a file of weights was expected",
        s->path);
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const safetensors_row *)a)->name, ((const safetensors_row *)b)->name);
}

static gyre_status sort_rows(const char *path, safetensors_index *out) {
    if (out->count > 0) qsort(out->rows, out->count, sizeof *out->rows, by_name);
    for (size_t i = 1; i < out->count; i++) {
        if (by_name(&out->rows[i - 1], &out->rows[i]) != 0) continue;
        return gyre_fail(GYRE_EIO, "'%s' names the tensor '%s' twice", path, out->rows[i].name);
    }
    return GYRE_OK;
}

gyre_status safetensors_index_read(const char *path, safetensors_index *out) {
    char *text = NULL;
    size_t size = 0;
    *out = (safetensors_index){0};
    GYRE_TRY(gyre_file_read(path, GYRE_SAFETENSORS_HEADER_MAX, &text, &size));
    json_scan s = {.path = path, .begin = text, .at = text, .end = text + size};
    gyre_status status = read_index(&s, out);
    if (status == GYRE_OK) status = sort_rows(path, out);
    free(text);
    if (status == GYRE_OK) return GYRE_OK;
    for (int i = 0; i < out->file_count; i++) free(out->files[i]);
    free(out->files);
    safetensors_index_free(out);
    return status;
}

void safetensors_index_free(safetensors_index *index) {
    for (size_t i = 0; i < index->count; i++) free(index->rows[i].name);
    for (int i = 0; i < index->file_count; i++) free(index->names[i]);
    free(index->rows);
    free(index->names);
    *index = (safetensors_index){0};
}

const char *safetensors_index_file(const safetensors_index *index, const char *name) {
    const safetensors_row key = {.name = (char *)name};
    if (index->count == 0) return NULL;
    const safetensors_row *row =
        bsearch(&key, index->rows, index->count, sizeof *index->rows, by_name);
    return row == NULL ? NULL : index->names[row->file];
}
