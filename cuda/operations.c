/* The table's slots that gyre's own kernels fill: from typed device pointers to plain ones, with
 * work memory where a kernel wants it. What they compute is said in gyre/backend.h. */
#include "gpu.h"
#include "slots.h"

/* The host may not look through these; kernels may. */
static float *f32(gyre_f32 p) {
    return (float *)(void *)p;
}

gyre_status gpu_norm_train(gyre_queue *q, const gyre_norm_shape *s, gyre_act x, gyre_act residual,
                           gyre_f32 gamma, gyre_f32 beta, gyre_f32 saved, gyre_f32 moments,
                           gyre_act y) {
    gpu_backend *b = gpu_of_queue(q);
    void *work;
    GYRE_TRY(gpu_workspace(b, gpu_columns_work((size_t)s->c), &work));
    GPU_TRY(b, gpu_norm_train_launch(b->compute, gpu_bf16(q), s, x, residual, f32(gamma), f32(beta),
                                     work, f32(saved), f32(moments), y));
    return GYRE_OK;
}

gyre_status gpu_norm_eval(gyre_queue *q, const gyre_norm_shape *s, gyre_act x, gyre_act residual,
                          gyre_f32 gamma, gyre_f32 beta, gyre_f32 running, gyre_f32 saved,
                          gyre_act y) {
    gpu_backend *b = gpu_of_queue(q);
    GPU_TRY(b, gpu_norm_eval_launch(b->compute, gpu_bf16(q), s, x, residual, f32(gamma), f32(beta),
                                    f32(running), f32(saved), y));
    return GYRE_OK;
}

gyre_status gpu_norm_dx(gyre_queue *q, const gyre_norm_shape *s, gyre_act x, gyre_act y,
                        gyre_act dy, gyre_f32 gamma, gyre_f32 saved, gyre_act dx,
                        gyre_act dresidual, gyre_f32 dgamma, gyre_f32 dbeta) {
    gpu_backend *b = gpu_of_queue(q);
    void *work;
    GYRE_TRY(gpu_workspace(b, gpu_columns_work((size_t)s->c), &work));
    GPU_TRY(b, gpu_norm_dx_launch(b->compute, gpu_bf16(q), s, x, y, dy, f32(gamma), f32(saved),
                                  work, dx, dresidual, f32(dgamma), f32(dbeta)));
    return GYRE_OK;
}

gyre_status gpu_relu(gyre_queue *q, size_t n, gyre_act x, gyre_act y) {
    gpu_backend *b = gpu_of_queue(q);
    GPU_TRY(b, gpu_relu_launch(b->compute, gpu_bf16(q), n, x, y));
    return GYRE_OK;
}

gyre_status gpu_relu_dx(gyre_queue *q, size_t n, gyre_act y, gyre_act dy, gyre_act dx) {
    gpu_backend *b = gpu_of_queue(q);
    GPU_TRY(b, gpu_relu_dx_launch(b->compute, gpu_bf16(q), n, y, dy, dx));
    return GYRE_OK;
}

size_t gpu_pool_saved_size(gyre_backend *b, const gyre_pool_shape *s) {
    (void)b;
    if (!s->max) return 0;
    size_t cells = (size_t)gyre_pool_out(s, s->h) * (size_t)gyre_pool_out(s, s->w);
    return (size_t)s->n * cells * (size_t)s->c * sizeof(uint16_t);
}

gyre_status gpu_pool(gyre_queue *q, const gyre_pool_shape *s, gyre_act x, gyre_raw saved,
                     gyre_act y) {
    gpu_backend *b = gpu_of_queue(q);
    GPU_TRY(b, gpu_pool_launch(b->compute, gpu_bf16(q), s, x, saved, y));
    return GYRE_OK;
}

gyre_status gpu_pool_dx(gyre_queue *q, const gyre_pool_shape *s, gyre_act dy, gyre_raw saved,
                        gyre_act dx) {
    gpu_backend *b = gpu_of_queue(q);
    GPU_TRY(b, gpu_pool_dx_launch(b->compute, gpu_bf16(q), s, dy, saved, dx));
    return GYRE_OK;
}

gyre_status gpu_lrn(gyre_queue *q, const gyre_lrn_shape *s, gyre_act x, gyre_act y) {
    gpu_backend *b = gpu_of_queue(q);
    GPU_TRY(b, gpu_lrn_launch(b->compute, gpu_bf16(q), s, x, y));
    return GYRE_OK;
}

