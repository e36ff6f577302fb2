/* The sizes of outputs that follow from the shapes of operations. */
#ifndef GYRE_SHAPES_H
#define GYRE_SHAPES_H

#include "gyre/ops_layers.h"

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
