/* What the zoo's layer lists are written with. Each call appends a layer that reads `from` and
 * returns its index; a failure (too many layers, an impossible size) is kept in the builder, so
 * that a layer list reads as a list. */
#ifndef GYRE_MODEL_BUILDER_H
#define GYRE_MODEL_BUILDER_H

#include "gyre/model.h"

enum { BUILDER_IMAGES = -1, BUILDER_NONE = -1 };

typedef struct {
    gyre_model *model;
    gyre_status status;
    int layer_room, param_room;
    /* how the following layers are initialised and scaled */
    gyre_init init;
    double spread;      /* of NORMAL and UNIFORM */
    bool spread_by_fan; /* spread is a gain: deviation = spread / sqrt(fan) */
    bool fan_out;
    gyre_init bias_init; /* UNIFORM: half width 1 / sqrt(fan in), as PyTorch does */
    float bias_lr_mult, weight_decay_mult, bias_decay_mult;
} builder;

typedef struct {
    int channels, r, stride, pad;
    bool bias, relu;
} conv_options;

int builder_conv(builder *b, const char *name, int from, conv_options o);
int builder_linear(builder *b, const char *name, int from, int out, bool relu);
/* y = act(norm(from) + residual); residual may be BUILDER_NONE */
int builder_norm(builder *b, const char *name, int from, int residual, bool relu);
int builder_relu(builder *b, const char *name, int from);
typedef struct {
    int r, stride, pad;
    bool max, ceil;
} pool_options;
int builder_pool(builder *b, const char *name, int from, pool_options o);
typedef struct {
    int size;
    float alpha, beta;
    bool relu; /* of what it reads */
} lrn_options;
int builder_lrn(builder *b, const char *name, int from, lrn_options o);
int builder_global_average(builder *b, const char *name, int from);
int builder_shortcut(builder *b, const char *name, int from, int channels, int stride);

/* Initialisation styles, each with its source. */
void builder_style_caffe(builder *b, double deviation); /* N(0, deviation), bias 0, bias lr x 2 */
void builder_style_xavier(builder *b);                  /* Caffe's xavier: uniform, 3 / fan in */
void builder_style_he(builder *b);                      /* N(0, 2 / fan out), bias 0 */
void builder_style_torch(builder *b);                   /* PyTorch's default of Linear and Conv2d */

#endif
