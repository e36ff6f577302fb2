/* The best linear denoiser; see bound.h. With the covariance's eigenvalues l and an image's
 * coordinates c, the noise told is s y / (a^2 l + s^2), where y = a c + s noise. In expectation
 * over the noise its squared error in a coordinate is a^2 (s^2 c^2 + a^2 l^2) / (a^2 l + s^2)^2. */
#include "bound.h"

#include "dots.h"
#include "gyre/size.h"
#include <lapacke.h>
#include <stdlib.h>

struct denoise_linear {
    size_t width;
    double *mean;      /* (width) */
    double *values;    /* (width): eigenvalues */
    float *directions; /* (width, width): a row each */
};

void denoise_linear_close(denoise_linear *l) {
    if (l == NULL) return;
    free(l->mean);
    free(l->values);
    free(l->directions);
    free(l);
}

static void find_mean(denoise_rows train, double *mean) {
    for (size_t i = 0; i < train.count; i++) {
        const float *row = train.values + i * train.width;
        for (size_t k = 0; k < train.width; k++) mean[k] += (double)row[k];
    }
    for (size_t k = 0; k < train.width; k++) mean[k] /= (double)train.count;
}

/* The images less their mean, a value of all of them after the other: (width, count). */
static float *turn(denoise_rows train, const double *mean) {
    float *turned = malloc(gyre_size_of(gyre_size_of(train.count, train.width), sizeof *turned));
    for (size_t i = 0; turned != NULL && i < train.count; i++) {
        const float *row = train.values + i * train.width;
        for (size_t k = 0; k < train.width; k++) {
            turned[k * train.count + i] = (float)((double)row[k] - mean[k]);
        }
    }
    return turned;
}

/* (width, width), of the population. */
static gyre_status find_covariance(denoise_rows train, const double *mean, gyre_watchdog *watchdog,
                                   double *covariance) {
    enum { ROWS = 64 };
    const size_t d = train.width, n = train.count;
    float *turned = turn(train, mean);
    if (turned == NULL) return gyre_no_memory("%zu images", n);
    for (size_t begin = 0; begin < d; begin += ROWS) { /* the lower triangle, in strips */
        const size_t rows = d - begin < ROWS ? d - begin : ROWS;
        if (watchdog != NULL) gyre_watchdog_beat(watchdog);
        denoise_dots(turned + begin * n, rows, turned, begin + rows, n, covariance + begin * d, d);
    }
    free(turned);
    for (size_t i = 0; i < d; i++) {
        for (size_t j = 0; j <= i; j++) {
            covariance[i * d + j] /= (double)n;
            covariance[j * d + i] = covariance[i * d + j];
        }
    }
    return GYRE_OK;
}

/* By LAPACK's dsyevd, in whose order of rows and columns a symmetric matrix is the same. */
static gyre_status find_directions(denoise_linear *l, double *covariance) {
    const size_t d = l->width;
    lapack_int failed = LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'L', (lapack_int)d, covariance,
                                       (lapack_int)d, l->values);
    if (failed == LAPACK_WORK_MEMORY_ERROR || failed == LAPACK_TRANSPOSE_MEMORY_ERROR) {
        return gyre_no_memory("eigenvectors of %zu values", d);
    }
    if (failed != 0) {
        return gyre_fail(GYRE_EDEVICE,
                         "LAPACK found no eigenvectors of the images' covariance (dsyevd: %d)",
                         (int)failed);
    }
    for (size_t i = 0; i < d * d; i++) l->directions[i] = (float)covariance[i];
    for (size_t i = 0; i < d; i++)
        l->values[i] = l->values[i] > 0 ? l->values[i] : 0; /* rounding */
    return GYRE_OK;
}

gyre_status denoise_linear_open(denoise_rows train, gyre_watchdog *watchdog, denoise_linear **out) {
    const size_t d = train.width;
    denoise_linear *l = *out = calloc(1, sizeof *l);
    double *covariance = calloc(d * d, sizeof *covariance);
    gyre_status status = gyre_no_memory("the best linear denoiser");
    if (l == NULL || covariance == NULL) goto out;
    l->width = d;
    l->mean = calloc(d, sizeof *l->mean);
    l->values = calloc(d, sizeof *l->values);
    l->directions = malloc(d * d * sizeof *l->directions);
    if (l->mean == NULL || l->values == NULL || l->directions == NULL) goto out;
    find_mean(train, l->mean);
    GYRE_GOTO(find_covariance(train, l->mean, watchdog, covariance));
    status = find_directions(l, covariance);
out:
    free(covariance);
    if (status != GYRE_OK) {
        denoise_linear_close(l);
        *out = NULL;
    }
    return status;
}

gyre_status denoise_linear_squares(const denoise_linear *l, const float *image, double *squares) {
    float *centred = malloc(l->width * sizeof *centred);
    if (centred == NULL) return gyre_no_memory("an image of %zu values", l->width);
    for (size_t k = 0; k < l->width; k++) centred[k] = (float)((double)image[k] - l->mean[k]);
    denoise_dots(centred, 1, l->directions, l->width, l->width, squares, l->width);
    for (size_t k = 0; k < l->width; k++) squares[k] *= squares[k];
    free(centred);
    return GYRE_OK;
}

double denoise_linear_error(const denoise_linear *l, const double *squares, double a, double s) {
    double sum = 0;
    for (size_t k = 0; k < l->width; k++) {
        const double value = l->values[k], all = a * a * value + s * s;
        sum += (s * s * squares[k] + a * a * value * value) / (all * all);
    }
    return sum / (double)l->width;
}
