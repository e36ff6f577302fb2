/* Shapes: what operations (gyre/ops.h) are told of sizes and constants, and the sizes of outputs
 * that follow. Plain numbers, by pointer; a backend may use them as keys of what it caches. */
#ifndef GYRE_SHAPES_H
#define GYRE_SHAPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* y(n, oh, ow, k) = x(n, h, w, c) * w(k, r, s, c / groups) + bias(k); oh, ow: gyre_conv_rows and
 * gyre_conv_columns. Taps of the filter are `dilation` pixels apart (1: neighbours). Output
 * channels of group g, k / groups of them, read the c / groups input channels of the same group.
 * The padding of each side is less than the filter's extent. */
typedef struct {
    int n, h, w, c, k, r, s;
    int stride_h, stride_w, pad_top, pad_left, pad_bottom, pad_right;
    int dilation_h, dilation_w, groups;
    bool bias, relu; /* relu: y = max(0, ...), NaN stays; the caller masks dy with relu_dx */
} gyre_conv_shape;

/* Ints in front of the two flags: all of them are a convolution's key where plans are cached. */
enum { GYRE_CONV_INTS = offsetof(gyre_conv_shape, bias) / sizeof(int) };

/* y(n, out) = x(n, in) * w(out, in)^T + bias(out) */
typedef struct {
    int n, in, out;
    bool bias, relu;
} gyre_linear_shape;

/* Batch norm over (n, h, w) for each of c channels; then + residual if add; then relu if relu. */
typedef struct {
    int n, h, w, c;
    float eps;
    bool relu, add;
    bool frozen; /* statistics are the running ones, and constants for the gradient */
} gyre_batch_norm_shape;

/* Layer norm over the c channels of each of the n h w pixels (Ba, Kiros & Hinton 2016, arXiv
 * 1607.06450): y = (x - mean) / sqrt(variance + eps) * gamma(c) + beta(c), with the biased
 * variance. */
typedef struct {
    int n, h, w, c;
    float eps;
} gyre_layer_norm_shape;

/* Group norm over the h w pixels of a sample and the c / groups channels of a group (Wu & He 2018,
 * arXiv 1803.08494): y = (x - mean) / sqrt(variance + eps) * gamma(c) + beta(c), with the biased
 * variance. Channels of a group are neighbours. */
typedef struct {
    int n, h, w, c, groups;
    float eps;
} gyre_group_norm_shape;

/* Window r x s; gyre_pool_rows() and gyre_pool_columns() give the output size. pad_h < r, pad_w <
 * s, and a maximum's window has at most 65535 cells. The average's divisor counts the cells of the
 * window that lie inside the image; of equal maxima the first one gets the gradient. */
typedef struct {
    int n, h, w, c, r, s, stride_h, stride_w, pad_h, pad_w;
    bool max, ceil;
} gyre_pool_shape;

/* Averages of oh x ow bins of unequal size: rows floor(i h / oh) to ceil((i + 1) h / oh) - 1 are
 * bin i's, columns likewise (PyTorch's AdaptiveAvgPool2d). */
typedef struct {
    int n, h, w, c, oh, ow;
} gyre_adaptive_pool_shape;

/* Local response normalisation within a channel (Caffe's WITHIN_CHANNEL): y = x s^-beta, s = 1 +
 * alpha / size^2 * (sum of x^2 over the size x size window around the pixel). Cells outside the
 * image are 0 and count in the divisor. size is odd; relu: x is max(0, x), and dx is masked. */
typedef struct {
    int n, h, w, c, size;
    float alpha, beta;
    bool relu;
} gyre_lrn_shape;

/* Local response normalisation across channels (Krizhevsky et al. 2012; PyTorch's
 * LocalResponseNorm, Caffe's ACROSS_CHANNELS): y = x s^-beta, s = k + alpha / size * (sum of x^2
 * over channels j - size / 2 to j + (size - 1) / 2). Channels that are not there are 0 and count in
 * the divisor. */
typedef struct {
    int n, h, w, c, size;
    float alpha, beta, k;
} gyre_channel_lrn_shape;

/* ResNet's option A shortcut (He et al. 2015, 3.3): every stride-th pixel, channels padded with
 * (k - c) / 2 zeros in front and the rest behind. */
typedef struct {
    int n, h, w, c, k, stride;
} gyre_shortcut_shape;

/* How the second of two tensors is spread over the first, (n, h, w, c). */
typedef enum {
    GYRE_BROADCAST_NONE,    /* it has the same size */
    GYRE_BROADCAST_PIXELS,  /* (n, 1, 1, c): over the pixels of its sample */
    GYRE_BROADCAST_CHANNELS /* (n, h, w, 1): over the channels of its pixel */
} gyre_broadcast;

typedef struct {
    int n, h, w, c;
    gyre_broadcast over;
    bool multiply; /* else add */
} gyre_broadcast_shape;

/* `columns` columns of each of `rows` rows, from place x_begin in rows of x_stride to place y_begin
 * in rows of y_stride. */
