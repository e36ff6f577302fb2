/* Means and deviations in double, in two passes over the rows, so that values far from 0 do not
 * cancel. Sums are taken in the order of the rows: the same bits everywhere. */
#include "value_stats.h"

#include "gyre/alive.h"
#include <math.h>
#include <stdlib.h>

enum { ALIVE = 1024 }; /* rows between two signs of life */

typedef struct {
    const gyre_view *view;
    size_t count, channels; /* values of a sample */
    double *sums;           /* (count) */
    double *channel;        /* (channels) means */
    double *squares;        /* (channels) of the distances from them */
    float *values;          /* (count) of one row */
    uint8_t *row;
} measure;

static gyre_status read_row(const measure *m, int64_t row) {
    GYRE_TRY(gyre_images_read(m->view->images, row, 1, m->row));
    gyre_element_floats(m->view->images->element, m->row, m->count, m->values);
    return GYRE_OK;
}

static gyre_status add_values(measure *m, int64_t row) {
    GYRE_TRY(read_row(m, row));
    for (size_t i = 0; i < m->count; i++) {
        if (!isfinite(m->values[i])) {
            return gyre_fail(GYRE_EIO,
                             "training sample %lld holds %g at value %zu; every value must be a "
                             "finite number, so mend or leave out such samples",
                             (long long)row, (double)m->values[i], i);
        }
        m->sums[i] += (double)m->values[i];
    }
    return GYRE_OK;
}

static gyre_status add_squares(measure *m, int64_t row) {
    GYRE_TRY(read_row(m, row));
    for (size_t i = 0; i < m->count; i++) {
        double distance = (double)m->values[i] - m->channel[i % m->channels];
        m->squares[i % m->channels] += distance * distance;
    }
    return GYRE_OK;
}

static gyre_status each_row(measure *m, int64_t rows, gyre_status (*add)(measure *m, int64_t row)) {
    for (int64_t i = 0; i < rows; i++) {
        GYRE_TRY(add(m, data_measured_row(m->view, i, rows)));
        if (i % ALIVE == 0) gyre_alive();
    }
    return GYRE_OK;
}

static gyre_status take(measure *m, int64_t rows, gyre_pixel_stats *out) {
    double n = (double)rows * (double)(m->count / m->channels);
    GYRE_TRY(each_row(m, rows, add_values));
    for (size_t i = 0; i < m->count; i++) {
        out->mean_image[i] = (float)(m->sums[i] / (double)rows);
        m->channel[i % m->channels] += m->sums[i] / n;
    }
    GYRE_TRY(each_row(m, rows, add_squares));
    for (size_t k = 0; k < m->channels; k++) {
        double deviation = sqrt(m->squares[k] / n);
        out->mean[k] = (float)m->channel[k];
        out->dev[k] = (float)deviation > 0 ? (float)deviation : 1;
    }
    return GYRE_OK;
}

gyre_status data_measure_values(const gyre_view *view, int64_t rows, gyre_pixel_stats *out) {
    const gyre_images *p = view->images;
    measure m = {.view = view, .channels = (size_t)p->c};
    m.count = (size_t)p->h * (size_t)p->w * m.channels;
    m.sums = calloc(m.count + 2 * m.channels, sizeof *m.sums);
    m.values = malloc(m.count * sizeof *m.values);
    m.row = malloc(gyre_images_row(p));
    gyre_status status = GYRE_OK;
    if (m.sums == NULL || m.values == NULL || m.row == NULL) {
        status = gyre_no_memory("the mean of samples of %d x %d x %d", p->h, p->w, p->c);
        goto out;
    }
    m.channel = m.sums + m.count;
    m.squares = m.channel + m.channels;
    status = take(&m, rows, out);
out:
    free(m.sums);
    free(m.values);
    free(m.row);
    return status;
}
