/* The normalisation of the input that comes with a file of weights. */
#include "gyre/checkpoint.h"
#include "h5_reader.h"
#include "weights_file.h"

static gyre_status other_size(const char *path, const gyre_model *m, const char *size) {
    return gyre_fail(
        GYRE_EUSAGE,
        "'%s' normalises samples of %s, and those here are of %d x %d x %d; bring them "
        "to its size, or give data.augment.normalize another value",
        path, size, m->h, m->w, m->c);
}

static gyre_status nothing(const char *path) {
    return gyre_fail(GYRE_EUSAGE,
                     "'%s' does not tell how its network reads its input, as a checkpoint or an "
                     "ONNX file that normalises would; give data.augment.normalize another value",
                     path);
}

/* Numbers of a mean image are in the file's unit, those of channels are shares of 255 where the
 * file's are of pixels. */
static gyre_status take_onnx(const char *path, const gyre_onnx *o, const gyre_model *m,
                             gyre_element element, float *mean, float *scale) {
    const size_t channels = (size_t)m->c, count = (size_t)m->h * (size_t)m->w * channels;
    const bool bytes = element == GYRE_ELEMENT_U8, image = o->mean_image != NULL;
    const double white = (image ? bytes && !o->pixels : bytes || o->pixels) ? 255 : 1;
    char size[48];
    if (!o->normalized && !o->raw) return nothing(path);
    if (o->c != m->c || (image && (o->h != m->h || o->w != m->w))) {
        snprintf(size, sizeof size, "%d x %d x %d", o->h, o->w, o->c);
        return other_size(path, m, size);
    }
    for (size_t i = 0; o->raw && i < count; i++) mean[i] = 0;
    for (size_t k = 0; o->raw && k < channels; k++) scale[k] = 1;
    if (o->raw) return GYRE_OK;
    for (size_t i = 0; i < count; i++) {
        mean[i] = (float)(white *
                          (image ? (double)o->mean_image[i] : o->normalization.mean[i % channels]));
    }
    for (size_t k = 0; k < channels; k++) {
        scale[k] = (float)(1 / (white * (image ? o->deviations : o->normalization.std)[k]));
    }
    return GYRE_OK;
}

static gyre_status take_checkpoint(const char *path, gyre_h5_reader *h5, const gyre_model *m,
                                   float *mean, float *scale) {
    const size_t channels = (size_t)m->c, count = (size_t)m->h * (size_t)m->w * channels;
    const gyre_h5_entry *a = gyre_h5_reader_find(h5, "/state/input/mean");
    const gyre_h5_entry *b = gyre_h5_reader_find(h5, "/state/input/scale");
    char size[64];
    if (a == NULL || b == NULL) return nothing(path);
    gyre_h5_shape(a, size, sizeof size);
    const bool fits = a->ndim == 3 && a->dims[0] == (uint64_t)m->h &&
                      a->dims[1] == (uint64_t)m->w && a->dims[2] == (uint64_t)m->c;
    if (!fits) return other_size(path, m, size);
    GYRE_TRY(h5_read_floats(h5, a, mean, count));
    return h5_read_floats(h5, b, scale, channels);
}

gyre_status gyre_input_import(const char *path, const gyre_model *m, gyre_element element,
                              float *mean, float *scale) {
    weights_file f = {0};
    gyre_status status = weights_file_open(path, &f);
    if (status == GYRE_OK && f.onnx != NULL)
        status = take_onnx(path, f.onnx, m, element, mean, scale);
    else if (status == GYRE_OK && f.h5 != NULL)
        status = take_checkpoint(path, f.h5, m, mean, scale);
    else if (status == GYRE_OK)
        status = nothing(path);
    weights_file_close(&f);
    return status;
}
