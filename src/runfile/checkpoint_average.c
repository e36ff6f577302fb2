/* Averages lie in one vector, those of the parameters before those of the running statistics, and
 * in one group of the file, as a state_dict has both. */
#include "checkpoint_average.h"

#include "h5_arrays.h"
#include "h5_reader.h"
#include <stdlib.h>
#include <string.h>

static const char group[] = "/average";

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

gyre_status checkpoint_average_write(hid_t file, const char *path, const gyre_model *m,
                                     const float *averages) {
    h5_array *arrays = NULL;
    int count = 0;
    if (averages == NULL) return GYRE_OK;
    GYRE_TRY(arrays_of(m, &arrays, &count));
    gyre_status status = h5_arrays_write(file, path, group, arrays, count, averages);
    free(arrays);
    return status;
}

gyre_status checkpoint_average_read(gyre_h5_reader *r, const gyre_model *m, float *averages) {
    h5_array *arrays = NULL;
    int count = 0;
    GYRE_TRY(arrays_of(m, &arrays, &count));
    gyre_status status = h5_arrays_read(r, group, arrays, count, averages);
    free(arrays);
    return status;
}