typedef struct {
    size_t rows;
    int columns, x_stride, x_begin, y_stride, y_begin;
} gyre_copy_shape;

/* n matrices, each (rows, columns) */
typedef struct {
    int n, rows, columns;
} gyre_transpose_shape;

/* y(n, h factor, w factor, c): each pixel factor x factor times */
typedef struct {
    int n, h, w, c, factor;
} gyre_upsample_shape;

/* A factor for each of the c channels. */
typedef struct {
    int n, h, w, c;
} gyre_scale_shape;

/* Dropout: y = x times factor, or times 0 with the probability threshold / 2^32, drawn for each
 * element, each channel of a sample, or each sample. */
typedef enum { GYRE_DROP_ELEMENTS, GYRE_DROP_CHANNELS, GYRE_DROP_SAMPLES } gyre_drop;
typedef struct {
    int n;
    uint32_t first;   /* the first sample's place in this rank's batch */
    size_t pixels, c; /* of a sample */
    gyre_drop unit;
    uint32_t name[2]; /* of the node: a hash */
    uint32_t threshold;
    float factor;
} gyre_dropout_shape;

/* What draws of a step are keyed by, in device memory. */
enum {
    GYRE_DRAW_KEY,       /* two words of seed and step */
    GYRE_DRAW_FIRST = 2, /* place of this rank's first sample in the global batch */
    GYRE_DRAW_WORDS
};

/* Every activation with an operation of its own (activation): its kind, its name, what its gradient
 * reads (y where that is enough, since the next layer mostly keeps it anyway, else x), and what it
 * is, for help. What they compute is in gyre/activation.h. */
#define GYRE_ACTIVATIONS(KIND)                                                                     \
    KIND(RELU6, relu6, y, "min(max(0, x), 6).")                                                    \
    KIND(LEAKY_RELU, leaky_relu, y, "x, below 0 times the slope.")                                 \
    KIND(SIGMOID, sigmoid, y, "1 / (1 + exp(-x)).")                                                \
    KIND(TANH, tanh, y, "The hyperbolic tangent.")                                                 \
    KIND(GELU, gelu, x, "x times the normal distribution of x, by erf.")                           \
    KIND(GELU_TANH, gelu_tanh, x, "The same in the approximation by tanh.")                        \
    KIND(SILU, silu, x, "x times the sigmoid of x; also called swish.")                            \
    KIND(HARDSIGMOID, hardsigmoid, x, "min(max(0, x / 6 + 1 / 2), 1).")                            \
    KIND(HARDSWISH, hardswish, x, "x times the hardsigmoid of x.")
typedef enum {
#define GYRE_ACTIVATION_VALUE(KIND, name, reads, about) GYRE_ACTIVATION_##KIND,
    GYRE_ACTIVATIONS(GYRE_ACTIVATION_VALUE)
#undef GYRE_ACTIVATION_VALUE
} gyre_activation;

typedef struct {
    size_t n; /* elements */
    gyre_activation kind;
    float slope; /* of LEAKY_RELU below 0; at least 0 */
} gyre_activation_shape;

typedef struct {
    int n, classes;
    float smoothing; /* softmax_loss: target (1 - s) one-hot + s / classes */
    float scale;     /* of the loss sum and of dx: 1 / global batch in training */
    int pixels;      /* rows of a sample, by which the hits are divided; 0: 1 */
} gyre_loss_shape;

/* Losses of x(n, values) against f32 targets of the same shape; a sample's loss is the mean over
 * its values.
 *  SQUARED   (x - t)^2
 *  ABSOLUTE  |x - t|, whose slope at 0 is 0
 *  BINARY    log(1 + e^x) - t x: the cross-entropy of a label that is there (1) or not (0) */
typedef enum {
    GYRE_VALUE_LOSS_SQUARED,
    GYRE_VALUE_LOSS_ABSOLUTE,
    GYRE_VALUE_LOSS_BINARY
} gyre_value_loss_kind;

typedef struct {
    gyre_value_loss_kind kind;
    int n, values;
    float scale; /* of the loss sum and of dx: 1 / global batch in training */
} gyre_value_loss_shape;

/* Device scalars of a step, in one f32 buffer. */
enum {
    GYRE_SCALAR_LR,
    GYRE_SCALAR_MOMENTUM,                       /* or beta1 */
    GYRE_SCALAR_BIAS1,                          /* 1 - beta1(t)^(t+1) */
    GYRE_SCALAR_BIAS2,                          /* 1 - beta2^(t+1) */
    GYRE_SCALAR_FROM_HOST,                      /* those before this are uploaded each step */
    GYRE_SCALAR_FINITE = GYRE_SCALAR_FROM_HOST, /* 1, or 0 for ever after the first bad step */
    GYRE_SCALAR_LOSS,                           /* of the global batch */
    GYRE_SCALAR_SUM,                            /* of the loss node, over the global batch */
    GYRE_SCALAR_NORM,                           /* of the reduced gradient, before clipping */
    GYRE_SCALAR_SHRINK, /* factor on the gradient: min(1, clip_norm / norm) */
    GYRE_SCALAR_COUNT
};

