/* The operations of layers: what each computes, its shape (sizes and constants: plain numbers, by
 * pointer; a backend may use them as keys of what it caches), and its line of GYRE_OPS, which
 * gyre/ops.h explains. gyre/shapes.h has the sizes of outputs. */
#ifndef GYRE_OPS_LAYERS_H
#define GYRE_OPS_LAYERS_H

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
 * variance. Channels of a group are neighbours. silu: y = silu of that, which backward computes
 * anew.
 */
typedef struct {
    int n, h, w, c, groups;
    float eps;
    bool silu;
} gyre_group_norm_shape;

/* Window r x s; gyre_pool_rows() and gyre_pool_columns() give the output size. pad_h < r, pad_w <
 * s, and a maximum's window has at most 65535 cells. The average's divisor counts the cells of the
 * window that lie inside the image, with count_pad those of the padding, too; of equal maxima the
 * first one gets the gradient. */
typedef struct {
    int n, h, w, c, r, s, stride_h, stride_w, pad_h, pad_w;
    bool max, ceil, count_pad;
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

/* Scaled dot-product attention (Vaswani et al. 2017, arXiv 1706.03762, 3.2) of each sample and each
 * of its heads: y(queries, d) = softmax(scale * query key^T) value, with query(queries, d), key and
 * value(keys, d). A token's c channels are the d = c / heads numbers of each head, head behind
 * head. causal: query i sees keys 0 to i alone; then queries = keys. */
typedef struct {
    int n, queries, keys, heads, c;
    float scale;
    bool causal;
} gyre_attention_shape;

/* Gated GELU (Shazeer 2020, arXiv 2002.05202): y(c) = a gelu(b) of x(2c), a the first half of each
 * pixel's channels and b the second. */
typedef struct {
    int n, h, w, c; /* of y */
} gyre_geglu_shape;

/* A number for each place of a sample, which all samples share. */
typedef struct {
    int n, h, w, c;
} gyre_positions_shape;

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
    GYRE_DRAW_KEY,         /* two words of seed and step */
    GYRE_DRAW_FIRST = 2,   /* place of this rank's first sample in the global batch */
    GYRE_DRAW_NOISE_KEY,   /* two words: of noise and its time, in evaluation as well */
    GYRE_DRAW_STRATUM = 5, /* which of the strata of time, or GYRE_DRAW_SHUFFLED */
    GYRE_DRAW_STRATA,      /* how many there are; 0: STRATUM is the time, and no noise is added */
    GYRE_DRAW_WORDS
};
/* Every sample of a global batch of STRATA samples has a stratum of its own. */
#define GYRE_DRAW_SHUFFLED 0xffffffffu

/* Noised samples of a diffusion model: the time t of a sample, 0 to steps - 1, and its noise are
 * drawn as gyre/diffusion.h says. */
typedef struct {
    int n;
    uint32_t first;   /* the first sample's place in this rank's batch, or in what is evaluated */
    size_t pixels, c; /* of a sample */
    uint32_t from, range; /* t is one of from to from + range - 1 */
    bool stratified;      /* t in training: each sample of the batch has a stratum of its own */
    float offset;         /* times one normal for each channel of a sample is added to the noise */
} gyre_diffusion_shape;

/* A row of a table for each sample's label; or with the probability threshold / 2^32 row `none`.
 */
typedef struct {
    int n;
    uint32_t first; /* the first sample's place in this rank's batch */
    int rows, c, none;
    uint32_t threshold;
} gyre_embedding_shape;

/* Every activation with an operation of its own (activation): its kind, its name, what its gradient
 * reads (y where that is enough, since the next layer mostly keeps it anyway, else x), and what it
 * is, for help. What they compute is in gyre/activation.h. */
#define GYRE_ACTIVATIONS(KIND)                                                                     \
    KIND(RELU6, relu6, y, "min(max(0, x), 6).")                                                    \
    KIND(LEAKY_RELU, leaky_relu, y, "x, below 0 times the slope.")                                 \
    KIND(ELU, elu, y, "alpha times exp(x) - 1 below 0, else x.")                                   \
    KIND(SIGMOID, sigmoid, y, "1 / (1 + exp(-x)).")                                                \
    KIND(TANH, tanh, y, "The hyperbolic tangent.")                                                 \
    KIND(GELU, gelu, x, "x times the normal distribution of x, by erf.")                           \
    KIND(GELU_TANH, gelu_tanh, x, "The same in the approximation by tanh.")                        \
    KIND(SILU, silu, x, "x times the sigmoid of x; also called swish.")                            \
    KIND(MISH, mish, x, "x times the hyperbolic tangent of log(1 + exp(x)).")                      \
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
    float slope; /* of LEAKY_RELU below 0; the alpha of ELU, above 0 */
} gyre_activation_shape;

/* ---- the list */

