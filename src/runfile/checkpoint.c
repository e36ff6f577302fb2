/* Writing, listing and reading checkpoints; see gyre/checkpoint.h for the format. */
#include "gyre/checkpoint.h"

#include "checkpoint_average.h"
#include "checkpoint_text.h"
#include "class_names.h"
#include "gyre/file.h"
#include "gyre/run_folder.h"
#include "gyre/seal.h"
#include "h5_arrays.h"
#include "h5_file.h"
#include "h5_reader.h"
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char kind[] = "checkpoint";

gyre_status gyre_snapshot_open(const gyre_model *m, int state_count, gyre_snapshot *out) {
    *out = (gyre_snapshot){.state_count = state_count};
    out->parameters = calloc(m->parameters + 1, sizeof(float));
    out->buffers = calloc(m->buffers + 1, sizeof(float));
    out->mean = calloc((size_t)m->h * (size_t)m->w * (size_t)m->c + 1, sizeof(float));
    out->scale = calloc((size_t)m->c + 1, sizeof(float));
    bool ok = out->parameters && out->buffers && out->mean && out->scale;
    for (int i = 0; i < state_count; i++) {
        out->states[i] = calloc(m->parameters + 1, sizeof(float));
        ok = ok && out->states[i] != NULL;
    }
    if (ok) return GYRE_OK;
    gyre_snapshot_close(out);
    return gyre_no_memory("the %zu parameters of a checkpoint", m->parameters);
}

static gyre_status open_average(const gyre_model *m, float **out) {
    *out = calloc(m->parameters + m->buffers + 1, sizeof(float));
    if (*out != NULL) return GYRE_OK;
    return gyre_no_memory("the averages of %zu parameters", m->parameters);
}

gyre_status gyre_snapshot_open_averages(const gyre_model *m, gyre_snapshot *s) {
    return open_average(m, &s->averages);
}

gyre_status gyre_snapshot_open_beside(const gyre_model *m, gyre_average_kind average,
                                      gyre_snapshot *s) {
    return open_average(m, &s->beside[average]);
}

gyre_status gyre_snapshot_open_slow(const gyre_model *m, gyre_snapshot *s) {
    return open_average(m, &s->slow);
}

void gyre_snapshot_close(gyre_snapshot *s) {
    free(s->parameters);
    free(s->buffers);
    free(s->averages);
    free(s->slow);
    for (int i = 0; i < GYRE_AVERAGE_COUNT; i++) free(s->beside[i]);
    free(s->mean);
    free(s->scale);
    for (int i = 0; i < GYRE_STATES_MAX; i++) free(s->states[i]);
    *s = (gyre_snapshot){0};
}

/* ---- the scalars: attributes of /state */

/* One of them: its name, where it is in a snapshot, and how it is stored. */
typedef struct {
    const char *name;
    size_t offset;
    h5_type type;
} scalar;

#define SCALAR(name, format)                                                                       \
    {                                                                                              \
#name, offsetof(gyre_snapshot, name), {                                                    \
            format, sizeof((gyre_snapshot *)0)->name, 0, NULL                                      \
        }                                                                                          \
    }
static const scalar scalars[] = {
    SCALAR(completed, H5_I64), SCALAR(config_hash, H5_U64), SCALAR(data_hash, H5_U64),
    SCALAR(init_hash, H5_U64), SCALAR(model, H5_TEXT),      SCALAR(classes, H5_I32),
    SCALAR(ranks, H5_I32),     SCALAR(finished, H5_I32),    SCALAR(machine, H5_TEXT),
};
/* Texts that a file may lack; not written where they are empty. */
static const scalar optional[] = {SCALAR(loss, H5_TEXT), SCALAR(element, H5_TEXT),
                                  SCALAR(average, H5_TEXT)};
static const scalar state_count = {"states", 0, {H5_I32, 4, 0, NULL}};
enum { SCALARS = sizeof scalars / sizeof *scalars, OPTIONAL = sizeof optional / sizeof *optional };

static bool write_scalar(hid_t group, const scalar *s, const void *value) {
    hid_t type = s->type.format == H5_I64   ? H5Tcopy(H5T_STD_I64LE)
                 : s->type.format == H5_U64 ? H5Tcopy(H5T_STD_U64LE)
                 : s->type.format == H5_I32 ? H5Tcopy(H5T_STD_I32LE)
                                            : H5Tcopy(H5T_C_S1);
    if (s->type.format == H5_TEXT) H5Tset_size(type, s->type.size);
    hid_t space = H5Screate(H5S_SCALAR);
    hid_t a = H5Acreate2(group, s->name, type, space, H5P_DEFAULT, H5P_DEFAULT);
    bool ok = a >= 0 && H5Awrite(a, type, value) >= 0;
    gyre_hdf5_close(a);
    gyre_hdf5_close(space);
    gyre_hdf5_close(type);
    return ok;
}

