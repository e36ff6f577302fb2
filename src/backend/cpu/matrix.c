/* Convolutions of small images as matrix products, because oneDNN's convolutions take up to ten
 * times as long there: they work along the rows of an image.
 *
 * A filter of one pixel multiplies each pixel by the matrix that its weights are: pixels are the
 * rows. Any other convolution is a linear map of whole images, which are the rows then: the matrix
 * W(oh ow k, h w c) has for each pair of an output's and an input's pixel the weights of the tap
 * that joins them, or zeros. Images of 2x2 with filters of 3x3 have a tap for every pair, those of
 * 1x1 use one tap of nine. */
#include "matrix.h"

#include "gyre/size.h"
#include <string.h>

enum {
    PIXELS = 64,           /* of an image, at most: beyond, oneDNN is as fast */
    BLOCKS = 16,           /* pairs of pixels, at most: beyond, most of W is 0 */
    MATRIX_MOST = 1 << 26, /* numbers of W, at most */
};

static int pixels_in(const gyre_conv_shape *s) {
    return s->h * s->w;
}
static int pixels_out(const gyre_conv_shape *s) {
    return gyre_conv_rows(s) * gyre_conv_columns(s);
}

static bool is_pointwise(const gyre_conv_shape *s) {
    return s->r == 1 && s->s == 1 && s->stride_h == 1 && s->stride_w == 1 && s->pad_top == 0 &&
           s->pad_left == 0 && s->pad_bottom == 0 && s->pad_right == 0;
}

bool cpu_is_matrix(const gyre_conv_shape *s) {
    if (s->groups != 1 || s->h > PIXELS || s->w > PIXELS || pixels_in(s) > PIXELS) return false;
    if (is_pointwise(s)) return true;
    int rows = gyre_conv_rows(s), columns = gyre_conv_columns(s);
    if (rows > BLOCKS || columns > BLOCKS || pixels_in(s) * rows * columns > BLOCKS) return false;
    return (int64_t)pixels_in(s) * rows * columns * s->c <= MATRIX_MOST / s->k;
}

/* The product that the convolution is. */
static gyre_linear_shape product_of(const gyre_conv_shape *s) {
    if (is_pointwise(s))
        return (gyre_linear_shape){s->n * pixels_in(s), s->c, s->k, s->bias, false};
    return (gyre_linear_shape){s->n, pixels_in(s) * s->c, pixels_out(s) * s->k, s->bias, false};
}

/* For packing: neither rows nor bias matter to the format. */
static gyre_linear_shape pack_of(const gyre_conv_shape *s) {
    gyre_linear_shape m = product_of(s);
    m.n = 1;
    m.bias = false;
    return m;
}

static size_t matrix_size(const gyre_linear_shape *m) {
    return (size_t)m->in * (size_t)m->out;
}

/* ---- between the weights and W */

/* The tap that joins output pixel `out` with input pixel `in`, or -1. */
static int tap_between(const gyre_conv_shape *s, int out, int in) {
    const int columns = gyre_conv_columns(s);
    int y = in / s->w - out / columns * s->stride_h + s->pad_top;
    int x = in % s->w - out % columns * s->stride_w + s->pad_left;
    if (y < 0 || x < 0 || y % s->dilation_h != 0 || x % s->dilation_w != 0) return -1;
    y /= s->dilation_h;
    x /= s->dilation_w;
    return y < s->r && x < s->s ? y * s->s + x : -1;
}

/* Where W has the weights of (out, in) for output channel k: c numbers. */
static size_t block_at(const gyre_conv_shape *s, int out, int in, int k) {
    size_t row = (size_t)out * (size_t)s->k + (size_t)k;
    return (row * (size_t)pixels_in(s) + (size_t)in) * (size_t)s->c;
}

static size_t weights_at(const gyre_conv_shape *s, int k, int tap) {
    return ((size_t)k * (size_t)(s->r * s->s) + (size_t)tap) * (size_t)s->c;
}

/* Taps of all pairs, output by output. */
typedef struct {
    int of[BLOCKS];
} pair_taps;

static pair_taps taps_of(const gyre_conv_shape *s) {
    pair_taps t = {{0}};
    const int in = pixels_in(s);
    for (int i = 0; i < in * pixels_out(s); i++) t.of[i] = tap_between(s, i / in, i % in);
    return t;
}

static void spread_weights(const gyre_conv_shape *s, const float *w, float *matrix) {
    const size_t bytes = (size_t)s->c * sizeof *w;
    const pair_taps t = taps_of(s);
    const int in = pixels_in(s);
    for (int out = 0; out < pixels_out(s); out++) {
        for (int k = 0; k < s->k; k++) {
            for (int i = 0; i < in; i++) {
                const int tap = t.of[out * in + i];
                float *to = matrix + block_at(s, out, i, k);
                if (tap < 0)
                    memset(to, 0, bytes);
                else
                    memcpy(to, w + weights_at(s, k, tap), bytes);
            }
        }
    }
}

CPU_CLONES
static void add_block(size_t n, const float *x, float *sum) {
    for (size_t i = 0; i < n; i++) sum[i] += x[i];
}

/* Pairs of the same tap are added in the order of the output's pixels. */
static void gather_weights(const gyre_conv_shape *s, const float *matrix, float *w) {
    const size_t c = (size_t)s->c;
    const pair_taps t = taps_of(s);
    const int in = pixels_in(s), pairs = in * pixels_out(s);
    for (int k = 0; k < s->k; k++) {
        for (int tap = 0; tap < s->r * s->s; tap++) {
            float *to = w + weights_at(s, k, tap);
            bool begun = false;
            for (int i = 0; i < pairs; i++) {
                if (t.of[i] != tap) continue;
                const float *from = matrix + block_at(s, i / in, i % in, k);
                if (begun)
                    add_block(c, from, to);
                else
                    memcpy(to, from, c * sizeof *to);
                begun = true;
            }
            if (!begun) memset(to, 0, c * sizeof *to);
        }
    }
}

