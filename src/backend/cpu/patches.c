/* Convolutions as matrix products of patches: what the filter covers at one output's pixel is a
 * row, zeros where it lies on padding, and the plain weights (k, r s c) are the matrix.
 *
 * For small images and many weights: oneDNN's convolutions read all weights again for each image,
 * so that those of 512 to 512 channels at 4x4 pixels are bound by the cache. dx has no such loss
 * and stays a convolution. */
#include "patches.h"

#include <string.h>

enum {
    PIXELS_FEW = 4,    /* of an output, at most, with any weights */
    PIXELS_SMALL = 16, /* with at least these: */
    WEIGHTS_MANY = 1 << 20,
    IMAGES = 32 /* that forward handles at a time: patches are several times as large */
};

static int64_t weights_of(const gyre_conv_shape *s) {
    return (int64_t)s->r * s->s * s->c * s->k;
}

bool cpu_is_patches(const gyre_conv_shape *s) {
    const int rows = gyre_conv_rows(s), columns = gyre_conv_columns(s);
    if (s->groups != 1 || s->r * s->s == 1 || rows > PIXELS_SMALL || columns > PIXELS_SMALL)
        return false;
    const int most = weights_of(s) >= WEIGHTS_MANY ? PIXELS_SMALL : PIXELS_FEW;
    return rows * columns <= most;
}

/* The product for n images. */
static gyre_linear_shape product_of(const gyre_conv_shape *s, int n) {
    return (gyre_linear_shape){n * gyre_conv_rows(s) * gyre_conv_columns(s), s->r * s->s * s->c,
                               s->k, s->bias, false};
}

static size_t patches_bytes(const gyre_queue *q, const gyre_linear_shape *m) {
    return (size_t)m->n * (size_t)m->in * q->backend->act_size;
}

/* One row of the filter: s taps of `bytes` each, from row y of the image; the first tap is at x. */
static void gather_row(const gyre_conv_shape *s, size_t bytes, const char *image, int y, int x,
                       char *to) {
    const char *row = image + (size_t)(y < 0 ? 0 : y) * (size_t)s->w * bytes;
    for (int j = 0; j < s->s; j++, x += s->dilation_w, to += bytes) {
        if (y < 0 || y >= s->h || x < 0 || x >= s->w)
            memset(to, 0, bytes);
        else
            memcpy(to, row + (size_t)x * bytes, bytes);
    }
}

/* (n oh ow, r s c) of n images */
static void gather(const gyre_queue *q, const gyre_conv_shape *s, int n, gyre_act x, char *to) {
    const size_t bytes = (size_t)s->c * q->backend->act_size, row = (size_t)s->s * bytes;
    const char *image = (const char *)(const void *)x;
    for (int i = 0; i < n; i++, image += (size_t)s->h * (size_t)s->w * bytes) {
        for (int pixel = 0; pixel < gyre_conv_rows(s) * gyre_conv_columns(s); pixel++) {
            int top = pixel / gyre_conv_columns(s) * s->stride_h - s->pad_top;
            int left = pixel % gyre_conv_columns(s) * s->stride_w - s->pad_left;
            for (int j = 0; j < s->r; j++, to += row)
                gather_row(s, bytes, image, top + j * s->dilation_h, left, to);
        }
    }
}

/* Neither rows nor bias matter to the format. */
gyre_linear_shape cpu_patches_packed(const gyre_conv_shape *s) {
    return (gyre_linear_shape){1, s->r * s->s * s->c, s->k, false, false};
}

/* Of up to IMAGES images. */
static gyre_status forward(gyre_queue *q, const gyre_conv_shape *s, int n, gyre_act x,
                           gyre_raw packed, gyre_f32 bias, gyre_act y) {
    const gyre_linear_shape m = product_of(s, n);
    dnn_op *op;
    void *patches;
    GYRE_TRY(cpu_op(q, DNN_MATRIX, &m, &op)); /* before the scratch, which it may move */
    GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, patches_bytes(q, &m), &patches));
    gather(q, s, n, x, patches);
    return cpu_run(q, DNN_MATRIX, &m,
                   (dnn_arg[]){{DNNL_ARG_SRC, patches},
                               {DNNL_ARG_WEIGHTS, packed},
                               {DNNL_ARG_BIAS, bias},
                               {DNNL_ARG_DST, y}},
                   4);
}

gyre_status cpu_patches(gyre_queue *q, const gyre_conv_shape *s, gyre_act x, gyre_raw packed,
                        gyre_f32 bias, gyre_act y) {
    const size_t in = (size_t)s->h * (size_t)s->w * (size_t)s->c;
    const size_t out = (size_t)gyre_conv_rows(s) * (size_t)gyre_conv_columns(s) * (size_t)s->k;
    for (int i = 0; i < s->n; i += IMAGES) {
        const int n = s->n - i < IMAGES ? s->n - i : IMAGES;
        gyre_act from = cpu_act_at(q, x, (size_t)i * in), to = cpu_act_at(q, y, (size_t)i * out);
        GYRE_TRY(forward(q, s, n, from, packed, bias, to));
    }
    return GYRE_OK;
}

gyre_status cpu_patches_dw(gyre_queue *q, const gyre_conv_shape *s, gyre_act x, gyre_act dy,
                           gyre_f32 dw, gyre_f32 db) {
    const gyre_linear_shape m = product_of(s, s->n);
    dnn_op *op;
    void *patches;
    GYRE_TRY(cpu_op(q, DNN_LINEAR_DW, &m, &op));
    GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, patches_bytes(q, &m), &patches));
    gather(q, s, s->n, x, patches);
    return cpu_run(q, DNN_LINEAR_DW, &m,
                   (dnn_arg[]){{DNNL_ARG_SRC, patches},
                               {DNNL_ARG_DIFF_DST, dy},
                               {DNNL_ARG_DIFF_WEIGHTS, dw},
                               {DNNL_ARG_DIFF_BIAS, db}},
                   4);
}
