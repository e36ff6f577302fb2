/* Compound tables in HDF5's default format, without filters; see h5_table.h. */
#include "h5_table.h"

#include "gyre/file.h"
#include "gyre/size.h"
#include "h5_file.h"
#include "h5_reader.h"
#include "h5_wire.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static hid_t make_type(const gyre_h5_layout *layout) {
    return h5_row_type(layout->row_size, layout->columns, layout->column_count);
}

static gyre_status failed(const h5_table *t, const char *what) {
    return gyre_fail(GYRE_EIO, "cannot %s table /%s of '%s' (disk full, or a damaged file?)", what,
                     t->layout->name, t->path);
}

/* Chunks are of 256 rows and more; a file of millions grows by the last size. */
enum { CHUNK_LEAST = 256, CHUNK_MOST = 1 << 20 };

gyre_status h5_table_create(hid_t file, const char *path, const gyre_h5_layout *layout) {
    return h5_table_create_for(file, path, layout, 0);
}

gyre_status h5_table_create_for(hid_t file, const char *path, const gyre_h5_layout *layout,
                                size_t rows) {
    const h5_table t = {.layout = layout, .path = path};
    hsize_t none = 0, unlimited = H5S_UNLIMITED, chunk = CHUNK_LEAST;
    while (chunk < 2 * rows && chunk < CHUNK_MOST) chunk *= 2;
    hid_t type = make_type(layout), space = H5Screate_simple(1, &none, &unlimited);
    hid_t list = H5Pcreate(H5P_DATASET_CREATE), dataset = H5I_INVALID_HID;
    if (list >= 0) H5Pset_chunk(list, 1, &chunk);
    if (list >= 0) H5Pset_obj_track_times(list, false); /* equal tables are equal bytes */
    dataset = H5Dcreate2(file, layout->name, type, space, H5P_DEFAULT, list, H5P_DEFAULT);
    gyre_status status = dataset < 0 ? failed(&t, "create") : GYRE_OK;
    gyre_hdf5_close(dataset);
    gyre_hdf5_close(list);
    gyre_hdf5_close(space);
    gyre_hdf5_close(type);
    return status;
}

static gyre_status not_as_written(const h5_table *t) {
    return gyre_fail(GYRE_EIO,
                     "table /%s of '%s' has no longer the %d columns and %zu rows that were just "
                     "written; does another program write the file?",
                     t->layout->name, t->path, t->layout->column_count, t->stored);
}

static bool same_columns(hid_t dataset, hid_t type) {
    hid_t found = H5Dget_type(dataset);
    bool same = found >= 0 && H5Tequal(found, type) > 0;
    gyre_hdf5_close(found);
    return same;
}

static gyre_status make_room(h5_table *t, size_t rows) {
    size_t room = gyre_size_double(t->room, CHUNK_LEAST, rows);
    if (room == t->room) return GYRE_OK;
    char *more = realloc(t->rows, gyre_size_of(room, t->layout->row_size));
    if (more == NULL) return gyre_no_memory("the rows of '%s'", t->path);
    t->rows = more;
    t->room = room;
    return GYRE_OK;
}

static char *row_at(const h5_table *t, size_t index) {
    return t->rows + index * t->layout->row_size;
}

static size_t slots_of(hid_t dataset, hsize_t extent) {
    hsize_t chunk = 0;
    hid_t list = H5Dget_create_plist(dataset);
    bool chunked = list >= 0 && H5Pget_chunk(list, 1, &chunk) == 1 && chunk > 0;
    gyre_hdf5_close(list);
    return chunked ? (size_t)((extent + chunk - 1) / chunk * chunk) : 0;
}

gyre_status h5_table_attach(h5_table *t, hid_t file, size_t stored) {
    hsize_t extent = 0;
    t->dataset = H5Dopen2(file, t->layout->name, H5P_DEFAULT);
    if (t->dataset < 0) return failed(t, "open");
    hid_t space = H5Dget_space(t->dataset);
    bool ok = same_columns(t->dataset, t->type) && H5Sget_simple_extent_ndims(space) == 1 &&
              H5Sget_simple_extent_dims(space, &extent, NULL) == 1;
    gyre_hdf5_close(space);
    t->stored = stored;
    t->slots = slots_of(t->dataset, extent);
    if (ok && extent >= stored) return GYRE_OK;
    return not_as_written(t);
}

void h5_table_detach(h5_table *t) {
    gyre_hdf5_close(t->dataset);
    t->dataset = H5I_INVALID_HID;
    t->stored = 0;
}

gyre_status h5_table_begin(const char *path, const gyre_h5_layout *layout, h5_table *out) {
    *out = (h5_table){.layout = layout, .path = path, .dataset = H5I_INVALID_HID};
    out->type = make_type(layout);
    if (out->type >= 0) return GYRE_OK;
    gyre_status status = failed(out, "make");
    h5_table_close(out);
    return status;
}

/* Rows that are not in the file, but told by its header, would cost any memory. */
static gyre_status check_size(const gyre_h5_reader *r, const gyre_h5_entry *e, const h5_table *t) {
    enum { RATIO = 1100, SLACK = 1 << 20 }; /* deflate's best; what is not flushed yet */
    size_t bytes = gyre_size_of((size_t)e->dims[0], t->layout->row_size);
    size_t most = gyre_size_of((size_t)gyre_h5_reader_size(r), e->packed ? RATIO : 1);
    if (bytes == 0 || bytes - 1 < most || bytes - most <= SLACK) return GYRE_OK;
    return gyre_fail(GYRE_EIO,
                     "'%s' is damaged: its table /%s says that it has %llu rows of %zu bytes, but "
                     "the file has %llu bytes",
                     t->path, t->layout->name, (unsigned long long)e->dims[0], t->layout->row_size,
                     (unsigned long long)gyre_h5_reader_size(r));
}