#define GYRE_LAYER_OPS(SHAPED, SIZED)                                                              \
    SHAPED(conv_pack, gyre_conv_shape, (gyre_f32, w), (gyre_raw, packed))                          \
    SHAPED(conv, gyre_conv_shape, (gyre_act, x), (gyre_raw, packed), (gyre_f32, bias),             \
           (gyre_act, y))                                                                          \
    SHAPED(conv_dx, gyre_conv_shape, (gyre_act, dy), (gyre_raw, packed), (gyre_act, dx))           \
    SHAPED(conv_dw, gyre_conv_shape, (gyre_act, x), (gyre_act, dy), (gyre_f32, dw),                \
           (gyre_f32, db))                                                                         \
    SHAPED(linear_pack, gyre_linear_shape, (gyre_f32, w), (gyre_raw, packed))                      \
    SHAPED(linear, gyre_linear_shape, (gyre_act, x), (gyre_raw, packed), (gyre_f32, bias),         \
           (gyre_act, y))                                                                          \
    SHAPED(linear_dx, gyre_linear_shape, (gyre_act, dy), (gyre_raw, packed), (gyre_act, dx))       \
    SHAPED(linear_dw, gyre_linear_shape, (gyre_act, x), (gyre_act, dy), (gyre_f32, dw),            \
           (gyre_f32, db))                                                                         \
    /* saved(2c): what batch_norm_dx needs; moments(2c): mean and unbiased variance of this shard. \
     * residual is read only when s->add. */                                                       \
    SHAPED(batch_norm_train, gyre_batch_norm_shape, (gyre_act, x), (gyre_act, residual),           \
           (gyre_f32, gamma), (gyre_f32, beta), (gyre_f32, saved), (gyre_f32, moments),            \
           (gyre_act, y))                                                                          \
    /* running(2c): mean and variance. With s->frozen it also writes saved (may be NULL else). */  \
    SHAPED(batch_norm_eval, gyre_batch_norm_shape, (gyre_act, x), (gyre_act, residual),            \
           (gyre_f32, gamma), (gyre_f32, beta), (gyre_f32, running), (gyre_f32, saved),            \
           (gyre_act, y))                                                                          \
    /* dx may be dy. With s->add, dresidual gets dy behind the relu; dresidual may be dy. */       \
    SHAPED(batch_norm_dx, gyre_batch_norm_shape, (gyre_act, x), (gyre_act, y), (gyre_act, dy),     \
           (gyre_f32, gamma), (gyre_f32, saved), (gyre_act, dx), (gyre_act, dresidual),            \
           (gyre_f32, dgamma), (gyre_f32, dbeta))                                                  \
    /* saved(2 n h w): what layer_norm_dx needs: each pixel's mean, then each one's 1 / deviation; \
     * may be NULL. */                                                                             \
    SHAPED(layer_norm, gyre_layer_norm_shape, (gyre_act, x), (gyre_f32, gamma), (gyre_f32, beta),  \
           (gyre_f32, saved), (gyre_act, y))                                                       \
    /* dx may be dy */                                                                             \
    SHAPED(layer_norm_dx, gyre_layer_norm_shape, (gyre_act, x), (gyre_act, dy), (gyre_f32, gamma), \
           (gyre_f32, saved), (gyre_act, dx), (gyre_f32, dgamma), (gyre_f32, dbeta))               \
    /* saved(2 n groups): each sample's means by group, then 1 / deviation likewise; may be NULL   \
     */                                                                                            \
    SHAPED(group_norm, gyre_group_norm_shape, (gyre_act, x), (gyre_f32, gamma), (gyre_f32, beta),  \
           (gyre_f32, saved), (gyre_act, y))                                                       \
    /* dx may be dy; beta is read where silu, alone */                                             \
    SHAPED(group_norm_dx, gyre_group_norm_shape, (gyre_act, x), (gyre_act, dy), (gyre_f32, gamma), \
           (gyre_f32, beta), (gyre_f32, saved), (gyre_act, dx), (gyre_f32, dgamma),                \
           (gyre_f32, dbeta))                                                                      \
    /* saved(n, heads, queries): the logarithm of each softmax's denominator; may be NULL */       \
    SHAPED(attention, gyre_attention_shape, (gyre_act, query), (gyre_act, key), (gyre_act, value), \
           (gyre_f32, saved), (gyre_act, y))                                                       \
    /* Gradients may be NULL where nobody needs them. */                                           \
    SHAPED(attention_dx, gyre_attention_shape, (gyre_act, query), (gyre_act, key),                 \
           (gyre_act, value), (gyre_f32, saved), (gyre_act, y), (gyre_act, dy),                    \
           (gyre_act, dquery), (gyre_act, dkey), (gyre_act, dvalue))                               \
    SHAPED(geglu, gyre_geglu_shape, (gyre_act, x), (gyre_act, y))                                  \
    SHAPED(geglu_dx, gyre_geglu_shape, (gyre_act, x), (gyre_act, dy), (gyre_act, dx))              \
    /* y = x + w(h, w, c); y may be x */                                                           \
    SHAPED(positions, gyre_positions_shape, (gyre_act, x), (gyre_f32, w), (gyre_act, y))           \
    SHAPED(positions_dw, gyre_positions_shape, (gyre_act, dy), (gyre_f32, dw))                     \
    SIZED(relu, (gyre_act, x), (gyre_act, y))                                                      \
    SIZED(relu_dx, (gyre_act, y), (gyre_act, dy), (gyre_act, dx))                                  \
    SHAPED(activation, gyre_activation_shape, (gyre_act, x), (gyre_act, y))                        \
    /* v: x or y, as GYRE_ACTIVATIONS says; dx may be dy */                                        \
    SHAPED(activation_dx, gyre_activation_shape, (gyre_act, v), (gyre_act, dy), (gyre_act, dx))    \
    /* y = a + b or a b; y may be a */                                                             \
    SHAPED(broadcast, gyre_broadcast_shape, (gyre_act, a), (gyre_act, b), (gyre_act, y))           \
    /* The gradient of b: dy, or dy a where s->multiply, summed over what b is spread over. */     \
    SHAPED(broadcast_db, gyre_broadcast_shape, (gyre_act, a), (gyre_act, dy), (gyre_act, db))      \
    /* draws: GYRE_DRAW_WORDS words; y may be x. Backward is the same of dy. */                    \
    SHAPED(dropout, gyre_dropout_shape, (gyre_i32, draws), (gyre_act, x), (gyre_act, y))           \
    /* y = a x + s noise with table(steps, 2) = (a, s) of each t; y may be x */                    \
    SHAPED(diffuse, gyre_diffusion_shape, (gyre_i32, draws), (gyre_f32, table), (gyre_act, x),     \
           (gyre_act, y))                                                                          \
    /* x(n, pixels, 2 c) is mean and deviation: y = mean + deviation normal; the mean where no     \
     * noise is added */                                                                           \
    SHAPED(latent, gyre_diffusion_shape, (gyre_i32, draws), (gyre_act, x), (gyre_act, y))          \
    /* y(n, c) = row t of table(steps, c) */                                                       \
    SHAPED(time_rows, gyre_diffusion_shape, (gyre_i32, draws), (gyre_f32, table), (gyre_act, y))   \
    SHAPED(embedding, gyre_embedding_shape, (gyre_i32, draws), (gyre_i32, labels), (gyre_f32, w),  \
           (gyre_act, y))                                                                          \
    /* adds in the order of the samples */                                                         \
    SHAPED(embedding_dw, gyre_embedding_shape, (gyre_i32, draws), (gyre_i32, labels),              \
           (gyre_act, dy), (gyre_f32, dw))                                                         \
    SHAPED(copy_columns, gyre_copy_shape, (gyre_act, x), (gyre_act, y)) /* leaves the rest of y */ \
    SHAPED(transpose, gyre_transpose_shape, (gyre_act, x), (gyre_act, y))                          \
    SHAPED(upsample, gyre_upsample_shape, (gyre_act, x), (gyre_act, y))                            \
    SHAPED(upsample_dx, gyre_upsample_shape, (gyre_act, dy), (gyre_act, dx))                       \
    SHAPED(scale, gyre_scale_shape, (gyre_act, x), (gyre_f32, w), (gyre_act, y)) /* y may be x */  \
    /* x may be NULL: of dy alone */                                                               \
    SHAPED(scale_dw, gyre_scale_shape, (gyre_act, x), (gyre_act, dy), (gyre_f32, dw))              \
    SHAPED(pool, gyre_pool_shape, (gyre_act, x), (gyre_raw, saved), (gyre_act, y))                 \
    SHAPED(pool_dx, gyre_pool_shape, (gyre_act, dy), (gyre_raw, saved), (gyre_act, dx))            \
    SHAPED(adaptive_pool, gyre_adaptive_pool_shape, (gyre_act, x), (gyre_act, y))                  \
    SHAPED(adaptive_pool_dx, gyre_adaptive_pool_shape, (gyre_act, dy), (gyre_act, dx))             \
    SHAPED(lrn, gyre_lrn_shape, (gyre_act, x), (gyre_act, y))                                      \
    /* dx may be dy */                                                                             \
    SHAPED(lrn_dx, gyre_lrn_shape, (gyre_act, x), (gyre_act, dy), (gyre_act, dx))                  \
    SHAPED(channel_lrn, gyre_channel_lrn_shape, (gyre_act, x), (gyre_act, y))                      \
    /* dx may be dy */                                                                             \
    SHAPED(channel_lrn_dx, gyre_channel_lrn_shape, (gyre_act, x), (gyre_act, dy), (gyre_act, dx))  \
    SHAPED(shortcut, gyre_shortcut_shape, (gyre_act, x), (gyre_act, y))                            \
    SHAPED(shortcut_dx, gyre_shortcut_shape, (gyre_act, dy), (gyre_act, dx))                       \
    SIZED(accumulate, (gyre_act, x), (gyre_act, y)) /* y += x */

/* Bytes that operations need for what they pack or keep: size_t OP(gyre_backend *b, const SHAPE
 * *s).
 */
#define GYRE_OP_SIZES(SIZE)                                                                        \
    SIZE(conv_pack_size, gyre_conv_shape)                                                          \
    SIZE(linear_pack_size, gyre_linear_shape)                                                      \
    SIZE(pool_saved_size, gyre_pool_shape) /* 0 for average */

#endif