static bool write_scalars(hid_t group, const gyre_snapshot *s) {
    const int32_t count = s->state_count;
    bool ok = true;
    for (int i = 0; i < SCALARS && ok; i++) {
        ok = write_scalar(group, &scalars[i], (const char *)s + scalars[i].offset);
    }
    for (int i = 0; i < OPTIONAL && ok; i++) {
        const char *text = (const char *)s + optional[i].offset;
        ok = text[0] == '\0' || write_scalar(group, &optional[i], text);
    }
    return ok && write_scalar(group, &state_count, &count);
}

/* ---- the content of a file, in its order */

static h5_array input_mean(const gyre_model *m) {
    size_t count = (size_t)m->h * (size_t)m->w * (size_t)m->c;
    return (h5_array){.name = "mean", .dims = {m->h, m->w, m->c}, .ndim = 3, .count = count};
}

static h5_array input_scale(const gyre_model *m) {
    return (h5_array){.name = "scale", .dims = {m->c}, .ndim = 1, .count = (size_t)m->c};
}

static gyre_status write_states(hid_t file, const char *path, const gyre_snapshot *s,
                                const h5_array *arrays, int count) {
    char group[64];
    hid_t g = H5Gcreate2(file, "/optimizer", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (g < 0) return gyre_fail(GYRE_EIO, "cannot write '%s'; is the disk full?", path);
    gyre_hdf5_close(g);
    for (int i = 0; i < s->state_count; i++) {
        snprintf(group, sizeof group, "/optimizer/%s", s->state_names[i]);
        GYRE_TRY(h5_arrays_write(file, path, group, arrays, count, s->states[i]));
    }
    return GYRE_OK;
}

static gyre_status write_input(hid_t file, const char *path, const gyre_model *m,
                               const gyre_snapshot *s) {
    h5_array arrays[2] = {input_mean(m), input_scale(m)};
    size_t n = arrays[0].count;
    float *both = calloc(n + (size_t)m->c + 1, sizeof *both);
    if (both == NULL) return gyre_no_memory("writing '%s'", path);
    memcpy(both, s->mean, n * sizeof *both);
    memcpy(both + n, s->scale, (size_t)m->c * sizeof *both);
    arrays[1].offset = n;
    gyre_status status = h5_arrays_write(file, path, "/state/input", arrays, 2, both);
    free(both);
    return status;
}

static gyre_status write_content(hid_t file, const char *path, const gyre_model *m,
                                 const gyre_snapshot *s) {
    gyre_status status = GYRE_OK;
    h5_array *parameters = NULL, *buffers = NULL;
    int parameter_count = 0, buffer_count = 0;
    hid_t state = H5Gcreate2(file, "/state", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (state < 0 || !write_scalars(state, s)) {
        status = gyre_fail(GYRE_EIO, "cannot write '%s'; is the disk full?", path);
        goto out;
    }
    GYRE_GOTO(h5_arrays_of_parameters(m, &parameters, &parameter_count));
    GYRE_GOTO(h5_arrays_of_buffers(m, &buffers, &buffer_count));
    GYRE_GOTO(
        h5_arrays_write(file, path, "/parameters", parameters, parameter_count, s->parameters));
    GYRE_GOTO(write_states(file, path, s, parameters, parameter_count));
    GYRE_GOTO(checkpoint_averages_write(file, path, m, s));
    GYRE_GOTO(h5_arrays_write(file, path, "/state/buffers", buffers, buffer_count, s->buffers));
    GYRE_GOTO(write_input(file, path, m, s));
    GYRE_GOTO(class_names_write(file, path, &s->names));
    GYRE_GOTO(checkpoint_text_write(file, path, CHECKPOINT_NETWORK, s->network));
    GYRE_GOTO(checkpoint_text_write(file, path, CHECKPOINT_CONFIG, s->config));
out:
    gyre_hdf5_close(state);
    free(parameters);
    free(buffers);
    return status;
}

gyre_status gyre_checkpoint_image(const gyre_model *m, const gyre_snapshot *s, void **image,
                                  size_t *size) {
    gyre_hdf5_quiet();
    hid_t file = h5_memory_file(GYRE_SEAL_SIZE);
    if (file < 0) return gyre_fail(GYRE_EIO, "HDF5 cannot make a file in memory");
    gyre_status status = write_content(file, "a checkpoint in memory", m, s);
    if (status == GYRE_OK) status = h5_image(file, GYRE_SEAL_SIZE, image, size);
    if (status == GYRE_OK) gyre_seal_stamp(*image, *size, kind);
    gyre_hdf5_close(file);
    return status;
}

/* ---- finding them */

char *gyre_checkpoint_path(const char *run_dir, int64_t completed) {
    char *path = NULL;
    int n =
        asprintf(&path, "%s/" GYRE_CHECKPOINTS "/step-%09lld.h5", run_dir, (long long)completed);
    return n < 0 ? NULL : path;
}

char *gyre_checkpoint_best_path(const char *run_dir) {
    return gyre_path_join(run_dir, GYRE_CHECKPOINTS "/best.h5");
}

static int most_first(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x < y) - (x > y);
}

gyre_status gyre_checkpoint_list(const char *run_dir, int64_t **completed, size_t *count) {
    gyre_status status = GYRE_OK;
    size_t room = 0;
    *completed = NULL;
    *count = 0;
    char *path = gyre_path_join(run_dir, GYRE_CHECKPOINTS);
    if (path == NULL) return gyre_no_memory("listing checkpoints");
    DIR *dir = opendir(path);
    if (dir == NULL && errno != ENOENT) {
        status = errno == ENOMEM
                     ? gyre_no_memory("reading '%s'", path)
                     : gyre_fail(GYRE_EIO, "cannot read folder '%s': %s", path, strerror(errno));
    }
    for (struct dirent *e; dir != NULL && (e = readdir(dir)) != NULL;) {
        long long n = 0;
        int end = 0;
        if (sscanf(e->d_name, "step-%lld.h5%n", &n, &end) != 1 || end == 0 ||
            e->d_name[end] != '\0' || n < 0) {
            continue;
        }
        if (*count == room) {
            room = 2 * room + 16;
            int64_t *more = realloc(*completed, room * sizeof *more);
            if (more == NULL) {
                status = gyre_no_memory("listing '%s'", path);
                break;
            }
            *completed = more;
        }
        (*completed)[(*count)++] = n;
    }
    if (*count > 0) qsort(*completed, *count, sizeof **completed, most_first);
    if (dir != NULL) closedir(dir);
    free(path);
    if (status == GYRE_OK) return GYRE_OK;
    free(*completed);
    *completed = NULL;
    return status;
}

gyre_status gyre_checkpoint_newest(const char *run_dir, char **path) {
    int64_t *list = NULL;
    size_t count = 0;
    *path = NULL;
    GYRE_TRY(gyre_checkpoint_list(run_dir, &list, &count));
    if (count > 0) *path = gyre_checkpoint_path(run_dir, list[0]);
    bool ok = count == 0 || *path != NULL;
    free(list);
    return ok ? GYRE_OK : gyre_no_memory("listing checkpoints");
}

/* ---- reading them */

static gyre_status open_sealed(const char *path, gyre_h5_reader **out) {
    bool sealed = false;
    *out = NULL;
    GYRE_TRY(gyre_seal_check(path, kind, &sealed));
    if (sealed) return gyre_h5_reader_open(path, out);
    return gyre_fail(GYRE_EIO, "'%s' is not a checkpoint of gyre, or its first bytes are damaged",
                     path);
}

/* Whoever reads them counts with them. */
static gyre_status check_scalars(const gyre_snapshot *s, const char *path) {
    if (s->completed >= 0 && s->classes >= 0 && s->classes <= GYRE_CLASSES_MAX) {
        return GYRE_OK;
    }
    return gyre_fail(GYRE_EIO,
                     "'%s' is damaged: a checkpoint after %lld updates of a model of %d classes",
                     path, (long long)s->completed, s->classes);
}

static gyre_status read_scalars(gyre_h5_reader *r, gyre_snapshot *s) {
    const gyre_h5_entry *state = gyre_h5_reader_find(r, "/state");
    if (state == NULL) {
        return gyre_fail(GYRE_EIO, "'%s' lacks the group /state", gyre_h5_reader_path(r));
    }
    for (int i = 0; i < SCALARS; i++) {
        void *value = (char *)s + scalars[i].offset;
        GYRE_TRY(h5_read_attribute(r, state, scalars[i].name, &scalars[i].type, value));
    }
    for (int i = 0; i < OPTIONAL; i++) {
        char *text = (char *)s + optional[i].offset;
        gyre_status status = h5_read_attribute(r, state, optional[i].name, &optional[i].type, text);
        if (status != GYRE_OK && status != GYRE_EIO) return status;
        /* the file is sealed, so what is not there was not written */
        if (status == GYRE_EIO) text[0] = '\0';
        text[optional[i].type.size - 1] = '\0';
    }
    s->machine[sizeof s->machine - 1] = '\0';
    s->model[sizeof s->model - 1] = '\0';
    return check_scalars(s, gyre_h5_reader_path(r));
}

static gyre_status read_input(gyre_h5_reader *r, const gyre_model *m, gyre_snapshot *s) {
    bool found = false;
    h5_array mean = input_mean(m), scale = input_scale(m);
    GYRE_TRY(h5_arrays_read_one(r, "/state/input", &mean, s->mean, &found));
    if (found) GYRE_TRY(h5_arrays_read_one(r, "/state/input", &scale, s->scale, &found));
    if (found) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "'%s' was trained on images of another size than %d x %d x %d",
                     gyre_h5_reader_path(r), m->h, m->w, m->c);
}

