/* metrics.h5: three or more tables in one file, written by rank 0 and flushed at most once a
 * second.
 *
 * HDF5 changes its index of chunks in several writes, and a process that is killed between two of
 * them leaves a file that HDF5 cannot read. So HDF5 only ever adds rows to chunks that are there,
 * where what it writes first lies behind the rows that the file is said to have. When a chunk is
 * full, the whole file is made anew, twice as large, and takes the old one's name. */
#include "gyre/metrics.h"

#include "gyre/clock.h"
#include "gyre/file.h"
#include "gyre/log.h"
#include "gyre/overwrite.h"
#include "h5_file.h"
#include "h5_table.h"
#include "metrics_additions.h"
#include "metrics_tables.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct gyre_metrics {
    char *path;
    gyre_status (*check)(void *context); /* NULL: none */
    void *context;
    hid_t file; /* negative while the file must be made anew */
    metrics_layouts layouts;
    h5_table tables[METRICS_TABLES];
    int fd;
    off_t made; /* the size of the file as it was made anew, which added rows leave; 0: not known */
    double flushed; /* time of the last flush, or of the last try */
    bool whole;     /* every table was begun */
    int64_t end;    /* see gyre_metrics_end */
    double seconds; /* of the last training row, see gyre_metrics_seconds */
};

/* The file as make_anew has just written it. */
static gyre_status open_own(const char *path, hid_t *out) {
    *out = gyre_hdf5_open(path, true);
    if (*out >= 0) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "cannot open '%s', which was written just now; is the disk failing?",
                     path);
}

static off_t size_of(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 ? st.st_size : 0;
}

static bool is_link(const char *path) {
    struct stat st;
    return lstat(path, &st) == 0 && S_ISLNK(st.st_mode);
}

static int descriptor_of(hid_t file) {
    void *fd = NULL;
    return H5Fget_vfd_handle(file, H5P_DEFAULT, &fd) < 0 || fd == NULL ? -1 : *(int *)fd;
}

/* Opens the file that holds `stored` rows of each table. */
static gyre_status attach(gyre_metrics *m, const size_t *stored) {
    GYRE_TRY(open_own(m->path, &m->file));
    m->fd = descriptor_of(m->file);
    m->made = size_of(m->path);
    for (int i = 0; i < METRICS_TABLES; i++) {
        if (!m->layouts.has[i]) continue;
        GYRE_TRY(h5_table_attach(&m->tables[i], m->file, stored[i]));
    }
    return GYRE_OK;
}

/* HDF5 could not write: what it thinks the file holds, and what is there, may differ. Nothing of it
 * is used again, and nothing closed, since that would write. */
static void abandon(gyre_metrics *m) {
    for (int i = 0; i < METRICS_TABLES; i++) {
        if (!m->layouts.has[i]) continue;
        m->tables[i].dataset = H5I_INVALID_HID;
        m->tables[i].stored = 0;
    }
    m->file = H5I_INVALID_HID;
    m->fd = -1;
}

static void let_go(gyre_metrics *m) {
    for (int i = 0; i < METRICS_TABLES; i++) {
        if (m->layouts.has[i]) h5_table_detach(&m->tables[i]);
    }
    gyre_hdf5_close(m->file);
    m->file = H5I_INVALID_HID;
    m->fd = -1;
}

/* Someone else's work in the file survives it under another name. `what` was found in it. */
static gyre_status keep_before(const gyre_metrics *m, const char *what) {
    char *kept = NULL;
    GYRE_TRY(gyre_overwrite_keep(m->path, "before", &kept));
    gyre_warn(
        "'%s' holds what gyre did not write (%s); that file is '%s' now, and the run continues "
        "in a new one",
        m->path, what, kept);
    free(kept);
    return GYRE_OK;
}

/* Another program has written into it since it was made, or has put a file of its own there. */
static bool changed_meanwhile(const gyre_metrics *m) {
    off_t now = size_of(m->path);
    return m->made != 0 && now != 0 && now != m->made;
}

