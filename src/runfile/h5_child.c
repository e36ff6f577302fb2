/* The child's side of reading HDF5: the only place where the library sees a file that this program
 * has not just made. See h5_wire.h for what is said. */
#include "h5_wire.h"

#include "gyre/size.h"
#include "gyre/text.h"
#include "h5_file.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 32, PACKED_PIECE_MAX = 1 << 28 };

typedef struct {
    hid_t file;
    int socket;
    char **names; /* of the objects listed so far */
    size_t count, room;
    int depth;
    const char *trouble; /* why the walk ended early */
} walk;

static bool answer(int socket, const char *why) {
    h5_wire_result r = {.failed = why != NULL};
    if (why != NULL) snprintf(r.why, sizeof r.why, "%s", why);
    return gyre_child_put(socket, &r, sizeof r);
}

static bool answer_no_memory(int socket) {
    const h5_wire_result r = {.failed = true, .no_memory = true};
    return gyre_child_put(socket, &r, sizeof r);
}

/* ---- the list */

static gyre_h5_kind kind_of_type(hid_t type) {
    switch (H5Tget_class(type)) {
    case H5T_FLOAT: return GYRE_H5_FLOATS;
    case H5T_INTEGER: return GYRE_H5_INTEGERS;
    case H5T_STRING: return H5Tis_variable_str(type) == 0 ? GYRE_H5_TEXTS : GYRE_H5_OTHER;
    case H5T_COMPOUND: return GYRE_H5_ROWS;
    default: return GYRE_H5_OTHER;
    }
}

static void describe_dataset(hid_t dataset, h5_wire_entry *e) {
    hid_t type = H5Dget_type(dataset), space = H5Dget_space(dataset);
    hid_t list = H5Dget_create_plist(dataset);
    hsize_t dims[H5S_MAX_RANK] = {0};
    int ndim = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
    bool data = ndim >= 0 && H5Sget_simple_extent_type(space) != H5S_NULL;
    if (type >= 0 && list >= 0 && data && ndim <= GYRE_H5_NDIM_MAX &&
        H5Sget_simple_extent_dims(space, dims, NULL) == ndim) {
        bool here = H5Pget_layout(list) != H5D_VIRTUAL && H5Pget_external_count(list) == 0;
        e->kind = here ? (int32_t)kind_of_type(type) : GYRE_H5_LINK;
        e->size = H5Tget_size(type);
        e->ndim = ndim;
        e->packed = H5Pget_nfilters(list) > 0;
        for (int i = 0; i < ndim; i++) e->dims[i] = dims[i];
    }
    gyre_hdf5_close(list);
    gyre_hdf5_close(space);
    gyre_hdf5_close(type);
}

static bool put_entry(walk *w, const char *name, h5_wire_entry *e) {
    size_t length = strlen(name);
    if (w->count == GYRE_H5_ENTRIES_MAX) {
        w->trouble = "holds more objects than the 100000 that are read";
        return false;
    }
    if (w->count == w->room) {
        w->room = gyre_size_double(w->room, 64, w->count + 1);
        char **more = realloc(w->names, w->room * sizeof *more);
        if (more == NULL) return false;
        w->names = more;
    }
    w->names[w->count] = strdup(name);
    if (w->names[w->count] == NULL) return false;
    w->count++;
    e->name_length = (uint32_t)length;
    return gyre_child_put(w->socket, e, sizeof *e) && gyre_child_put(w->socket, name, length);
}

static bool list_object(walk *w, const char *name);

typedef struct {
    walk *walk;
    const char *group;
} membership;

static herr_t list_member(hid_t group, const char *member, const H5L_info_t *info, void *context) {
    const membership *m = context;
    char name[GYRE_H5_NAME_SIZE];
    (void)group;
    const char *parent = strcmp(m->group, "/") == 0 ? "" : m->group;
    int n = snprintf(name, sizeof name, "%s/%s", parent, member);
    if (n < 0 || n >= (int)sizeof name || member[0] == '\0') {
        m->walk->trouble = "holds an object whose path is longer than the 1023 bytes that are read";
        return -1;
    }
    if (info->type != H5L_TYPE_EXTERNAL) return list_object(m->walk, name) ? 0 : -1;
    return put_entry(m->walk, name, &(h5_wire_entry){.kind = GYRE_H5_LINK}) ? 0 : -1;
}

