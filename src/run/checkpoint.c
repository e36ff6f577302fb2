/* Writing, listing and reading checkpoints; see gyre/checkpoint.h for the format. */
#include "gyre/checkpoint.h"

#include "class_names.h"
#include "gyre/file.h"
#include "gyre/seal.h"
#include "vector.h"
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
    return gyre_fail(GYRE_EDEVICE, "no memory for the %zu parameters of a checkpoint",
                     m->parameters);
}

void gyre_snapshot_close(gyre_snapshot *s) {
    free(s->parameters);
    free(s->buffers);
    free(s->mean);
    free(s->scale);
    for (int i = 0; i < GYRE_STATES_MAX; i++) free(s->states[i]);
    *s = (gyre_snapshot){0};
}

/* ---- the scalars: attributes of /state */

typedef enum { READ, WRITE } direction;

static bool attribute(direction way, hid_t group, const char *name, hid_t type, void *value) {
    hid_t a = H5I_INVALID_HID;
    bool ok = false;
    if (way == WRITE) {
        hid_t space = H5Screate(H5S_SCALAR);
        a = H5Acreate2(group, name, type, space, H5P_DEFAULT, H5P_DEFAULT);
        ok = a >= 0 && H5Awrite(a, type, value) >= 0;
        gyre_h5_close(space);
    } else {
        a = H5Aopen(group, name, H5P_DEFAULT);
        ok = a >= 0 && H5Aread(a, type, value) >= 0;
    }
    gyre_h5_close(a);
    return ok;
}

static bool attributes(direction way, hid_t group, gyre_snapshot *s) {
    hid_t text = H5Tcopy(H5T_C_S1), name = H5Tcopy(H5T_C_S1);
    int32_t count = s->state_count;
    H5Tset_size(text, sizeof s->machine);
    H5Tset_size(name, sizeof s->model);
    bool ok = attribute(way, group, "completed", H5T_STD_I64LE, &s->completed) &&
              attribute(way, group, "config_hash", H5T_STD_U64LE, &s->config_hash) &&
              attribute(way, group, "data_hash", H5T_STD_U64LE, &s->data_hash) &&
              attribute(way, group, "init_hash", H5T_STD_U64LE, &s->init_hash) &&
              attribute(way, group, "model", name, s->model) &&
              attribute(way, group, "classes", H5T_STD_I32LE, &s->classes) &&
              attribute(way, group, "ranks", H5T_STD_I32LE, &s->ranks) &&
              attribute(way, group, "finished", H5T_STD_I32LE, &s->finished) &&
              attribute(way, group, "machine", text, s->machine);
    s->machine[sizeof s->machine - 1] = '\0';
    s->model[sizeof s->model - 1] = '\0';
    if (way == WRITE) ok = ok && attribute(way, group, "states", H5T_STD_I32LE, &count);
    gyre_h5_close(text);
    gyre_h5_close(name);
    return ok;
}

/* ---- the content of a file, in its order */

static gyre_array input_mean(const gyre_model *m) {
    size_t count = (size_t)m->h * (size_t)m->w * (size_t)m->c;
    return (gyre_array){.name = "mean", .dims = {m->h, m->w, m->c}, .rank = 3, .count = count};
}

static gyre_array input_scale(const gyre_model *m) {
    return (gyre_array){.name = "scale", .dims = {m->c}, .rank = 1, .count = (size_t)m->c};
}

