/* The shape of a network's convolution, for tests of what backends do with each. */
#ifndef GYRE_TESTS_CONVOLUTIONS_H
#define GYRE_TESTS_CONVOLUTIONS_H

#include "../../src/model/node.h"

static inline int convolution_number(const gyre_node *l, const char *name, int i) {
    return (int)node_option_number(l, name, i);
}

static inline gyre_conv_shape convolution_of(const node_call *c) {
    const gyre_node *l = c->node;
    return (gyre_conv_shape){.n = c->n,
                             .h = c->in->h,
                             .w = c->in->w,
                             .c = c->in->c,
                             .k = l->c,
                             .r = convolution_number(l, "size", 0),
                             .s = convolution_number(l, "size", 1),
                             .stride_h = convolution_number(l, "stride", 0),
                             .stride_w = convolution_number(l, "stride", 1),
                             .pad_top = convolution_number(l, "pad", 0),
                             .pad_left = convolution_number(l, "pad", 1),
                             .pad_bottom = convolution_number(l, "pad", 2),
                             .pad_right = convolution_number(l, "pad", 3),
                             .dilation_h = convolution_number(l, "dilation", 0),
                             .dilation_w = convolution_number(l, "dilation", 1),
                             .groups = (int)node_option_value(l, "groups"),
                             .bias = l->params[1] >= 0,
                             .relu = node_option_value(l, "relu") == 1};
}

#endif