gyre_status gyre_checkpoint_load(const char *path, const gyre_model *m, gyre_snapshot *out) {
    gyre_status status = GYRE_OK;
    h5_array *parameters = NULL, *buffers = NULL;
    int parameter_count = 0, buffer_count = 0;
    char group[64];
    gyre_h5_reader *r = NULL;
    GYRE_GOTO(open_sealed(path, &r));
    GYRE_GOTO(h5_arrays_of_parameters(m, &parameters, &parameter_count));
    GYRE_GOTO(h5_arrays_of_buffers(m, &buffers, &buffer_count));
    GYRE_GOTO(h5_arrays_read(r, "/parameters", parameters, parameter_count, out->parameters));
    GYRE_GOTO(h5_arrays_read(r, "/state/buffers", buffers, buffer_count, out->buffers));
    GYRE_GOTO(read_input(r, m, out));
    GYRE_GOTO(checkpoint_averages_read(r, m, out));
    for (int i = 0; i < out->state_count; i++) {
        snprintf(group, sizeof group, "/optimizer/%s", out->state_names[i]);
        GYRE_GOTO(h5_arrays_read(r, group, parameters, parameter_count, out->states[i]));
    }
    status = read_scalars(r, out);
out:
    gyre_h5_reader_close(r);
    free(parameters);
    free(buffers);
    return status;
}