static bool list_members(walk *w, hid_t group, const char *name) {
    unsigned order = 0;
    hid_t list = H5Gget_create_plist(group);
    if (list >= 0) H5Pget_link_creation_order(list, &order);
    gyre_hdf5_close(list);
    H5_index_t by = (order & H5P_CRT_ORDER_TRACKED) != 0 ? H5_INDEX_CRT_ORDER : H5_INDEX_NAME;
    membership m = {.walk = w, .group = name};
    if (H5Literate(group, by, H5_ITER_INC, NULL, list_member, &m) >= 0) return true;
    if (w->trouble == NULL) w->trouble = "is damaged: HDF5 cannot list what is in it";
    return false;
}

static herr_t stop_at_first(hid_t object, const char *name, const H5A_info_t *info, void *context) {
    (void)object, (void)name, (void)info, (void)context;
    return 1;
}

/* Attributes that cannot be listed count too. */
static bool has_attributes(hid_t object) {
    return H5Aiterate2(object, H5_INDEX_NAME, H5_ITER_NATIVE, NULL, stop_at_first, NULL) != 0;
}

/* A group may be its own member: its depth ends it. */
static bool list_object(walk *w, const char *name) {
    h5_wire_entry e = {.kind = GYRE_H5_OTHER};
    hid_t id = H5Oopen(w->file, name, H5P_DEFAULT);
    H5I_type_t type = id < 0 ? H5I_BADID : H5Iget_type(id);
    if (type == H5I_DATASET) describe_dataset(id, &e);
    if (type == H5I_GROUP) e.kind = GYRE_H5_GROUP;
    e.attributes = id >= 0 && has_attributes(id);
    bool ok = put_entry(w, name, &e);
    if (ok && type == H5I_GROUP && w->depth < DEPTH_MAX) {
        w->depth++;
        ok = list_members(w, id, name);
        w->depth--;
    }
    gyre_hdf5_close(id);
    return ok;
}

/* ---- reading */

static hid_t row_type(const h5_wire_request *q) {
    gyre_h5_column columns[GYRE_H5_COLUMNS_MAX];
    for (int i = 0; i < q->column_count; i++) {
        columns[i] = (gyre_h5_column){q->columns[i].name, q->columns[i].integer != 0};
    }
    return h5_row_type(q->size, columns, q->column_count);
}

/* HDF5 converts between no two character sets. */
static hid_t text_type(const h5_wire_request *q, hid_t stored) {
    hid_t type = H5Tcopy(H5T_C_S1);
    H5Tset_size(type, q->size);
    H5Tset_strpad(type, H5T_STR_NULLPAD);
    H5Tset_cset(type, H5Tget_cset(stored));
    return type;
}

static hid_t type_for(const h5_wire_request *q, hid_t stored) {
    switch (q->format) {
    case H5_F32: return H5Tcopy(H5T_IEEE_F32LE);
    case H5_F64: return H5Tcopy(H5T_IEEE_F64LE);
    case H5_I32: return H5Tcopy(H5T_STD_I32LE);
    case H5_I64: return H5Tcopy(H5T_STD_I64LE);
    case H5_U64: return H5Tcopy(H5T_STD_U64LE);
    case H5_TEXT: return text_type(q, stored);
    default: return row_type(q);
    }
}

/* Rows of the first dimension in one piece; those of a compressed dataset are read by whole chunks,
 * each once. */
static hsize_t rows_of_piece(hid_t dataset, hsize_t row_bytes, hsize_t rows) {
    hsize_t chunk[H5S_MAX_RANK] = {0}, n = H5_WIRE_PIECE / row_bytes;
    hid_t list = H5Dget_create_plist(dataset);
    if (n < 1) n = 1;
    if (list >= 0 && H5Pget_layout(list) == H5D_CHUNKED && H5Pget_nfilters(list) > 0 &&
        H5Pget_chunk(list, H5S_MAX_RANK, chunk) > 0 && chunk[0] > n &&
        chunk[0] <= PACKED_PIECE_MAX / row_bytes) {
        n = chunk[0];
    } else if (chunk[0] > 0 && chunk[0] <= n) {
        n -= n % chunk[0];
    }
    gyre_hdf5_close(list);
    return n < rows ? n : rows;
}

