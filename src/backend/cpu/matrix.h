/* Convolutions of small images as matrix products; conv.c asks for them. */
#ifndef GYRE_CPU_MATRIX_H
#define GYRE_CPU_MATRIX_H

#include "cpu.h"

/* It depends on all but the batch, the bias and the ReLU. */
bool cpu_is_matrix(const gyre_conv_shape *s);

/* As cpu_conv and its like, but for the ReLU, which is left to the caller. */
gyre_status cpu_matrix_pack_size(gyre_queue *q, const gyre_conv_shape *s, size_t *out);
gyre_status cpu_matrix_pack(gyre_queue *q, const gyre_conv_shape *s, gyre_f32 w, gyre_raw packed);
gyre_status cpu_matrix(gyre_queue *q, const gyre_conv_shape *s, gyre_act x, gyre_raw packed,
                       gyre_f32 bias, gyre_act y);
gyre_status cpu_matrix_dx(gyre_queue *q, const gyre_conv_shape *s, gyre_act dy, gyre_raw packed,
                          gyre_act dx);
gyre_status cpu_matrix_dw(gyre_queue *q, const gyre_conv_shape *s, gyre_act x, gyre_act dy,
                          gyre_f32 dw, gyre_f32 db);

#endif
