/* The normalisation of the images: numbers for each channel, and a mean image. */
#include "affine.h"

#include "numbers.h"
#include <math.h>
#include <string.h>

bool onnx_by_channel(const onnx_import *m, const onnx_value *v, const onnx_constant *k) {
    int64_t channels = onnx_size_of(m, v)[ONNX_AXIS_C];
    int place = channels == 1 ? -1 : onnx_view_find(&v->view, ONNX_AXIS_C);
    if (k->count != (size_t)channels || k->rank > v->view.rank) return false;
    if (channels > 1 && place < 0) return false;
    for (int i = 0; i < k->rank; i++) {
        int64_t expected = i + v->view.rank - k->rank == place ? channels : 1;
        if (k->dims[i] != expected) return false;
    }
    return true;
}

/* ---- one step */

/* (c, h, w) numbers, one for each of the images; NULL: the constant is none, or the failure is in
 * m->work.status. */
static const double *read_image(onnx_import *m, const onnx_value *v, onnx_constant *k) {
    const int lead = k->rank - 3;
    if (!onnx_view_is(&v->view, "NCHW") || (lead != 0 && lead != 1)) return NULL;
    if (lead == 1 && k->dims[0] != 1) return NULL;
    if (memcmp(&k->dims[lead], &m->size[ONNX_AXIS_C], 3 * sizeof *k->dims) != 0) return NULL;
    if (k->count <= ONNX_READ_MAX) return onnx_constant_read(&m->work, k);
    double *values = k->tensor == NULL ? NULL : onnx_take(&m->work, k->count, sizeof *values);
    if (values == NULL) return NULL;
    gyre_status status = onnx_numbers_doubles(m->work.file, k->tensor, values);
    if (status != GYRE_OK && m->work.status == GYRE_OK) m->work.status = status;
    return status == GYRE_OK ? values : NULL;
}

/* scale * before + sign * more, where these are. */
static const double *add_images(onnx_import *m, const onnx_affine *after, const double *before,
                                const double *more, double sign) {
    const size_t channels = (size_t)m->size[ONNX_AXIS_C];
    const size_t pixels = (size_t)(m->size[ONNX_AXIS_H] * m->size[ONNX_AXIS_W]);
    if (before == NULL && more == NULL) return NULL;
    double *sum = onnx_take(&m->work, channels * pixels, sizeof *sum);
    for (size_t i = 0; sum != NULL && i < channels * pixels; i++) {
        if (before != NULL) sum[i] = after->step[i / pixels] * before[i];
        if (more != NULL) sum[i] += sign * more[i];
    }
    return sum;
}

static onnx_affine *new_affine(onnx_import *m) {
    const size_t channels = (size_t)m->size[ONNX_AXIS_C];
    onnx_affine *a = onnx_take(&m->work, 1, sizeof *a);
    double *numbers = a == NULL ? NULL : onnx_take(&m->work, channels, 3 * sizeof *numbers);
    if (numbers == NULL) return NULL;
    *a = (onnx_affine){numbers, numbers + channels, numbers + 2 * channels, NULL};
    return a;
}

void onnx_affine_step(onnx_import *m, onnx_call *c, onnx_value *v, onnx_constant *k, bool first) {
    int64_t channels = m->size[ONNX_AXIS_C];
    double number = 0;
    const onnx_affine *old = v->affine;
    const bool one = onnx_constant_all(&m->work, k, &number);
    const bool each = !one && onnx_by_channel(m, v, k);
    const double *read = each ? onnx_constant_read(&m->work, k) : NULL, *image = NULL;
    if (!one && !each && (onnx_call_is(c, "Add") || onnx_call_is(c, "Sub")))
        image = read_image(m, v, k);
    onnx_affine *a = new_affine(m);
    if (a == NULL) return;
    if ((!one && read == NULL && image == NULL) || (first && onnx_call_is(c, "Div"))) {
        onnx_refuse(m, c,
                    "the images are normalised by one number, or one for each channel, and by a "
                    "mean image");
        return;
    }
    for (int i = 0; i < channels; i++) {
        double x = one ? number : read != NULL ? read[i] : 0, scale = 1, shift = 0;
        if (onnx_call_is(c, "Mul")) scale = x;
        if (onnx_call_is(c, "Div")) scale = 1 / x;
        if (onnx_call_is(c, "Add")) shift = x;
        if (onnx_call_is(c, "Sub")) shift = first ? x : -x;
        if (onnx_call_is(c, "Sub") && first) scale = -1;
        a->step[i] = scale;
        a->scale[i] = scale * (old == NULL ? 1 : old->scale[i]);
        a->shift[i] = scale * (old == NULL ? 0 : old->shift[i]) + shift;
    }
    a->image = add_images(m, a, old == NULL ? NULL : old->image, image,
                          onnx_call_is(c, "Sub") && !first ? -1 : 1);
    onnx_give_same(c, v);
    if (c->out[0] != NULL) c->out[0]->affine = a;
}

