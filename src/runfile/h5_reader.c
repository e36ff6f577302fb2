/* The parent's side of reading HDF5: asks the child, and believes nothing that does not fit. */
#include "h5_reader.h"

#include "gyre/size.h"
#include "gyre/text.h"
#include "h5_wire.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct gyre_h5_reader {
    char *path;
    uint64_t size;
    gyre_child child;
    gyre_h5_entry *entries;
    size_t count, room;
    bool sound; /* no request has failed */
};

/* The child says what cannot be: damaged data has overwritten it. */
static gyre_status refuse(gyre_h5_reader *r) {
    gyre_child_end(&r->child);
    return gyre_fail(GYRE_EIO, "'%s' is damaged: HDF5 gave an answer that cannot be", r->path);
}

/* ---- opening */

/* A pipe would be waited for. */
static gyre_status check_file(gyre_h5_reader *r) {
    struct stat st;
    if (stat(r->path, &st) != 0 || access(r->path, R_OK) != 0) {
        return gyre_fail(GYRE_EIO, "cannot open '%s': %s", r->path, strerror(errno));
    }
    if (!S_ISREG(st.st_mode)) {
        return gyre_fail(GYRE_EIO, "'%s' is %s, an HDF5 file was expected", r->path,
                         S_ISDIR(st.st_mode) ? "a folder" : "no regular file");
    }
    r->size = (uint64_t)st.st_size;
    return GYRE_OK;
}

static gyre_status receive_result(gyre_h5_reader *r, h5_wire_result *out) {
    GYRE_TRY(gyre_child_receive(&r->child, out, sizeof *out));
    out->why[sizeof out->why - 1] = '\0';
    return GYRE_OK;
}

/* `place`: between the file's name and the reason. */
static gyre_status check_result(const gyre_h5_reader *r, const char *place,
                                const h5_wire_result *result) {
    if (!result->failed) return GYRE_OK;
    if (result->no_memory) return gyre_no_memory("reading '%s'", r->path);
    return gyre_fail(GYRE_EIO, "'%s'%s %s", r->path, place, result->why);
}

static gyre_status take_entry(gyre_h5_reader *r, const h5_wire_entry *e) {
    bool plausible = e->kind >= 0 && e->kind < GYRE_H5_KINDS && e->ndim >= 0 &&
                     e->ndim <= GYRE_H5_NDIM_MAX && e->name_length >= 1 &&
                     e->name_length < GYRE_H5_NAME_SIZE && r->count < GYRE_H5_ENTRIES_MAX;
    if (!plausible) return refuse(r);
    if (r->count == r->room) {
        size_t room = gyre_size_double(r->room, 64, r->count + 1);
        gyre_h5_entry *more = realloc(r->entries, gyre_size_of(room, sizeof *more));
        if (more == NULL) return gyre_no_memory("reading '%s'", r->path);
        r->entries = more;
        r->room = room;
    }
    gyre_h5_entry *to = &r->entries[r->count];
    *to = (gyre_h5_entry){.kind = (gyre_h5_kind)e->kind,
                          .size = e->size,
                          .ndim = e->ndim,
                          .packed = e->packed != 0,
                          .attributes = e->attributes != 0};
    memcpy(to->dims, e->dims, sizeof to->dims);
    to->name = calloc(e->name_length + 1, 1);
    if (to->name == NULL) return gyre_no_memory("reading '%s'", r->path);
    r->count++;
    GYRE_TRY(gyre_child_receive(&r->child, to->name, e->name_length));
    return strlen(to->name) == e->name_length && to->name[0] == '/' ? GYRE_OK : refuse(r);
}

static void forget_list(gyre_h5_reader *r) {
    for (size_t i = 0; i < r->count; i++) free(r->entries[i].name);
    free(r->entries);
    r->entries = NULL;
    r->count = r->room = 0;
}

static gyre_status take_list(gyre_h5_reader *r, bool fresh) {
    h5_wire_result result;
    h5_wire_entry e;
    GYRE_TRY(gyre_child_start(&h5_task, r->path, gyre_child_seconds(r->size), fresh, &r->child));
    GYRE_TRY(receive_result(r, &result));
    GYRE_TRY(check_result(r, "", &result));
    for (;;) {
        GYRE_TRY(gyre_child_receive(&r->child, &e, sizeof e));
        if (e.kind == GYRE_H5_KINDS) break;
        GYRE_TRY(take_entry(r, &e));
    }
    GYRE_TRY(receive_result(r, &result));
    GYRE_TRY(check_result(r, "", &result));
    r->sound = true;
    return GYRE_OK;
}

gyre_status gyre_h5_reader_open(const char *path, gyre_h5_reader **out) {
    gyre_status status = GYRE_OK;
    gyre_h5_reader *r = calloc(1, sizeof *r);
    *out = NULL;
    if (r == NULL) return gyre_no_memory("reading '%s'", path);
    r->path = strdup(path);
    if (r->path == NULL) {
        status = gyre_no_memory("reading '%s'", path);
        goto out;
    }
    GYRE_GOTO(check_file(r));
    status = take_list(r, false);
    if (status != GYRE_OK && r->child.used) {
        forget_list(r);
        status = take_list(r, true);
    }
    if (status == GYRE_OK)
        status = check_file(r); /* it may be a growing one, and the child has seen more of it */
out:
    if (status != GYRE_OK) {
        gyre_h5_reader_close(r);
        r = NULL;
    }
    *out = r;
    return status;
}

/* A child that has answered everything may read another file. */
static void dismiss_child(gyre_h5_reader *r) {
    const h5_wire_request q = {.index = H5_WIRE_END};
    if (r->sound && gyre_child_send(&r->child, &q, sizeof q) == GYRE_OK)
        gyre_child_rest(&r->child);
    else
        gyre_child_end(&r->child);
}