/* The file as it should be, from the rows in memory: whole from its first moment on the disk, and
 * with room for the next rows, so that adding them needs no space of the disk. */
static gyre_status make_anew(gyre_metrics *m) {
    gyre_status status = GYRE_OK;
    size_t stored[METRICS_TABLES];
    void *image = NULL;
    size_t size = 0;
    if (m->check != NULL) GYRE_TRY(m->check(m->context));
    let_go(m);
    if (changed_meanwhile(m)) GYRE_TRY(keep_before(m, "added while the run was working"));
    hid_t file = h5_memory_file(0);
    if (file < 0) return gyre_fail(GYRE_EIO, "HDF5 cannot make a file in memory");
    for (int i = 0; i < METRICS_TABLES; i++) {
        if (!m->layouts.has[i]) continue;
        h5_table *t = &m->tables[i];
        stored[i] = t->count;
        GYRE_GOTO(h5_table_create_for(file, m->path, &m->layouts.tables[i], t->count));
        GYRE_GOTO(h5_table_attach(t, file, 0));
        GYRE_GOTO(h5_table_write(t));
        h5_table_detach(t);
    }
    GYRE_GOTO(h5_image(file, 0, &image, &size));
    GYRE_GOTO(gyre_file_write_atomic(m->path, image, size));
    status = attach(m, stored);
out:
    if (status != GYRE_OK) let_go(m);
    gyre_hdf5_close(file);
    free(image);
    return status;
}

static gyre_status begin_empty(gyre_metrics *m) {
    for (int i = 0; i < METRICS_TABLES; i++) {
        if (!m->layouts.has[i]) continue;
        GYRE_TRY(h5_table_begin(m->path, &m->layouts.tables[i], &m->tables[i]));
    }
    return make_anew(m);
}

static bool is_there(const gyre_h5_reader *r, int table) {
    char name[32];
    snprintf(name, sizeof name, "/%s", metrics_table_name((metrics_table)table));
    return gyre_h5_reader_find(r, name) != NULL;
}

/* Takes the rows up to `completed` updates from the file that is there. */
static gyre_status take_rows(gyre_metrics *m, gyre_h5_reader *r, int64_t completed) {
    for (int i = 0; i < METRICS_TABLES; i++) {
        if (!m->layouts.has[i]) continue;
        h5_table *t = &m->tables[i];
        if (i >= METRICS_BANDS && !is_there(r, i)) { /* written by an older gyre */
            GYRE_TRY(h5_table_begin(m->path, &m->layouts.tables[i], t));
            continue;
        }
        GYRE_TRY(h5_table_read(r, m->path, &m->layouts.tables[i], t));
        /* training rows are named by update index, the others by completed updates */
        t->count = h5_table_find(t, i == METRICS_TRAIN ? completed - 1 : completed);
    }
    return GYRE_OK;
}

/* The rows continue in a file made anew: nothing is written into the structure of one that came
 * from elsewhere, or out of a crash. */
static gyre_status begin_with_rows(gyre_metrics *m, int64_t completed) {
    gyre_h5_reader *r = NULL;
    if (access(m->path, R_OK | W_OK) != 0) {
        return gyre_fail(GYRE_EIO, "cannot open '%s': %s", m->path, strerror(errno));
    }
    char additions[512] = "";
    gyre_status status = gyre_h5_reader_open(m->path, &r);
    if (status == GYRE_OK) status = take_rows(m, r, completed);
    bool added = status == GYRE_OK && metrics_additions_list(r, additions, sizeof additions);
    gyre_h5_reader_close(r);
    if (!added && status == GYRE_OK && is_link(m->path)) {
        snprintf(additions, sizeof additions, "it is a link");
        added = true;
    }
    if (added) GYRE_TRY(keep_before(m, additions));
    if (status == GYRE_OK) return make_anew(m);
    if (status != GYRE_EIO) return status;
    return gyre_fail(status, "%s; move it away to continue without its rows", gyre_error_text());
}