/* The kernel reads neighbours' dy, so that it is copied where dx takes its place. */
gyre_status gpu_lrn_dx(gyre_queue *q, const gyre_lrn_shape *s, gyre_act x, gyre_act dy,
                       gyre_act dx) {
    gpu_backend *b = gpu_of_queue(q);
    size_t n = (size_t)s->n * (size_t)s->h * (size_t)s->w * (size_t)s->c;
    size_t terms = (n * sizeof(float) + 255) / 256 * 256, copy = n * b->base.act_size;
    bool in_place = dx == dy;
    const void *gradient = dy;
    void *work;
    GYRE_TRY(gpu_workspace(b, terms + (in_place ? copy : 0), &work));
    if (in_place) {
        void *aside = (char *)work + terms;
        GPU_TRY(b, cudaMemcpyAsync(aside, dy, copy, cudaMemcpyDeviceToDevice, b->compute));
        gradient = aside;
    }
    GPU_TRY(b, gpu_lrn_dx_launch(b->compute, gpu_bf16(q), s, x, gradient, work, dx));
    return GYRE_OK;
}

gyre_status gpu_shortcut(gyre_queue *q, const gyre_shortcut_shape *s, gyre_act x, gyre_act y) {
    gpu_backend *b = gpu_of_queue(q);
    GPU_TRY(b, gpu_shortcut_launch(b->compute, gpu_bf16(q), s, x, y));
    return GYRE_OK;
}

gyre_status gpu_shortcut_dx(gyre_queue *q, const gyre_shortcut_shape *s, gyre_act dy, gyre_act dx) {
    gpu_backend *b = gpu_of_queue(q);
    GPU_TRY(b, gpu_shortcut_dx_launch(b->compute, gpu_bf16(q), s, dy, dx));
    return GYRE_OK;
}

gyre_status gpu_accumulate(gyre_queue *q, size_t n, gyre_act x, gyre_act y) {
    gpu_backend *b = gpu_of_queue(q);
    GPU_TRY(b, gpu_accumulate_launch(b->compute, gpu_bf16(q), n, x, y));
    return GYRE_OK;
}

gyre_status gpu_softmax_loss(gyre_queue *q, const gyre_loss_shape *s, gyre_act logits,
                             gyre_i32 labels, gyre_act dx, gyre_f32 stats) {
    gpu_backend *b = gpu_of_queue(q);
    void *work;
    GYRE_TRY(gpu_workspace(b, 2 * (size_t)s->n * sizeof(float), &work));
    GPU_TRY(b, gpu_softmax_loss_launch(b->compute, gpu_bf16(q), s, logits,
                                       (const int32_t *)(void *)labels, work, dx, f32(stats)));
    return GYRE_OK;
}

gyre_status gpu_fill(gyre_queue *q, size_t n, float value, gyre_f32 x) {
    gpu_backend *b = gpu_of_queue(q);
    GPU_TRY(b, gpu_fill_launch(b->compute, n, value, f32(x)));
    return GYRE_OK;
}

gyre_status gpu_add(gyre_queue *q, size_t n, gyre_f32 x, gyre_f32 z, gyre_f32 y) {
    gpu_backend *b = gpu_of_queue(q);
    GPU_TRY(b, gpu_add_launch(b->compute, n, f32(x), f32(z), f32(y)));
    return GYRE_OK;
}

gyre_status gpu_update_statistics(gyre_queue *q, size_t n, float inv_shards, gyre_f32 moments,
                                  gyre_f32 scalars, gyre_f32 running) {
    gpu_backend *b = gpu_of_queue(q);
    GPU_TRY(b, gpu_update_statistics_launch(b->compute, n, inv_shards, f32(moments), f32(scalars),
                                            f32(running)));
    return GYRE_OK;
}

gyre_status gpu_check_step(gyre_queue *q, size_t n, gyre_f32 g, gyre_f32 stats, float clip_norm,
                           gyre_f32 scalars) {
    gpu_backend *b = gpu_of_queue(q);
    void *work;
    GYRE_TRY(gpu_workspace(b, gpu_check_step_work(), &work));
    GPU_TRY(
        b, gpu_check_step_launch(b->compute, n, f32(g), f32(stats), clip_norm, work, f32(scalars)));
    return GYRE_OK;
}

gyre_status gpu_update(gyre_queue *q, const gyre_update_shape *s, size_t n, gyre_f32 g, gyre_f32 s1,
                       gyre_f32 s2, gyre_f32 w, gyre_f32 scalars) {
    gpu_backend *b = gpu_of_queue(q);
    GPU_TRY(b, gpu_update_launch(b->compute, s, n, f32(g), f32(s1), f32(s2), f32(w), f32(scalars)));
    return GYRE_OK;
}