/* ---- all steps */

/* Numbers of pixels from 0 to 255 are told by their size, where the file does not tell. Between
 * those that networks have for either, 1 and 50, a note says how they were read. */
static bool are_of_pixels(onnx_import *m, const gyre_onnx *o, double largest) {
    const char *element = onnx_file_note(m->work.file, "gyre.element");
    if (element != NULL) return strcmp(element, "u8") == 0;
    const bool pictures = o->c <= 4 && o->h * o->w > 1;
    if (pictures && largest > 1.5 && largest < 16) m->doubtful = largest;
    return pictures && largest >= 4;
}

/* (x + image) scale = (x - mean) scale, (h, w, c); *largest grows to the largest number. */
static gyre_status set_image(onnx_import *m, gyre_onnx *o, double *largest) {
    const onnx_affine *a = m->affine;
    const size_t pixels = (size_t)o->h * (size_t)o->w, channels = (size_t)o->c;
    float *mean = onnx_take(&m->work, pixels * channels, sizeof *mean);
    for (size_t i = 0; mean != NULL && i < pixels * channels; i++) {
        const size_t channel = i % channels;
        const double more = a->image == NULL ? 0 : a->image[channel * pixels + i / channels];
        const double shift = a->shift[channel] + more;
        const double x = -shift / a->scale[channel];
        if (!(fabs(x) <= 1e30)) {
            return gyre_fail(GYRE_EIO,
                             "'%s': number %zu of the mean image that it subtracts is %g; a finite "
                             "one was expected",
                             m->work.file->path, i, x);
        }
        *largest = fmax(*largest, fabs(x));
        mean[i] = (float)x;
    }
    o->mean_image = mean;
    return m->work.status;
}

/* For a config: shares of 255 where they were of pixels. */
static void set_channels(gyre_onnx *o, const double *mean, const double *deviations) {
    o->normalization.channels = o->c;
    for (int i = 0; i < o->c; i++) {
        o->normalization.mean[i] = onnx_short(mean[i]) / (o->pixels ? 255 : 1);
        o->normalization.std[i] = onnx_short(deviations[i]) / (o->pixels ? 255 : 1);
    }
}

/* 1 / scale and -shift / scale of each channel, with a mean image 0; *largest grows. */
static gyre_status read_channels(const onnx_import *m, int channels, double *mean,
                                 double *deviations, double *largest) {
    const onnx_affine *a = m->affine;
    for (int i = 0; i < channels; i++) {
        deviations[i] = 1 / a->scale[i];
        mean[i] = a->image != NULL ? 0 : (0 - a->shift[i]) / a->scale[i]; /* no -0 */
        if (!(deviations[i] >= 1e-30 && deviations[i] <= 1e30 && fabs(mean[i]) <= 1e30)) {
            return gyre_fail(GYRE_EIO,
                             "'%s' normalises channel %d of its input by a mean of %g and a "
                             "deviation of %g; a positive deviation was expected",
                             m->work.file->path, i, mean[i], deviations[i]);
        }
        *largest = fmax(*largest, fmax(deviations[i], fabs(mean[i])));
    }
    return GYRE_OK;
}

gyre_status onnx_affine_finish(onnx_import *m, gyre_onnx *o) {
    const onnx_affine *a = m->affine;
    const char *normalize = onnx_file_note(m->work.file, "gyre.normalize");
    double largest = 0;
    o->raw = a == NULL && normalize != NULL && strcmp(normalize, "raw") == 0;
    if (a == NULL) return GYRE_OK;
    double *mean = onnx_take(&m->work, (size_t)o->c, sizeof *mean);
    double *deviations = onnx_take(&m->work, (size_t)o->c, sizeof *deviations);
    const bool image = a->image != NULL || o->c > GYRE_CHANNELS_MAX; /* too large for a config */
    GYRE_TRY(m->work.status);
    GYRE_TRY(read_channels(m, o->c, mean, deviations, &largest));
    o->normalized = true;
    if (image) GYRE_TRY(set_image(m, o, &largest));
    o->pixels = are_of_pixels(m, o, largest);
    if (image)
        o->deviations = deviations;
    else
        set_channels(o, mean, deviations);
    return GYRE_OK;
}
