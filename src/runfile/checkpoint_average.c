/* An average lies in one vector, those of the parameters before those of the running statistics,
 * and in one group of the file, as a state_dict has both. */
#include "checkpoint_average.h"

#include "h5_arrays.h"
#include "h5_file.h"
#include "h5_reader.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The arrays of both; free() them. */
static gyre_status arrays_of(const gyre_model *m, h5_array **out, int *count) {
    h5_array *parameters = NULL, *buffers = NULL, *all = NULL;
    int parameter_count = 0, buffer_count = 0;
    gyre_status status = GYRE_OK;
    *out = NULL;
    GYRE_GOTO(h5_arrays_of_parameters(m, &parameters, &parameter_count));
    GYRE_GOTO(h5_arrays_of_buffers(m, &buffers, &buffer_count));
    *count = parameter_count + buffer_count;
    all = calloc((size_t)*count + 1, sizeof *all);
    if (all == NULL) {
        status = gyre_no_memory("the averages of %zu parameters", m->parameters);
        goto out;
    }
    memcpy(all, parameters, (size_t)parameter_count * sizeof *all);
    for (int i = 0; i < buffer_count; i++) {
        all[parameter_count + i] = buffers[i];
        all[parameter_count + i].offset += m->parameters;
    }
    *out = all;
out:
    free(parameters);
    free(buffers);
    return status;
}

static gyre_status write_one(hid_t file, const char *path, const char *group, const gyre_model *m,
                             const float *average) {
    h5_array *arrays = NULL;
    int count = 0;
    GYRE_TRY(arrays_of(m, &arrays, &count));
    gyre_status status = h5_arrays_write(file, path, group, arrays, count, average);
    free(arrays);
    return status;
}

static gyre_status read_one(gyre_h5_reader *r, const char *group, const gyre_model *m,
                            float *average) {
    h5_array *arrays = NULL;
    int count = 0;
    GYRE_TRY(arrays_of(m, &arrays, &count));
    gyre_status status = h5_arrays_read(r, group, arrays, count, average);
    free(arrays);
    return status;
}

typedef struct {
    char text[32];
} group_name;

static group_name beside_of(int kind) {
    group_name g;
    snprintf(g.text, sizeof g.text, "/averages/%s", gyre_average_name((gyre_average_kind)kind));
    return g;
}

gyre_status checkpoint_averages_write(hid_t file, const char *path, const gyre_model *m,
                                      const gyre_snapshot *s) {
    bool made = false;
    if (s->averages != NULL) GYRE_TRY(write_one(file, path, "/average", m, s->averages));
    if (s->slow != NULL) GYRE_TRY(write_one(file, path, "/lookahead", m, s->slow));
    for (int kind = 0; kind < GYRE_AVERAGE_COUNT; kind++) {
        if (s->beside[kind] == NULL) continue;
        if (!made) {
            hid_t g = H5Gcreate2(file, "/averages", H5P_DEFAULT, H5P_DEFAULT, H5P_DEFAULT);
            if (g < 0) return gyre_fail(GYRE_EIO, "cannot write '%s'; is the disk full?", path);
            gyre_hdf5_close(g);
            made = true;
        }
        GYRE_TRY(write_one(file, path, beside_of(kind).text, m, s->beside[kind]));
    }
    return GYRE_OK;
}

gyre_status checkpoint_averages_read(gyre_h5_reader *r, const gyre_model *m, gyre_snapshot *s) {
    if (s->averages != NULL) GYRE_TRY(read_one(r, "/average", m, s->averages));
    if (s->slow != NULL) GYRE_TRY(read_one(r, "/lookahead", m, s->slow));
    for (int kind = 0; kind < GYRE_AVERAGE_COUNT; kind++) {
        if (s->beside[kind] == NULL) continue;
        GYRE_TRY(read_one(r, beside_of(kind).text, m, s->beside[kind]));
    }
    return GYRE_OK;
}