gyre_status gyre_metrics_open(const char *path, const gyre_metric *metric, unsigned parts,
                              int64_t completed, gyre_metrics **out) {
    gyre_status status = GYRE_OK;
    gyre_hdf5_quiet();
    gyre_metrics *m = calloc(1, sizeof *m);
    if (m == NULL) return gyre_no_memory("metrics");
    metrics_layouts_open(metric, parts, &m->layouts);
    m->file = H5I_INVALID_HID;
    m->fd = -1;
    m->flushed = gyre_clock();
    m->path = strdup(path);
    if (m->path == NULL) {
        status = gyre_no_memory("metrics");
        goto out;
    }
    GYRE_GOTO(gyre_file_exists(path) ? begin_with_rows(m, completed) : begin_empty(m));
    m->whole = true;
    const h5_table *train = &m->tables[METRICS_TRAIN];
    if (train->count > 0) {
        const gyre_train_row *rows = (const void *)train->rows;
        m->seconds = rows[train->count - 1].seconds;
        m->end = rows[train->count - 1].step + 1;
    }
out:
    if (status != GYRE_OK) {
        abandon(m);
        gyre_metrics_close(m);
        m = NULL;
    }
    *out = m;
    return status;
}

void gyre_metrics_guard(gyre_metrics *m, gyre_status (*check)(void *context), void *context) {
    m->check = check;
    m->context = context;
}

gyre_status gyre_metrics_moved(gyre_metrics *m, const char *path) {
    char *copy = strdup(path);
    if (copy == NULL) return gyre_no_memory("metrics");
    free(m->path);
    m->path = copy;
    for (int i = 0; i < METRICS_TABLES; i++) m->tables[i].path = copy;
    return GYRE_OK;
}

static bool fits(const gyre_metrics *m) {
    bool all = true;
    for (int i = 0; i < METRICS_TABLES; i++) {
        all = all && (!m->layouts.has[i] || h5_table_fits(&m->tables[i]));
    }
    return all;
}

gyre_status gyre_metrics_flush(gyre_metrics *m) {
    gyre_status status = GYRE_OK;
    m->flushed = gyre_clock();
    if (m->file < 0 || !fits(m)) return make_anew(m);
    for (int i = 0; i < METRICS_TABLES; i++) {
        if (m->layouts.has[i]) GYRE_GOTO(h5_table_write(&m->tables[i]));
    }
    if (H5Fflush(m->file, H5F_SCOPE_LOCAL) >= 0) return GYRE_OK;
    status = gyre_fail(GYRE_EIO, "cannot write '%s'; is the disk failing?", m->path);
out:
    if (status != GYRE_OK) abandon(m);
    return status;
}

static gyre_status append(gyre_metrics *m, metrics_table table, const void *row) {
    GYRE_TRY(h5_table_append(&m->tables[table], row));
    return gyre_clock() - m->flushed < 1 ? GYRE_OK : gyre_metrics_flush(m);
}

gyre_status gyre_metrics_train(gyre_metrics *m, const gyre_train_row *row) {
    return append(m, METRICS_TRAIN, row);
}

gyre_status gyre_metrics_validation(gyre_metrics *m, const gyre_validation_row *row) {
    return append(m, METRICS_VALIDATION, row);
}

gyre_status gyre_metrics_cycle(gyre_metrics *m, const gyre_cycle_row *row) {
    return append(m, METRICS_CYCLES, row);
}

gyre_status gyre_metrics_bands(gyre_metrics *m, const gyre_bands_row *row) {
    return append(m, METRICS_BANDS, row);
}

gyre_status gyre_metrics_averages(gyre_metrics *m, const gyre_averages_row *row) {
    return append(m, METRICS_AVERAGES, row);
}