void gyre_h5_reader_close(gyre_h5_reader *r) {
    if (r == NULL) return;
    dismiss_child(r);
    forget_list(r);
    free(r->path);
    free(r);
}

/* ---- the list */

const gyre_h5_entry *gyre_h5_reader_list(const gyre_h5_reader *r, size_t *count) {
    *count = r->count;
    return r->entries;
}

const gyre_h5_entry *gyre_h5_reader_find(const gyre_h5_reader *r, const char *name) {
    for (size_t i = 0; i < r->count; i++) {
        if (strcmp(r->entries[i].name, name) == 0) return &r->entries[i];
    }
    return NULL;
}

const char *gyre_h5_reader_path(const gyre_h5_reader *r) {
    return r->path;
}

uint64_t gyre_h5_reader_size(const gyre_h5_reader *r) {
    return r->size;
}

size_t h5_count(const gyre_h5_entry *e) {
    size_t count = 1;
    for (int i = 0; i < e->ndim; i++) {
        if (!gyre_size_multiply(count, (size_t)e->dims[i], &count)) return SIZE_MAX;
    }
    return count;
}

void gyre_h5_shape(const gyre_h5_entry *e, char *out, size_t size) {
    snprintf(out, size, "%s", e->ndim == 0 ? "(scalar)" : "");
    for (int i = 0; i < e->ndim; i++) {
        gyre_text_add(out, size, "%s%llu%s", i == 0 ? "(" : ", ", (unsigned long long)e->dims[i],
                      i + 1 == e->ndim ? ")" : "");
    }
}

/* ---- data */

static size_t element_size(const h5_type *t) {
    switch (t->format) {
    case H5_F32:
    case H5_I32: return 4;
    case H5_F64:
    case H5_I64:
    case H5_U64: return 8;
    case H5_TEXT:
    case H5_ROW: break;
    }
    return t->size;
}

static gyre_h5_kind kind_for(h5_format format) {
    switch (format) {
    case H5_F32:
    case H5_F64: return GYRE_H5_FLOATS;
    case H5_TEXT: return GYRE_H5_TEXTS;
    case H5_ROW: return GYRE_H5_ROWS;
    default: return GYRE_H5_INTEGERS;
    }
}

static gyre_status receive_data(gyre_h5_reader *r, const char *what, char *out, size_t bytes) {
    for (size_t done = 0; done < bytes;) {
        uint64_t piece = 0;
        GYRE_TRY(gyre_child_receive(&r->child, &piece, sizeof piece));
        if (piece == H5_WIRE_NO_MEMORY) return gyre_no_memory("reading '%s'", r->path);
        if (piece == 0) return gyre_fail(GYRE_EIO, "cannot read %s in '%s'", what, r->path);
        if (piece > bytes - done) return refuse(r);
        GYRE_TRY(gyre_child_receive(&r->child, out + done, (size_t)piece));
        done += (size_t)piece;
    }
    return GYRE_OK;
}

static gyre_status request(gyre_h5_reader *r, const gyre_h5_entry *e, const char *attribute,
                           const h5_type *type, void *out, size_t count) {
    h5_wire_request q = {.index = (uint64_t)(e - r->entries),
                         .format = (int32_t)type->format,
                         .column_count = type->column_count,
                         .size = element_size(type),
                         .count = count};
    h5_wire_result result;
    size_t bytes = 0;
    if (!gyre_size_multiply(count, q.size, &bytes) || type->column_count > GYRE_H5_COLUMNS_MAX) {
        return gyre_no_memory("reading '%s'", r->path);
    }
    snprintf(q.attribute, sizeof q.attribute, "%s", attribute);
    for (int i = 0; i < type->column_count; i++) {
        snprintf(q.columns[i].name, sizeof q.columns[i].name, "%s", type->columns[i].name);
        q.columns[i].integer = type->columns[i].integer;
    }
    const char *what = attribute[0] != '\0' ? attribute : e->name;
    bool sound = r->sound;
    r->sound = false;
    GYRE_TRY(gyre_child_send(&r->child, &q, sizeof q));
    GYRE_TRY(receive_result(r, &result));
    if (result.failed) {
        char place[GYRE_H5_NAME_SIZE + 2];
        snprintf(place, sizeof place, ": %s", what);
        return check_result(r, place, &result);
    }
    GYRE_TRY(receive_data(r, what, out, bytes));
    r->sound = sound;
    return GYRE_OK;
}

gyre_status h5_read(gyre_h5_reader *r, const gyre_h5_entry *e, const h5_type *type, void *out,
                    size_t count) {
    char shape[128];
    if (e->kind == kind_for(type->format) && h5_count(e) == count) {
        return request(r, e, "", type, out, count);
    }
    if (e->kind == GYRE_H5_GROUP || e->kind == GYRE_H5_OTHER) {
        return gyre_fail(GYRE_EIO, "'%s': %s cannot be read as numbers", r->path, e->name);
    }
    gyre_h5_shape(e, shape, sizeof shape);
    return gyre_fail(
        GYRE_EIO, "'%s': %s %s %s; %zu elements of another type were expected", r->path, e->name,
        e->kind == GYRE_H5_LINK ? "lies in another file, its shape is" : "has the shape", shape,
        count);
}

gyre_status h5_read_floats(gyre_h5_reader *r, const gyre_h5_entry *e, float *out, size_t count) {
    return h5_read(r, e, &(h5_type){.format = H5_F32}, out, count);
}

gyre_status h5_read_attribute(gyre_h5_reader *r, const gyre_h5_entry *e, const char *name,
                              const h5_type *type, void *out) {
    return request(r, e, name, type, out, 1);
}
