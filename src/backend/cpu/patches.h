/* Convolutions as matrix products of patches; conv.c asks for them. */
#ifndef GYRE_CPU_PATCHES_H
#define GYRE_CPU_PATCHES_H

#include "cpu.h"

/* It depends on all but the batch, the bias and the ReLU. */
bool cpu_is_patches(const gyre_conv_shape *s);

/* The product whose packed weights (DNN_MATRIX_PACK) forward reads. */
gyre_linear_shape cpu_patches_packed(const gyre_conv_shape *s);

/* As cpu_conv and cpu_conv_dw, but for the ReLU, which is left to the caller. */
gyre_status cpu_patches(gyre_queue *q, const gyre_conv_shape *s, gyre_act x, gyre_raw packed,
                        gyre_f32 bias, gyre_act y);
gyre_status cpu_patches_dw(gyre_queue *q, const gyre_conv_shape *s, gyre_act x, gyre_act dy,
                           gyre_f32 dw, gyre_f32 db);

#endif
