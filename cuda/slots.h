/* The layer and vector slots of the table, as gyre/backend.h has them. */
#ifndef GYRE_CUDA_SLOTS_H
#define GYRE_CUDA_SLOTS_H

#include "gyre/backend.h"

/* layers.c: by cuDNN plans */
size_t gpu_conv_pack_size(gyre_backend *b, const gyre_conv_shape *s);
gyre_status gpu_conv_pack(gyre_queue *q, const gyre_conv_shape *s, gyre_f32 w, gyre_raw packed);
gyre_status gpu_conv(gyre_queue *q, const gyre_conv_shape *s, gyre_act x, gyre_raw packed,
                     gyre_f32 bias, gyre_act y);
gyre_status gpu_conv_dx(gyre_queue *q, const gyre_conv_shape *s, gyre_act dy, gyre_raw packed,
                        gyre_act dx);
gyre_status gpu_conv_dw(gyre_queue *q, const gyre_conv_shape *s, gyre_act x, gyre_act dy,
                        gyre_f32 dw, gyre_f32 db);
size_t gpu_linear_pack_size(gyre_backend *b, const gyre_linear_shape *s);
gyre_status gpu_linear_pack(gyre_queue *q, const gyre_linear_shape *s, gyre_f32 w, gyre_raw packed);
gyre_status gpu_linear(gyre_queue *q, const gyre_linear_shape *s, gyre_act x, gyre_raw packed,
                       gyre_f32 bias, gyre_act y);
gyre_status gpu_linear_dx(gyre_queue *q, const gyre_linear_shape *s, gyre_act dy, gyre_raw packed,
                          gyre_act dx);
gyre_status gpu_linear_dw(gyre_queue *q, const gyre_linear_shape *s, gyre_act x, gyre_act dy,
                          gyre_f32 dw, gyre_f32 db);

/* operations.c: by gyre's own kernels */
gyre_status gpu_norm_train(gyre_queue *q, const gyre_norm_shape *s, gyre_act x, gyre_act residual,
                           gyre_f32 gamma, gyre_f32 beta, gyre_f32 saved, gyre_f32 moments,
                           gyre_act y);
gyre_status gpu_norm_eval(gyre_queue *q, const gyre_norm_shape *s, gyre_act x, gyre_act residual,
                          gyre_f32 gamma, gyre_f32 beta, gyre_f32 running, gyre_f32 saved,
                          gyre_act y);
gyre_status gpu_norm_dx(gyre_queue *q, const gyre_norm_shape *s, gyre_act x, gyre_act y,
                        gyre_act dy, gyre_f32 gamma, gyre_f32 saved, gyre_act dx,
                        gyre_act dresidual, gyre_f32 dgamma, gyre_f32 dbeta);
gyre_status gpu_relu(gyre_queue *q, size_t n, gyre_act x, gyre_act y);
gyre_status gpu_relu_dx(gyre_queue *q, size_t n, gyre_act y, gyre_act dy, gyre_act dx);
size_t gpu_pool_saved_size(gyre_backend *b, const gyre_pool_shape *s);
gyre_status gpu_pool(gyre_queue *q, const gyre_pool_shape *s, gyre_act x, gyre_raw saved,
                     gyre_act y);
gyre_status gpu_pool_dx(gyre_queue *q, const gyre_pool_shape *s, gyre_act dy, gyre_raw saved,
                        gyre_act dx);
gyre_status gpu_lrn(gyre_queue *q, const gyre_lrn_shape *s, gyre_act x, gyre_act y);
gyre_status gpu_lrn_dx(gyre_queue *q, const gyre_lrn_shape *s, gyre_act x, gyre_act dy,
                       gyre_act dx);
gyre_status gpu_shortcut(gyre_queue *q, const gyre_shortcut_shape *s, gyre_act x, gyre_act y);
gyre_status gpu_shortcut_dx(gyre_queue *q, const gyre_shortcut_shape *s, gyre_act dy, gyre_act dx);
gyre_status gpu_accumulate(gyre_queue *q, size_t n, gyre_act x, gyre_act y);
gyre_status gpu_softmax_loss(gyre_queue *q, const gyre_loss_shape *s, gyre_act logits,
                             gyre_i32 labels, gyre_act dx, gyre_f32 stats);
gyre_status gpu_fill(gyre_queue *q, size_t n, float value, gyre_f32 x);
gyre_status gpu_add(gyre_queue *q, size_t n, gyre_f32 x, gyre_f32 z, gyre_f32 y); /* y = x + z */
gyre_status gpu_running(gyre_queue *q, size_t n, float inv_shards, gyre_f32 moments,
                        gyre_f32 scalars, gyre_f32 running);
gyre_status gpu_judge(gyre_queue *q, size_t n, gyre_f32 g, gyre_f32 stats, float clip_norm,
                      gyre_f32 scalars);
gyre_status gpu_update(gyre_queue *q, const gyre_update_shape *s, size_t n, gyre_f32 g, gyre_f32 s1,
                       gyre_f32 s2, gyre_f32 w, gyre_f32 scalars);

#endif