static gyre_status read_rows(gyre_h5_reader *r, h5_table *t) {
    char name[64];
    snprintf(name, sizeof name, "/%s", t->layout->name);
    const gyre_h5_entry *e = gyre_h5_reader_find(r, name);
    if (e == NULL) return gyre_fail(GYRE_EIO, "'%s' has no table %s", t->path, name);
    if (e->kind != GYRE_H5_ROWS || e->ndim != 1 || e->size != t->layout->row_size) {
        return gyre_fail(GYRE_EIO,
                         "'%s': %s has %d dimensions of elements of %llu bytes; rows of %d columns "
                         "of 8 bytes were expected" H5_OTHER_WRITER,
                         t->path, name, e->ndim, (unsigned long long)e->size,
                         t->layout->column_count);
    }
    GYRE_TRY(check_size(r, e, t));
    GYRE_TRY(make_room(t, (size_t)e->dims[0]));
    t->count = (size_t)e->dims[0];
    const h5_type type = {.format = H5_ROW,
                          .size = t->layout->row_size,
                          .column_count = t->layout->column_count,
                          .columns = t->layout->columns};
    return h5_read(r, e, &type, t->rows, t->count);
}

gyre_status h5_table_read(gyre_h5_reader *r, const char *path, const gyre_h5_layout *layout,
                          h5_table *out) {
    GYRE_TRY(h5_table_begin(path, layout, out));
    gyre_status status = read_rows(r, out);
    if (status != GYRE_OK) h5_table_close(out);
    return status;
}

void h5_table_close(h5_table *t) {
    if (t->layout == NULL) return;
    gyre_hdf5_close(t->dataset);
    gyre_hdf5_close(t->type);
    free(t->rows);
    *t = (h5_table){0};
}

gyre_status h5_table_append(h5_table *t, const void *row) {
    GYRE_TRY(make_room(t, t->count + 1));
    memcpy(row_at(t, t->count++), row, t->layout->row_size);
    return GYRE_OK;
}

gyre_status h5_table_write(h5_table *t) {
    hsize_t first = t->stored, extent = t->count, fresh = extent - first;
    if (fresh == 0) return GYRE_OK;
    if (H5Dset_extent(t->dataset, &extent) < 0) return failed(t, "extend");
    hid_t file_space = H5Dget_space(t->dataset), memory_space = H5Screate_simple(1, &fresh, NULL);
    bool ok = file_space >= 0 && memory_space >= 0 &&
              H5Sselect_hyperslab(file_space, H5S_SELECT_SET, &first, NULL, &fresh, NULL) >= 0 &&
              H5Dwrite(t->dataset, t->type, memory_space, file_space, H5P_DEFAULT,
                       row_at(t, t->stored)) >= 0;
    gyre_hdf5_close(memory_space);
    gyre_hdf5_close(file_space);
    if (!ok) return failed(t, "write to");
    t->stored = t->count;
    return GYRE_OK;
}

bool h5_table_fits(const h5_table *t) {
    return t->count <= t->slots;
}

size_t h5_table_find(const h5_table *t, int64_t last) {
    int64_t before = INT64_MIN;
    size_t keep = 0;
    for (; keep < t->count; keep++) {
        int64_t key;
        memcpy(&key, row_at(t, keep) + 8 * (size_t)t->layout->key, sizeof key);
        if (key <= before || key > last) break;
        before = key;
    }
    return keep;
}

/* ---- whole files of tables */

static gyre_status put_rows(hid_t file, const char *path, const gyre_h5_rows *rows) {
    h5_table t;
    GYRE_TRY(h5_table_create(file, path, rows->layout));
    GYRE_TRY(h5_table_begin(path, rows->layout, &t));
    gyre_status status = h5_table_attach(&t, file, 0);
    for (size_t i = 0; i < rows->count && status == GYRE_OK; i++) {
        status = h5_table_append(&t, (const char *)rows->rows + i * rows->layout->row_size);
    }
    if (status == GYRE_OK) status = h5_table_write(&t);
    h5_table_close(&t);
    return status;
}

gyre_status gyre_h5_rows_write(const char *path, const gyre_h5_rows *tables, int count) {
    gyre_status status = GYRE_OK;
    void *image = NULL;
    size_t size = 0;
    gyre_hdf5_quiet();
    hid_t file = h5_memory_file(0);
    if (file < 0) return gyre_fail(GYRE_EIO, "HDF5 cannot make a file in memory");
    for (int i = 0; i < count; i++) GYRE_GOTO(put_rows(file, path, &tables[i]));
    GYRE_GOTO(h5_image(file, 0, &image, &size));
    status = gyre_file_write_atomic(path, image, size);
out:
    gyre_hdf5_close(file);
    free(image);
    return status;
}

gyre_status gyre_h5_rows_read(gyre_h5_reader *r, const gyre_h5_layout *layout, void **rows,
                              size_t *count) {
    h5_table t;
    GYRE_TRY(h5_table_read(r, gyre_h5_reader_path(r), layout, &t));
    *rows = t.rows; /* they change hands */
    *count = t.count;
    t.rows = NULL;
    h5_table_close(&t);
    return GYRE_OK;
}