/* ---- the operations */

static gyre_status pack_sizes(gyre_queue *q, const gyre_linear_shape *m, size_t *forward,
                              size_t *data) {
    dnn_op *op;
    GYRE_TRY(cpu_op(q, DNN_MATRIX_PACK, m, &op));
    *forward = gyre_size_align(dnn_arg_size(op, DNNL_ARG_TO), GYRE_ALIGNMENT);
    GYRE_TRY(cpu_op(q, DNN_MATRIX_PACK_DX, m, &op));
    *data = gyre_size_align(dnn_arg_size(op, DNNL_ARG_TO), GYRE_ALIGNMENT);
    return GYRE_OK;
}

gyre_status cpu_matrix_pack_size(gyre_queue *q, const gyre_conv_shape *s, size_t *out) {
    const gyre_linear_shape m = pack_of(s);
    size_t forward, data;
    GYRE_TRY(pack_sizes(q, &m, &forward, &data));
    *out = forward + data;
    return GYRE_OK;
}

gyre_status cpu_matrix_pack(gyre_queue *q, const gyre_conv_shape *s, gyre_f32 w, gyre_raw packed) {
    const gyre_linear_shape m = pack_of(s);
    size_t forward, data;
    GYRE_TRY(pack_sizes(q, &m, &forward, &data)); /* a new primitive may move the scratch */
    void *matrix = w;
    if (!is_pointwise(s)) {
        GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, matrix_size(&m) * sizeof(float), &matrix));
        spread_weights(s, cpu_f32(w), matrix);
    }
    GYRE_TRY(cpu_run(q, DNN_MATRIX_PACK, &m,
                     (dnn_arg[]){{DNNL_ARG_FROM, matrix}, {DNNL_ARG_TO, packed}}, 2));
    return cpu_run(q, DNN_MATRIX_PACK_DX, &m,
                   (dnn_arg[]){{DNNL_ARG_FROM, matrix}, {DNNL_ARG_TO, (char *)packed + forward}},
                   2);
}

gyre_status cpu_matrix(gyre_queue *q, const gyre_conv_shape *s, gyre_act x, gyre_raw packed,
                       gyre_f32 bias, gyre_act y) {
    const gyre_linear_shape m = product_of(s);
    void *each = bias; /* for each output of the product */
    dnn_op *op;
    GYRE_TRY(cpu_op(q, DNN_MATRIX, &m, &op));
    if (s->bias && m.out > s->k) {
        size_t bytes = (size_t)s->k * sizeof(float);
        GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, (size_t)m.out * sizeof(float), &each));
        for (int i = 0; i < m.out / s->k; i++)
            memcpy((char *)each + (size_t)i * bytes, bias, bytes);
    }
    return cpu_run(q, DNN_MATRIX, &m,
                   (dnn_arg[]){{DNNL_ARG_SRC, x},
                               {DNNL_ARG_WEIGHTS, packed},
                               {DNNL_ARG_BIAS, each},
                               {DNNL_ARG_DST, y}},
                   4);
}

gyre_status cpu_matrix_dx(gyre_queue *q, const gyre_conv_shape *s, gyre_act dy, gyre_raw packed,
                          gyre_act dx) {
    const gyre_linear_shape m = product_of(s), p = pack_of(s);
    size_t forward, data;
    GYRE_TRY(pack_sizes(q, &p, &forward, &data));
    return cpu_run(q, DNN_MATRIX_DX, &m,
                   (dnn_arg[]){{DNNL_ARG_SRC, dy},
                               {DNNL_ARG_WEIGHTS, (char *)packed + forward},
                               {DNNL_ARG_DST, dx}},
                   3);
}

static gyre_status run_dw(gyre_queue *q, const gyre_linear_shape *m, gyre_act x, gyre_act dy,
                          void *dw, void *db) {
    return cpu_run(q, DNN_LINEAR_DW, m,
                   (dnn_arg[]){{DNNL_ARG_SRC, x},
                               {DNNL_ARG_DIFF_DST, dy},
                               {DNNL_ARG_DIFF_WEIGHTS, dw},
                               {DNNL_ARG_DIFF_BIAS, db}},
                   4);
}

gyre_status cpu_matrix_dw(gyre_queue *q, const gyre_conv_shape *s, gyre_act x, gyre_act dy,
                          gyre_f32 dw, gyre_f32 db) {
    const gyre_linear_shape m = product_of(s);
    const size_t k = (size_t)s->k;
    if (is_pointwise(s)) return run_dw(q, &m, x, dy, dw, db);
    dnn_op *op;
    void *work;
    GYRE_TRY(cpu_op(q, DNN_LINEAR_DW, &m, &op));
    GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, (matrix_size(&m) + (size_t)m.out) * sizeof(float),
                         &work));
    float *matrix = work, *each = matrix + matrix_size(&m);
    GYRE_TRY(run_dw(q, &m, x, dy, matrix, each));
    gather_weights(s, matrix, cpu_f32(dw));
    if (!s->bias) return GYRE_OK;
    memset(cpu_f32(db), 0, k * sizeof(float));
    for (size_t i = 0; i < (size_t)m.out; i += k) add_block(k, each + i, cpu_f32(db));
    return GYRE_OK;
}
