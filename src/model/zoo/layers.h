/* The types that the zoo is made of, with the options that it uses. */
#ifndef GYRE_MODEL_ZOO_LAYERS_H
#define GYRE_MODEL_ZOO_LAYERS_H

#include "../zoo.h"
#include <stdio.h>

enum { LAYERS_PREFIX = 48, LAYERS_PART = 72, LAYERS_NAME = 96 };

typedef struct {
    int channels, r, stride, pad;
    bool bias, relu;
    int groups; /* 0: one */
} conv_options;

int layers_conv(builder *b, const char *name, int x, conv_options o);
/* A linear layer for each pixel. */
int layers_dense(builder *b, const char *name, int x, int channels, bool bias);
/* out: NODE_CLASSES, or a number */
int layers_linear(builder *b, const char *name, int x, double out, bool relu);

enum { LAYERS_NONE = -1 };
/* y = act(norm(x) + residual); residual may be LAYERS_NONE */
int layers_norm(builder *b, const char *name, int x, int residual, bool relu);

/* torchvision's Conv2dNormActivation: PREFIX.0 is the convolution, PREFIX.1 the norm and PREFIX.2 a
 * node of the type `act`. */
int layers_conv_norm(builder *b, const char *prefix, int x, conv_options o, const char *act);

/* "max_pool" or "average_pool": windows of r by r, `stride` apart. */
int layers_pool(builder *b, const char *type, const char *name, int x, int r, int stride, int pad);
/* Caffe's: two apart; the output's size is rounded up. */
int layers_caffe_pool(builder *b, const char *type, const char *name, int x, int r);
/* order: "hwc", or PyTorch's "chw" */
int layers_flatten(builder *b, const char *name, int x, const char *order);
int layers_add(builder *b, const char *name, int x, int y);
int layers_global_average(builder *b, const char *name, int x);

#endif