static gyre_status write_states(hid_t file, const char *path, const gyre_snapshot *s,
                                const gyre_array *arrays, int count) {
    char group[64];
    hid_t g = H5Gcreate2(file, "/optimizer", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (g < 0) return gyre_fail(GYRE_EIO, "cannot write '%s'; is the disk full?", path);
    gyre_h5_close(g);
    for (int i = 0; i < s->state_count; i++) {
        snprintf(group, sizeof group, "/optimizer/%s", s->state_names[i]);
        GYRE_TRY(gyre_vector_write(file, path, group, arrays, count, s->states[i]));
    }
    return GYRE_OK;
}

static gyre_status write_input(hid_t file, const char *path, const gyre_model *m,
                               const gyre_snapshot *s) {
    gyre_array arrays[2] = {input_mean(m), input_scale(m)};
    size_t n = arrays[0].count;
    float *both = calloc(n + (size_t)m->c + 1, sizeof *both);
    if (both == NULL) return gyre_fail(GYRE_EDEVICE, "no memory to write '%s'", path);
    memcpy(both, s->mean, n * sizeof *both);
    memcpy(both + n, s->scale, (size_t)m->c * sizeof *both);
    arrays[1].offset = n;
    gyre_status status = gyre_vector_write(file, path, "/state/input", arrays, 2, both);
    free(both);
    return status;
}

static gyre_status write_content(hid_t file, const char *path, const gyre_model *m,
                                 const gyre_snapshot *s) {
    gyre_status status = GYRE_OK;
    gyre_array *parameters = NULL, *buffers = NULL;
    int parameter_count = 0, buffer_count = 0;
    gyre_snapshot copy = *s; /* attributes() reads and writes */
    hid_t state = H5Gcreate2(file, "/state", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
    if (state < 0 || !attributes(WRITE, state, &copy)) {
        status = gyre_fail(GYRE_EIO, "cannot write '%s'; is the disk full?", path);
        goto out;
    }
    GYRE_GOTO(gyre_arrays_of_parameters(m, &parameters, &parameter_count));
    GYRE_GOTO(gyre_arrays_of_buffers(m, &buffers, &buffer_count));
    GYRE_GOTO(
        gyre_vector_write(file, path, "/parameters", parameters, parameter_count, s->parameters));
    GYRE_GOTO(write_states(file, path, s, parameters, parameter_count));
    GYRE_GOTO(gyre_vector_write(file, path, "/state/buffers", buffers, buffer_count, s->buffers));
    GYRE_GOTO(write_input(file, path, m, s));
    GYRE_GOTO(gyre_class_names_write(file, path, &s->names));
out:
    gyre_h5_close(state);
    free(parameters);
    free(buffers);
    return status;
}

gyre_status gyre_checkpoint_image(const gyre_model *m, const gyre_snapshot *s, void **image,
                                  size_t *size) {
    gyre_h5_quiet();
    hid_t file = gyre_h5_memory_file(GYRE_SEAL_SIZE);
    if (file < 0) return gyre_fail(GYRE_EIO, "HDF5 cannot make a file in memory");
    gyre_status status = write_content(file, "a checkpoint in memory", m, s);
    if (status == GYRE_OK) status = gyre_h5_image(file, GYRE_SEAL_SIZE, image, size);
    if (status == GYRE_OK) gyre_seal_stamp(*image, *size, kind);
    gyre_h5_close(file);
    return status;
}

gyre_status gyre_checkpoint_write(const char *path, const gyre_model *m, const gyre_snapshot *s) {
    void *image = NULL;
    size_t size = 0;
    GYRE_TRY(gyre_checkpoint_image(m, s, &image, &size));
    gyre_status status = gyre_file_write_atomic(path, image, size);
    free(image);
    return status;
}

gyre_status gyre_checkpoint_save(const char *run_dir, const gyre_model *m, const gyre_snapshot *s) {
    gyre_status status = GYRE_OK;
    char *path = gyre_checkpoint_path(run_dir, s->completed);
    char *dir = path == NULL ? NULL : gyre_path_dir(path);
    if (dir == NULL) {
        status = gyre_fail(GYRE_EDEVICE, "no memory to write a checkpoint");
        goto out;
    }
    GYRE_GOTO(gyre_dir_make(dir));
    status = gyre_checkpoint_write(path, m, s);
out:
    free(dir);
    free(path);
    return status;
}

/* ---- finding them */

char *gyre_checkpoint_path(const char *run_dir, int64_t completed) {
    char *path = NULL;
    int n = asprintf(&path, "%s/checkpoints/step-%09lld.h5", run_dir, (long long)completed);
    return n < 0 ? NULL : path;
}

char *gyre_checkpoint_best_path(const char *run_dir) {
    return gyre_path_join(run_dir, "checkpoints/best.h5");
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
    char *path = gyre_path_join(run_dir, "checkpoints");
    if (path == NULL) return gyre_fail(GYRE_EDEVICE, "no memory to list checkpoints");
    DIR *dir = opendir(path);
    if (dir == NULL && errno != ENOENT) {
        status = gyre_fail(GYRE_EIO, "cannot read folder '%s': %s", path, strerror(errno));
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
                status = gyre_fail(GYRE_EDEVICE, "no memory to list '%s'", path);
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
    return ok ? GYRE_OK : gyre_fail(GYRE_EDEVICE, "no memory to list checkpoints");
}

/* ---- reading them */

static gyre_status open_sealed(const char *path, hid_t *out) {
    bool sealed = false;
    gyre_h5_quiet();
    GYRE_TRY(gyre_seal_check(path, kind, &sealed));
    if (!sealed) {
        return gyre_fail(GYRE_EIO,
                         "'%s' is not a checkpoint of gyre, or its first bytes are "
                         "damaged",
                         path);
    }
    hid_t access = gyre_h5_access();
    *out = H5Fopen(path, H5F_ACC_RDONLY, access);
    gyre_h5_close(access);
    return *out >= 0 ? GYRE_OK : gyre_fail(GYRE_EIO, "HDF5 cannot open '%s'", path);
}

static gyre_status read_scalars(hid_t file, const char *path, gyre_snapshot *s) {
    hid_t group = H5Gopen2(file, "/state", H5P_DEFAULT);
    bool ok = group >= 0 && attributes(READ, group, s);
    gyre_h5_close(group);
    return ok ? GYRE_OK : gyre_fail(GYRE_EIO, "'%s' lacks attributes of /state", path);
}

static gyre_status read_input(hid_t file, const char *path, const gyre_model *m, gyre_snapshot *s) {
    bool found = false;
    gyre_array mean = input_mean(m), scale = input_scale(m);
    GYRE_TRY(gyre_array_read(file, path, "/state/input", &mean, s->mean, &found));
    if (found) GYRE_TRY(gyre_array_read(file, path, "/state/input", &scale, s->scale, &found));
    if (found) return GYRE_OK;
    return gyre_fail(GYRE_EIO, "'%s' was trained on images of another size than %d x %d x %d", path,
                     m->h, m->w, m->c);
}

gyre_status gyre_checkpoint_load(const char *path, const gyre_model *m, gyre_snapshot *out) {
    gyre_status status = GYRE_OK;
    gyre_array *parameters = NULL, *buffers = NULL;
    int parameter_count = 0, buffer_count = 0;
    char group[64];
    hid_t file = H5I_INVALID_HID;
    GYRE_GOTO(open_sealed(path, &file));
    GYRE_GOTO(gyre_arrays_of_parameters(m, &parameters, &parameter_count));
    GYRE_GOTO(gyre_arrays_of_buffers(m, &buffers, &buffer_count));
    GYRE_GOTO(
        gyre_vector_read(file, path, "/parameters", parameters, parameter_count, out->parameters));
    GYRE_GOTO(gyre_vector_read(file, path, "/state/buffers", buffers, buffer_count, out->buffers));
    GYRE_GOTO(read_input(file, path, m, out));
    for (int i = 0; i < out->state_count; i++) {
        snprintf(group, sizeof group, "/optimizer/%s", out->state_names[i]);
        GYRE_GOTO(gyre_vector_read(file, path, group, parameters, parameter_count, out->states[i]));
    }
    GYRE_GOTO(read_scalars(file, path, out));
out:
    gyre_h5_close(file);
    free(parameters);
    free(buffers);
    return status;
}

gyre_status gyre_checkpoint_scalars(const char *path, gyre_snapshot *out) {
    hid_t file = H5I_INVALID_HID;
    *out = (gyre_snapshot){0};
    GYRE_TRY(open_sealed(path, &file));
    gyre_status status = read_scalars(file, path, out);
    gyre_h5_close(file);
    return status;
}

gyre_status gyre_checkpoint_class_names(const char *path, gyre_class_names *out) {
    hid_t file = H5I_INVALID_HID;
    *out = (gyre_class_names){0};
    GYRE_TRY(open_sealed(path, &file));
    gyre_status status = gyre_class_names_read(file, path, out);
    gyre_h5_close(file);
    return status;
}