gyre_status gyre_checkpoint_scalars(const char *path, gyre_snapshot *out) {
    gyre_h5_reader *r = NULL;
    *out = (gyre_snapshot){0};
    GYRE_TRY(open_sealed(path, &r));
    gyre_status status = read_scalars(r, out);
    gyre_h5_reader_close(r);
    return status;
}

gyre_status gyre_checkpoint_class_names(const char *path, gyre_class_names *out) {
    gyre_h5_reader *r = NULL;
    *out = (gyre_class_names){0};
    GYRE_TRY(open_sealed(path, &r));
    gyre_status status = class_names_read(r, out);
    gyre_h5_reader_close(r);
    return status;
}

static gyre_status read_text(const char *path, const char *place, char **out) {
    gyre_h5_reader *r = NULL;
    *out = NULL;
    GYRE_TRY(open_sealed(path, &r));
    gyre_status status = checkpoint_text_read(r, place, out);
    gyre_h5_reader_close(r);
    return status;
}

gyre_status gyre_checkpoint_network(const char *path, char **out) {
    return read_text(path, CHECKPOINT_NETWORK, out);
}

gyre_status gyre_checkpoint_config(const char *path, char **out) {
    return read_text(path, CHECKPOINT_CONFIG, out);
}

gyre_status gyre_checkpoint_input_size(const char *path, uint64_t size[3], bool *known) {
    gyre_h5_reader *r = NULL;
    GYRE_TRY(gyre_h5_reader_open(path, &r));
    const gyre_h5_entry *mean = gyre_h5_reader_find(r, "/state/input/mean");
    *known = mean != NULL && mean->ndim == 3;
    if (*known) memcpy(size, mean->dims, 3 * sizeof *size);
    gyre_h5_reader_close(r);
    return GYRE_OK;
}