gyre_status gyre_metrics_descriptor(const gyre_metrics *m, int *out) {
    *out = fcntl(m->fd, F_DUPFD_CLOEXEC, 0);
    if (*out >= 0) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "no descriptor for '%s': %s", m->path, strerror(errno));
}

int64_t gyre_metrics_end(const gyre_metrics *m) {
    return m->end;
}

double gyre_metrics_seconds(const gyre_metrics *m) {
    return m->seconds;
}

gyre_status gyre_metrics_close(gyre_metrics *m) {
    gyre_status status = GYRE_OK;
    if (m == NULL) return GYRE_OK;
    if (m->whole) {
        status = gyre_metrics_flush(m);
        if (status != GYRE_OK) status = gyre_metrics_flush(m); /* anew, should HDF5 have failed */
        /* HDF5 never does */
        if (status == GYRE_OK && m->fd >= 0) status = gyre_file_sync(m->fd, m->path);
    }
    for (int i = 0; i < METRICS_TABLES; i++) {
        if (m->layouts.has[i]) h5_table_close(&m->tables[i]);
    }
    if (m->file >= 0 && H5Fclose(m->file) < 0 && status == GYRE_OK) {
        status = gyre_fail(GYRE_EIO, "cannot close '%s'; is the disk full?", m->path);
    }
    free(m->path);
    free(m);
    return status;
}

static gyre_status read_tables(const char *path, const gyre_metric *metric, gyre_tables *out) {
    metrics_layouts layouts;
    gyre_status status = GYRE_OK;
    gyre_h5_reader *r = NULL;
    void *rows[METRICS_TABLES] = {0};
    size_t counts[METRICS_TABLES] = {0};
    metrics_layouts_open(metric, GYRE_METRICS_BANDS | GYRE_METRICS_AVERAGES, &layouts);
    GYRE_GOTO(gyre_h5_reader_open(path, &r));
    for (int i = 0; i < METRICS_TABLES; i++) {
        if (i >= METRICS_BANDS && !is_there(r, i)) continue;
        GYRE_GOTO(gyre_h5_rows_read(r, &layouts.tables[i], &rows[i], &counts[i]));
    }
out:
    gyre_h5_reader_close(r);
    for (int i = 0; status != GYRE_OK && i < METRICS_TABLES; i++) {
        free(rows[i]);
        rows[i] = NULL;
        counts[i] = 0;
    }
    *out = (gyre_tables){.metric = metric,
                         .train = rows[METRICS_TRAIN],
                         .validation = rows[METRICS_VALIDATION],
                         .cycles = rows[METRICS_CYCLES],
                         .bands = rows[METRICS_BANDS],
                         .averages = rows[METRICS_AVERAGES],
                         .train_count = counts[METRICS_TRAIN],
                         .validation_count = counts[METRICS_VALIDATION],
                         .cycle_count = counts[METRICS_CYCLES],
                         .bands_count = counts[METRICS_BANDS],
                         .averages_count = counts[METRICS_AVERAGES]};
    return status;
}

/* The file names its metric by its column: the first one that is there. */
gyre_status gyre_tables_read(const char *path, gyre_tables *out) {
    const gyre_metric *metric = gyre_metric_at(0);
    gyre_status status = read_tables(path, metric, out);
    for (int i = 1; status == GYRE_EIO && (metric = gyre_metric_at(i)) != NULL; i++) {
        char first[GYRE_ERROR_MAX];
        snprintf(first, sizeof first, "%s", gyre_error_text());
        status = read_tables(path, metric, out);
        if (status == GYRE_EIO) status = gyre_fail(GYRE_EIO, "%s", first);
    }
    return status;
}

void gyre_tables_free(gyre_tables *t) {
    free(t->train);
    free(t->validation);
    free(t->cycles);
    free(t->bands);
    free(t->averages);
    *t = (gyre_tables){0};
}