static bool read_rows(hid_t dataset, hid_t type, int ndim, const hsize_t *dims, hsize_t first,
                      hsize_t count, hsize_t elements, void *out) {
    hsize_t begin[H5S_MAX_RANK] = {first}, extent[H5S_MAX_RANK] = {count};
    for (int i = 1; i < ndim; i++) extent[i] = dims[i];
    hid_t file_space = H5Dget_space(dataset), memory = H5Screate_simple(1, &elements, NULL);
    bool ok = ndim == 0 ||
              H5Sselect_hyperslab(file_space, H5S_SELECT_SET, begin, NULL, extent, NULL) >= 0;
    ok = ok && H5Dread(dataset, type, memory, file_space, H5P_DEFAULT, out) >= 0;
    gyre_hdf5_close(memory);
    gyre_hdf5_close(file_space);
    return ok;
}

static bool stream(int socket, hid_t dataset, hid_t type, int ndim, const hsize_t *dims,
                   const h5_wire_request *q) {
    uint64_t failed = 0;
    hsize_t rows = ndim == 0 ? 1 : dims[0];
    if (q->count == 0) return true;
    hsize_t row = q->count / rows; /* elements */
    hsize_t most = rows_of_piece(dataset, row * q->size, rows);
    size_t room = 0;
    bool fits = gyre_size_multiply(most, row * q->size, &room) && room <= PTRDIFF_MAX;
    char *piece = fits ? malloc(room) : NULL;
    bool ok = true;
    if (piece == NULL) failed = H5_WIRE_NO_MEMORY;
    for (hsize_t first = 0; first < rows && ok; first += most) {
        hsize_t n = rows - first < most ? rows - first : most;
        uint64_t bytes = n * row * q->size;
        if (piece == NULL || !read_rows(dataset, type, ndim, dims, first, n, n * row, piece)) {
            ok = gyre_child_put(socket, &failed, sizeof failed);
            break;
        }
        ok = gyre_child_put(socket, &bytes, sizeof bytes) && gyre_child_put(socket, piece, bytes);
    }
    free(piece);
    return ok;
}

/* The first column of `stored` that is not the expected one; false: there is none. */
static bool differing_column(const h5_wire_request *q, hid_t stored, char *why, size_t size) {
    int found = H5Tget_nmembers(stored);
    if (found != q->column_count) {
        snprintf(why, size, "has %d columns, %d were expected", found, q->column_count);
        return true;
    }
    for (int i = 0; i < found; i++) {
        char *name = H5Tget_member_name(stored, (unsigned)i);
        bool same = name != NULL && strcmp(name, q->columns[i].name) == 0;
        hid_t member = H5Tget_member_type(stored, (unsigned)i);
        hid_t expected = q->columns[i].integer ? H5T_STD_I64LE : H5T_IEEE_F64LE;
        bool type_differs = H5Tequal(member, expected) <= 0;
        gyre_hdf5_close(member);
        if (!same) {
            snprintf(why, size, "has '%.64s' as column %d, '%s' was expected",
                     name == NULL ? "?" : name, i + 1, q->columns[i].name);
        } else if (type_differs) {
            snprintf(why, size, "has column '%s' of another type than %s, which was expected",
                     q->columns[i].name, q->columns[i].integer ? "i64" : "f64");
        }
        H5free_memory(name);
        if (!same || type_differs) return true;
    }
    return false;
}

static void other_columns(const h5_wire_request *q, hid_t stored, char *why, size_t size) {
    if (!differing_column(q, stored, why, size)) snprintf(why, size, "has rows of another layout");
    gyre_text_add(why, size, H5_OTHER_WRITER);
}

/* Extents as they were listed; the parent has made room for no others. NULL: it can be read. */
static const char *check_dataset(const h5_wire_request *q, hid_t dataset, hid_t stored, hid_t type,
                                 int *ndim, hsize_t *dims, char *why, size_t size) {
    size_t count = 1, bytes = 0;
    hid_t space = H5Dget_space(dataset);
    *ndim = space < 0 ? -1 : H5Sget_simple_extent_ndims(space);
    if (*ndim >= 0) H5Sget_simple_extent_dims(space, dims, NULL);
    gyre_hdf5_close(space);
    bool fits = *ndim >= 0;
    for (int i = 0; i < *ndim && fits; i++) fits = gyre_size_multiply(count, dims[i], &count);
    if (!fits || count != q->count || !gyre_size_multiply(count, q->size, &bytes)) {
        return "has another extent now than when it was opened; is a run writing it? Try again";
    }
    if (type < 0) return "cannot be read";
    if (q->format != H5_ROW || H5Tequal(stored, type) > 0) return NULL;
    other_columns(q, stored, why, size);
    return why;
}

