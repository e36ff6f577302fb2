/* Compound tables in HDF5's default format, without filters; see table.h. */
#include "table.h"

#include "gyre/metrics.h"
#include "gyre/size.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define COUNT(a) ((int)(sizeof(a) / sizeof *(a)))

static const struct gyre_column train_columns[] = {
    {"step", true},       {"epoch", true},          {"cycle", true},
    {"lr", false},        {"momentum", false},      {"loss", false},
    {"grad_norm", false}, {"samples_per_s", false}, {"seconds", false},
};
static const struct gyre_column validation_columns[] = {
    {"step", true},  {"epoch", true},     {"cycle", true},
    {"loss", false}, {"accuracy", false}, {"seconds", false},
};
static const struct gyre_column cycle_columns[] = {
    {"cycle", true}, {"end_step", true}, {"lr", false}, {"loss", false}, {"accuracy", false},
};

static const gyre_table_kind kinds[GYRE_TABLE_COUNT] = {
    {"train", sizeof(gyre_train_row), COUNT(train_columns), train_columns, 0},
    {"validation", sizeof(gyre_validation_row), COUNT(validation_columns), validation_columns, 0},
    {"cycles", sizeof(gyre_cycle_row), COUNT(cycle_columns), cycle_columns, 1},
};

_Static_assert(sizeof(gyre_train_row) == 8 * COUNT(train_columns), "eight bytes a column");
_Static_assert(sizeof(gyre_validation_row) == 8 * COUNT(validation_columns), "eight a column");
_Static_assert(sizeof(gyre_cycle_row) == 8 * COUNT(cycle_columns), "eight bytes a column");

const gyre_table_kind *gyre_table_kind_of(gyre_table_name name) {
    return &kinds[name];
}

static hid_t make_type(const gyre_table_kind *kind) {
    hid_t type = H5Tcreate(H5T_COMPOUND, kind->row_size);
    for (int i = 0; type >= 0 && i < kind->column_count; i++) {
        hid_t column = kind->columns[i].integer ? H5T_STD_I64LE : H5T_IEEE_F64LE;
        if (H5Tinsert(type, kind->columns[i].name, 8 * (size_t)i, column) < 0) {
            H5Tclose(type);
            return H5I_INVALID_HID;
        }
    }
    return type;
}

static gyre_status failed(const gyre_table *t, const char *what) {
    return gyre_fail(GYRE_EIO, "cannot %s table /%s of '%s' (disk full, or a damaged file?)", what,
                     t->kind->name, t->path);
}

/* Chunks are of 256 rows and more; a file of millions grows by the last size. */
enum { CHUNK_LEAST = 256, CHUNK_MOST = 1 << 20 };

gyre_status gyre_table_create(hid_t file, const char *path, const gyre_table_kind *kind) {
    return gyre_table_create_for(file, path, kind, 0);
}

