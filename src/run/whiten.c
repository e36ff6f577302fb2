/* Whitening filters: the mean of x x^T over patches x of the first images, and its eigenvectors by
 * LAPACK, all in double. */
#include "whiten.h"

#include "gyre/fitter.h"
#include "gyre/gather.h"
#include <lapacke.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 5000 };
static const double least_value = 5e-4; /* added to the eigenvalues */

/* Adds the products of each patch of an image (h, w, c) with itself: the lower triangle. */
static void add_patches(const gyre_model *m, const gyre_param *p, const float *image, float *patch,
                        double *products) {
    const size_t c = (size_t)m->c, row = (size_t)p->dims[2] * c;
    const size_t d = (size_t)p->dims[1] * row;
    for (int y = 0; y + p->dims[1] <= m->h; y++) {
        for (int x = 0; x + p->dims[2] <= m->w; x++) {
            for (int r = 0; r < p->dims[1]; r++) {
                const size_t from = ((size_t)(y + r) * (size_t)m->w + (size_t)x) * c;
                memcpy(patch + (size_t)r * row, image + from, row * sizeof *patch);
            }
            for (size_t i = 0; i < d; i++) {
                const double value = (double)patch[i];
                for (size_t k = 0; k <= i; k++) products[i * d + k] += value * (double)patch[k];
            }
        }
    }
}

/* Of all images; a divisor of the sum scales the eigenvalues alone, which whoever reads them does.
 */
static gyre_status sum_products(const gyre_view *view, const gyre_model *m, const gyre_param *p,
                                const float *mean, const float *scale, gyre_watchdog *watchdog,
                                double *products) {
    gyre_status status = GYRE_OK;
    const size_t c = (size_t)m->c, values = (size_t)m->h * (size_t)m->w * c;
    gyre_fitter *fitter = NULL;
    uint8_t *stored = malloc(gyre_view_image_bytes(view));
    float *image = malloc(values * sizeof *image), *patch = malloc(p->count * sizeof *patch);
    if (stored == NULL || image == NULL || patch == NULL) {
        status = gyre_no_memory("an image to whiten");
        goto out;
    }
    GYRE_GOTO(gyre_fitter_open(view->images, view->size, &fitter));
    for (int64_t i = 0; i < view->count && i < IMAGES; i++) {
        GYRE_GOTO(gyre_fitter_read(fitter, view->images, gyre_view_row(view, i), NULL, stored));
        gyre_element_floats(view->images->element, stored, values, image);
        for (size_t k = 0; k < values; k++) image[k] = (image[k] - mean[k]) * scale[k % c];
        add_patches(m, p, image, patch, products);
        gyre_watchdog_beat(watchdog);
    }
out:
    gyre_fitter_close(fitter);
    free(patch);
    free(image);
    free(stored);
    return status;
}

static double sign_of(const double *vector, size_t d) {
    size_t largest = 0;
    for (size_t i = 1; i < d; i++) {
        if (fabs(vector[i]) > fabs(vector[largest])) largest = i;
    }
    return vector[largest] < 0 ? -1 : 1;
}

/* From the sum of products over `patches` patches, which becomes the eigenvectors. */
static gyre_status make_filters(const gyre_param *p, double patches, double *products,
                                double *values, float *out) {
    const size_t d = p->count / (size_t)p->dims[0], half = (size_t)p->dims[0] / 2;
    /* The order of rows and columns turns the lower triangle into the upper one. */
    const lapack_int failed =
        LAPACKE_dsyevd(LAPACK_COL_MAJOR, 'V', 'U', (lapack_int)d, products, (lapack_int)d, values);
    if (failed == LAPACK_WORK_MEMORY_ERROR || failed == LAPACK_TRANSPOSE_MEMORY_ERROR) {
        return gyre_no_memory("eigenvectors of patches");
    }
    if (failed != 0) {
        return gyre_fail(GYRE_EDEVICE,
                         "%s: LAPACK found no eigenvectors of the images' patches (dsyevd: %d)",
                         p->name, (int)failed);
    }
    for (size_t i = 0; i < half; i++) { /* the values rise */
        const double *vector = products + (d - 1 - i) * d;
        const double value = fmax(values[d - 1 - i] / patches, 0); /* rounding */
        const double factor = sign_of(vector, d) / sqrt(value + least_value);
        for (size_t k = 0; k < d; k++) {
            out[i * d + k] = (float)(factor * vector[k]);
            out[(half + i) * d + k] = -out[i * d + k];
        }
    }
    return GYRE_OK;
}

static gyre_status whiten(const gyre_resolved *resolved, const gyre_param *p, const float *mean,
                          const float *scale, gyre_watchdog *watchdog, float *out) {
    const gyre_model *m = resolved->model;
    const gyre_view *view = &resolved->samples.train;
    const size_t d = p->count / (size_t)p->dims[0];
    const double images = view->count < IMAGES ? (double)view->count : IMAGES;
    const double places = (double)(m->h - p->dims[1] + 1) * (m->w - p->dims[2] + 1);
    double *products = calloc(d * d, sizeof *products), *values = calloc(d, sizeof *values);
    gyre_status status = gyre_no_memory("products of %zu values", d);
    if (products != NULL && values != NULL) {
        status = sum_products(view, m, p, mean, scale, watchdog, products);
    }
    if (status == GYRE_OK) status = make_filters(p, images * places, products, values, out);
    free(values);
    free(products);
    return status;
}

gyre_status run_whiten(const gyre_resolved *resolved, const float *mean, const float *scale,
                       gyre_watchdog *watchdog, float *parameters) {
    const gyre_model *m = resolved->model;
    for (int i = 0; i < m->param_count; i++) {
        const gyre_param *p = &m->params[i];
        if (p->init != GYRE_INIT_WHITEN) continue;
        GYRE_TRY(whiten(resolved, p, mean, scale, watchdog, parameters + p->offset));
    }
    return GYRE_OK;
}