static bool read_dataset(const walk *w, const h5_wire_request *q) {
    hsize_t dims[H5S_MAX_RANK] = {0};
    int ndim = 0;
    char columns[256];
    hid_t dataset = H5Dopen2(w->file, w->names[q->index], H5P_DEFAULT);
    hid_t stored = dataset < 0 ? -1 : H5Dget_type(dataset);
    hid_t type = stored < 0 ? -1 : type_for(q, stored);
    const char *why =
        dataset < 0 ? "cannot be opened"
                    : check_dataset(q, dataset, stored, type, &ndim, dims, columns, sizeof columns);
    bool ok = answer(w->socket, why);
    if (ok && why == NULL) ok = stream(w->socket, dataset, type, ndim, dims, q);
    gyre_hdf5_close(type);
    gyre_hdf5_close(stored);
    gyre_hdf5_close(dataset);
    return ok;
}

static bool read_attribute(const walk *w, const h5_wire_request *q) {
    hid_t a = H5Aopen_by_name(w->file, w->names[q->index], q->attribute, H5P_DEFAULT, H5P_DEFAULT);
    hid_t stored = a < 0 ? -1 : H5Aget_type(a), space = a < 0 ? -1 : H5Aget_space(a);
    hid_t type = stored < 0 ? -1 : type_for(q, stored);
    uint64_t bytes = q->size;
    char *value = calloc(1, q->size);
    bool ok = value != NULL && type >= 0 && H5Sget_simple_extent_npoints(space) == 1 &&
              H5Aread(a, type, value) >= 0;
    bool sent = value == NULL ? answer_no_memory(w->socket)
                              : answer(w->socket, ok ? NULL : "cannot be read");
    if (ok && sent) {
        sent = gyre_child_put(w->socket, &bytes, sizeof bytes) &&
               gyre_child_put(w->socket, value, q->size);
    }
    free(value);
    gyre_hdf5_close(type);
    gyre_hdf5_close(space);
    gyre_hdf5_close(stored);
    gyre_hdf5_close(a);
    return sent;
}

/* ---- the whole */

static bool list_file(walk *w) {
    h5_wire_entry end = {.kind = GYRE_H5_KINDS};
    if (!answer(w->socket, w->file < 0 ? "is not readable as HDF5" : NULL) || w->file < 0) {
        return false;
    }
    bool whole = list_object(w, "/");
    if (!gyre_child_put(w->socket, &end, sizeof end)) return false;
    if (whole || w->trouble != NULL) return answer(w->socket, w->trouble) && whole;
    return answer_no_memory(w->socket) && false;
}

static bool answer_requests(const walk *w) {
    h5_wire_request q;
    while (gyre_child_get(w->socket, &q, sizeof q)) {
        if (q.index == H5_WIRE_END) return true;
        if (q.index >= w->count) return false;
        if (!(q.attribute[0] != '\0' ? read_attribute(w, &q) : read_dataset(w, &q))) return false;
    }
    return false;
}

/* Nothing of the file may stay behind in the library, or it would be taken for the next one. */
static bool close_file(const walk *w) {
    bool closed = w->file >= 0 && H5Fclose(w->file) >= 0;
    for (size_t i = 0; i < w->count; i++) free(w->names[i]);
    free(w->names);
    return closed && H5Fget_obj_count((hid_t)H5F_OBJ_ALL, H5F_OBJ_ALL) == 0;
}

static bool work(const char *path, int socket) {
    walk w = {.socket = socket};
    gyre_hdf5_quiet();
    H5Lunregister(H5L_TYPE_EXTERNAL);
    w.file = gyre_hdf5_open(path, false);
    bool ok = list_file(&w) && answer_requests(&w);
    return close_file(&w) && ok;
}

const gyre_child_task h5_task = {"gyre-read-hdf5", "HDF5", work};

__attribute__((constructor)) static void serve(int argc, char **argv) {
    gyre_child_serve(argc, argv, &h5_task);
}