gyre_status gyre_table_create_for(hid_t file, const char *path, const gyre_table_kind *kind,
                                  size_t rows) {
    const gyre_table t = {.kind = kind, .path = path};
    hsize_t none = 0, unlimited = H5S_UNLIMITED, chunk = CHUNK_LEAST;
    while (chunk < 2 * rows && chunk < CHUNK_MOST) chunk *= 2;
    hid_t type = make_type(kind), space = H5Screate_simple(1, &none, &unlimited);
    hid_t list = H5Pcreate(H5P_DATASET_CREATE), dataset = H5I_INVALID_HID;
    if (list >= 0) H5Pset_chunk(list, 1, &chunk);
    if (list >= 0) H5Pset_obj_track_times(list, false); /* equal tables are equal bytes */
    dataset = H5Dcreate2(file, kind->name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    gyre_status status = dataset < 0 ? failed(&t, "create") : GYRE_OK;
    gyre_h5_close(dataset);
    gyre_h5_close(list);
    gyre_h5_close(space);
    gyre_h5_close(type);
    return status;
}

static gyre_status wrong_columns(const gyre_table *t) {
    return gyre_fail(GYRE_EIO,
                     "table /%s of '%s' does not have the columns that gyre writes; was the file "
                     "made by another program?",
                     t->kind->name, t->path);
}

/* The stored type must have our columns: a file from elsewhere would be read as nonsense. */
static bool same_columns(hid_t dataset, hid_t type) {
    hid_t found = H5Dget_type(dataset);
    bool same = found >= 0 && H5Tequal(found, type) > 0;
    gyre_h5_close(found);
    return same;
}

static gyre_status make_room(gyre_table *t, size_t rows) {
    size_t room = gyre_size_double(t->room, CHUNK_LEAST, rows);
    if (room == t->room) return GYRE_OK;
    char *more = realloc(t->rows, gyre_size_of(room, t->kind->row_size));
    if (more == NULL) return gyre_no_memory("the rows of '%s'", t->path);
    t->rows = more;
    t->room = room;
    return GYRE_OK;
}

static char *row_at(const gyre_table *t, size_t index) {
    return t->rows + index * t->kind->row_size;
}

static size_t slots_of(hid_t dataset, hsize_t extent) {
    hsize_t chunk = 0;
    hid_t list = H5Dget_create_plist(dataset);
    bool chunked = list >= 0 && H5Pget_chunk(list, 1, &chunk) == 1 && chunk > 0;
    gyre_h5_close(list);
    return chunked ? (size_t)((extent + chunk - 1) / chunk * chunk) : 0;
}

gyre_status gyre_table_attach(gyre_table *t, hid_t file, size_t stored) {
    hsize_t extent = 0;
    t->dataset = H5Dopen2(file, t->kind->name, H5P_DEFAULT);
    if (t->dataset < 0) return failed(t, "open");
    hid_t space = H5Dget_space(t->dataset);
    bool ok = same_columns(t->dataset, t->type) && H5Sget_simple_extent_ndims(space) == 1 &&
              H5Sget_simple_extent_dims(space, &extent, NULL) == 1;
    gyre_h5_close(space);
    t->stored = stored;
    t->slots = slots_of(t->dataset, extent);
    if (ok && extent >= stored) return GYRE_OK;
    return wrong_columns(t);
}

void gyre_table_detach(gyre_table *t) {
    gyre_h5_close(t->dataset);
    t->dataset = H5I_INVALID_HID;
    t->stored = 0;
}

gyre_status gyre_table_begin(const char *path, const gyre_table_kind *kind, gyre_table *out) {
    *out = (gyre_table){.kind = kind, .path = path, .dataset = H5I_INVALID_HID};
    out->type = make_type(kind);
    if (out->type >= 0) return GYRE_OK;
    gyre_status status = failed(out, "make");
    gyre_table_close(out);
    return status;
}

/* Rows that are not in the file, but told by its header, would cost any memory. */
static gyre_status check_size(const gyre_h5_reader *r, const gyre_h5_entry *e,
                              const gyre_table *t) {
    enum { RATIO = 1100, SLACK = 1 << 20 }; /* deflate's best; what is not flushed yet */
    size_t bytes = gyre_size_of((size_t)e->dims[0], t->kind->row_size);
    size_t most = gyre_size_of((size_t)gyre_h5_reader_size(r), e->packed ? RATIO : 1);
    if (bytes == 0 || bytes - 1 < most || bytes - most <= SLACK) return GYRE_OK;
    return gyre_fail(GYRE_EIO,
                     "'%s' is damaged: its table /%s says that it has %llu rows of %zu bytes, but "
                     "the file has %llu bytes",
                     t->path, t->kind->name, (unsigned long long)e->dims[0], t->kind->row_size,
                     (unsigned long long)gyre_h5_reader_size(r));
}

static gyre_status read_rows(gyre_h5_reader *r, gyre_table *t) {
    char name[64];
    snprintf(name, sizeof name, "/%s", t->kind->name);
    const gyre_h5_entry *e = gyre_h5_reader_find(r, name);
    if (e == NULL) return gyre_fail(GYRE_EIO, "'%s' has no table %s", t->path, name);
    if (e->kind != GYRE_H5_ROWS || e->rank != 1 || e->size != t->kind->row_size) {
        return wrong_columns(t);
    }
    GYRE_TRY(check_size(r, e, t));
    GYRE_TRY(make_room(t, (size_t)e->dims[0]));
    t->count = (size_t)e->dims[0];
    const gyre_h5_type type = {.format = GYRE_H5_ROW,
                               .size = t->kind->row_size,
                               .column_count = t->kind->column_count,
                               .columns = t->kind->columns};
    return gyre_h5_reader_read(r, e, &type, t->rows, t->count);
}

gyre_status gyre_table_read(gyre_h5_reader *r, const char *path, const gyre_table_kind *kind,
                            gyre_table *out) {
    GYRE_TRY(gyre_table_begin(path, kind, out));
    gyre_status status = read_rows(r, out);
    if (status != GYRE_OK) gyre_table_close(out);
    return status;
}

void gyre_table_close(gyre_table *t) {
    if (t->kind == NULL) return;
    gyre_h5_close(t->dataset);
    gyre_h5_close(t->type);
    free(t->rows);
    *t = (gyre_table){0};
}

gyre_status gyre_table_append(gyre_table *t, const void *row) {
    GYRE_TRY(make_room(t, t->count + 1));
    memcpy(row_at(t, t->count++), row, t->kind->row_size);
    return GYRE_OK;
}

gyre_status gyre_table_write(gyre_table *t) {
    hsize_t first = t->stored, extent = t->count, fresh = extent - first;
    if (fresh == 0) return GYRE_OK;
    if (H5Dset_extent(t->dataset, &extent) < 0) return failed(t, "extend");
    hid_t file_space = H5Dget_space(t->dataset), memory_space = H5Screate_simple(1, &fresh, NULL);
    bool ok = file_space >= 0 && memory_space >= 0 &&
              H5Sselect_hyperslab(file_space, H5S_SELECT_SET, &first, NULL, &fresh, NULL) >= 0 &&
              H5Dwrite(t->dataset, t->type, memory_space, file_space, H5P_DEFAULT,
                       row_at(t, t->stored)) >= 0;
    gyre_h5_close(memory_space);
    gyre_h5_close(file_space);
    if (!ok) return failed(t, "write to");
    t->stored = t->count;
    return GYRE_OK;
}

bool gyre_table_fits(const gyre_table *t) {
    return t->count <= t->slots;
}

size_t gyre_table_find(const gyre_table *t, int64_t last) {
    int64_t before = INT64_MIN;
    size_t keep = 0;
    for (; keep < t->count; keep++) {
        int64_t key;
        memcpy(&key, row_at(t, keep) + 8 * (size_t)t->kind->key, sizeof key);
        if (key <= before || key > last) break;
        before = key;
    }
    return keep;
}