typedef enum {
    GYRE_RULE_SGD,
    GYRE_RULE_ADAM,
    GYRE_RULE_RMSPROP,
    GYRE_RULE_ADAGRAD,
    GYRE_RULE_ADADELTA
} gyre_rule;

/* One update rule for a segment of parameters with equal multipliers. lr is times lr_mult; g' =
 * shrink g (+ wd w unless decoupled); m is GYRE_SCALAR_MOMENTUM.
 *  SGD       s1 = v: v = m v + g', w -= lr (nesterov ? g' + m v : v); or with lr_in_momentum
 *            v = m v + lr g', w -= (nesterov ? (1 + m) v - m v_old : v)
 *  ADAM      s1, s2 = m, v of Kingma & Ba 2015, algorithm 1 (eps outside the corrected root)
 *  RMSPROP   s1 = h: h = decay h + (1 - decay) g'^2, w -= lr g' / (sqrt(h) + eps)
 *  ADAGRAD   s1 = h: h += g'^2, w -= lr g' / (sqrt(h) + eps)
 *  ADADELTA  s1, s2 = h, k: h = m h + (1 - m) g'^2, u = g' sqrt((eps + k) / (eps + h)),
 *            k = m k + (1 - m) u^2, w -= lr u
 * The last three as in Caffe's solvers. Decoupled: w -= lr wd w besides (Loshchilov & Hutter 2019,
 * with lr). */
typedef struct {
    gyre_rule rule;
    bool nesterov, lr_in_momentum, decoupled;
    float lr_mult;
    float weight_decay; /* times decay_mult */
    float square_decay; /* beta2 of ADAM, decay of RMSPROP */
    float eps;
} gyre_update_shape;

/* ---- sizes of outputs */

/* Pixels from the first tap of a filter to the last, both counted. */
static inline int gyre_conv_extent(int taps, int dilation) {
    return (taps - 1) * dilation + 1;
}
/* Output rows of a convolution for `padded` rows (or columns); 0 where the filter is larger. */
static inline int gyre_conv_out(int padded, int extent, int stride) {
    return padded < extent ? 0 : (padded - extent) / stride + 1;
}
static inline int gyre_conv_rows(const gyre_conv_shape *s) {
    return gyre_conv_out(s->h + s->pad_top + s->pad_bottom, gyre_conv_extent(s->r, s->dilation_h),
                         s->stride_h);
}
static inline int gyre_conv_columns(const gyre_conv_shape *s) {
    return gyre_conv_out(s->w + s->pad_left + s->pad_right, gyre_conv_extent(s->s, s->dilation_w),
                         s->stride_w);
}
/* The usual one: a square filter, the same stride and padding everywhere, one group. */
static inline gyre_conv_shape gyre_conv_square(int n, int h, int w, int c, int k, int r, int stride,
                                               int pad) {
    return (gyre_conv_shape){n,   h,   w,   c,   k, r, r, stride, stride,
                             pad, pad, pad, pad, 1, 1, 1, false,  false};
}

/* Output rows of pooling for `size` input rows (or columns): floor((size + 2 pad - r) / stride) +
 * 1; with `ceil` rounded up, but no window begins behind the image and its front padding (Caffe's
 * and PyTorch's rule, so that a window a bit larger than the image is cut). 0: nothing is left. */
static inline int gyre_pool_size(int size, int r, int stride, int pad, bool ceil) {
    int room = size + 2 * pad - r + (ceil ? stride - 1 : 0);
    int out = room < 0 ? 0 : room / stride + 1;
    return (out - 1) * stride >= size + pad ? out - 1 : out;
}
/* Cells of maxima are numbered in 16 bits, and every window has one inside the image. */
static inline bool gyre_pool_possible(const gyre_pool_shape *s) {
    bool windows = s->r >= 1 && s->s >= 1 && s->stride_h >= 1 && s->stride_w >= 1;
    bool pads = s->pad_h >= 0 && s->pad_w >= 0 && s->pad_h < s->r && s->pad_w < s->s;
    return windows && pads && (!s->max || (int64_t)s->r * s->s <= UINT16_MAX);
}
/* Where bin i of `bins` begins in `size` rows, and the row behind its last one. */
static inline int gyre_bin_begin(int i, int size, int bins) {
    return (int)((int64_t)i * size / bins);
}
static inline int gyre_bin_end(int i, int size, int bins) {
    return (int)((((int64_t)i + 1) * size + bins - 1) / bins);
}
static inline int gyre_pool_rows(const gyre_pool_shape *s) {
    return gyre_pool_size(s->h, s->r, s->stride_h, s->pad_h, s->ceil);
}
static inline int gyre_pool_columns(const gyre_pool_shape *s) {
    return gyre_pool_size(s->w, s->s, s->stride_w, s->pad_w, s->ceil);
}

/* Output rows of the shortcut, which takes every stride-th one. */
static inline int gyre_shortcut_out(int size, int stride) {
    return (size + stride - 1) / stride;
}

#endif
