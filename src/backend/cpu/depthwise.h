/* Convolutions of each channel by itself, in own loops; conv.c asks for them. */
#ifndef GYRE_CPU_DEPTHWISE_H
#define GYRE_CPU_DEPTHWISE_H

#include "cpu.h"

/* As many groups as channels and filters; one channel alone is an ordinary convolution. */
static inline bool cpu_is_depthwise(const gyre_conv_shape *s) {
    return s->groups > 1 && s->groups == s->c && s->groups == s->k;
}

/* As cpu_conv and its like; the packed weights are f32 whatever the activations are. */
size_t cpu_depthwise_pack_size(const gyre_conv_shape *s);
void cpu_depthwise_pack(const gyre_queue *q, const gyre_conv_shape *s, gyre_f32 w, gyre_raw packed);
gyre_status cpu_depthwise(gyre_queue *q, const gyre_conv_shape *s, gyre_act x, gyre_raw packed,
                          gyre_f32 bias, gyre_act y);
gyre_status cpu_depthwise_dx(gyre_queue *q, const gyre_conv_shape *s, gyre_act dy, gyre_raw packed,
                             gyre_act dx);
gyre_status cpu_depthwise_dw(gyre_queue *q, const gyre_conv_shape *s, gyre_act x, gyre_act dy,
                             gyre_f32 dw, gyre_f32 db);

#endif
