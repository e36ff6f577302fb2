/* A backend whose operations are the CUDA kernels on the emulator, in host memory: the CPU
 * backend's table with those slots replaced. Programs linked with -Wl,--wrap=gyre_backend_open get
 * it wherever they open a backend, so that every test of the CPU backend's operations is one of the
 * kernels too. GYRE_EMULATOR_SEED in the environment permutes the orders. */
#include "emulator.h"
#include "gyre/backend.h"
#include "kernels.h"

#include <stdlib.h>

gyre_status __real_gyre_backend_open(gyre_backend_choice choice,
                                     const gyre_backend_options *options, struct gyre_comm *comm,
                                     gyre_backend **out);
gyre_status __wrap_gyre_backend_open(gyre_backend_choice choice,
                                     const gyre_backend_options *options, struct gyre_comm *comm,
                                     gyre_backend **out);
const gyre_backend_ops *emulated_cpu_ops(void);

/* The one function of the runtime that launchers call. Launches on the emulator end the program
 * themselves. */
cudaError_t CUDARTAPI cudaGetLastError(void) {
    return cudaSuccess;
}

static gyre_status status_of(cudaError_t error, const char *what) {
    if (error == cudaSuccess) return GYRE_OK;
    return gyre_fail(GYRE_EDEVICE, "%s on the emulator: error %d", what, (int)error);
}

static bool bf16_of_queue(const gyre_queue *q) {
    return q->backend->act_size == 2;
}

/* Runs a launch with exactly so many bytes of work, which the address sanitizer watches. */
#define WITH_WORK(bytes, call)                                                                     \
    do {                                                                                           \
        void *work = malloc((bytes) + 1);                                                          \
        gyre_status status_ = status_of(call, #call);                                              \
        free(work);                                                                                \
        return status_;                                                                            \
    } while (0)

static gyre_status batch_load(gyre_queue *q, const gyre_image_shape *s, const gyre_batch *batch,
                              gyre_f32 mean, gyre_f32 scale, gyre_act x, gyre_i32 labels) {
    gpu_input_slot slot = {batch->images, NULL, batch->labels, batch->augment};
    gyre_image_shape shape = *s;
    shape.n = (int)batch->count;
    return status_of(gpu_input_launch(NULL, bf16_of_queue(q), &shape, &slot, 0, (float *)mean,
                                      (float *)scale, x, (int32_t *)labels),
                     "input");
}

static gyre_status norm_train(gyre_queue *q, const gyre_norm_shape *s, gyre_act x,
                              gyre_act residual, gyre_f32 gamma, gyre_f32 beta, gyre_f32 saved,
                              gyre_f32 moments, gyre_act y) {
    WITH_WORK(gpu_columns_work((size_t)s->c),
              gpu_norm_train_launch(NULL, bf16_of_queue(q), s, x, residual, (float *)gamma,
                                    (float *)beta, work, (float *)saved, (float *)moments, y));
}

static gyre_status norm_eval(gyre_queue *q, const gyre_norm_shape *s, gyre_act x, gyre_act residual,
                             gyre_f32 gamma, gyre_f32 beta, gyre_f32 running, gyre_f32 saved,
                             gyre_act y) {
    return status_of(gpu_norm_eval_launch(NULL, bf16_of_queue(q), s, x, residual, (float *)gamma,
                                          (float *)beta, (float *)running, (float *)saved, y),
                     "norm_eval");
}

static gyre_status norm_dx(gyre_queue *q, const gyre_norm_shape *s, gyre_act x, gyre_act y,
                           gyre_act dy, gyre_f32 gamma, gyre_f32 saved, gyre_act dx,
                           gyre_act dresidual, gyre_f32 dgamma, gyre_f32 dbeta) {
    WITH_WORK(gpu_columns_work((size_t)s->c),
              gpu_norm_dx_launch(NULL, bf16_of_queue(q), s, x, y, dy, (float *)gamma,
                                 (float *)saved, work, dx, dresidual, (float *)dgamma,
                                 (float *)dbeta));
}

static gyre_status relu(gyre_queue *q, size_t n, gyre_act x, gyre_act y) {
    return status_of(gpu_relu_launch(NULL, bf16_of_queue(q), n, x, y), "relu");
}

static gyre_status relu_dx(gyre_queue *q, size_t n, gyre_act y, gyre_act dy, gyre_act dx) {
    return status_of(gpu_relu_dx_launch(NULL, bf16_of_queue(q), n, y, dy, dx), "relu_dx");
}

static gyre_status accumulate(gyre_queue *q, size_t n, gyre_act x, gyre_act y) {
    return status_of(gpu_accumulate_launch(NULL, bf16_of_queue(q), n, x, y), "accumulate");
}

static gyre_status shortcut(gyre_queue *q, const gyre_shortcut_shape *s, gyre_act x, gyre_act y) {
    return status_of(gpu_shortcut_launch(NULL, bf16_of_queue(q), s, x, y), "shortcut");
}

static gyre_status shortcut_dx(gyre_queue *q, const gyre_shortcut_shape *s, gyre_act dy,
                               gyre_act dx) {
    return status_of(gpu_shortcut_dx_launch(NULL, bf16_of_queue(q), s, dy, dx), "shortcut_dx");
}

static gyre_status pool(gyre_queue *q, const gyre_pool_shape *s, gyre_act x, gyre_raw saved,
                        gyre_act y) {
    return status_of(gpu_pool_launch(NULL, bf16_of_queue(q), s, x, saved, y), "pool");
}

static gyre_status pool_dx(gyre_queue *q, const gyre_pool_shape *s, gyre_act dy, gyre_raw saved,
                           gyre_act dx) {
    return status_of(gpu_pool_dx_launch(NULL, bf16_of_queue(q), s, dy, saved, dx), "pool_dx");
}

static gyre_status lrn(gyre_queue *q, const gyre_lrn_shape *s, gyre_act x, gyre_act y) {
    return status_of(gpu_lrn_launch(NULL, bf16_of_queue(q), s, x, y), "lrn");
}

static gyre_status lrn_dx(gyre_queue *q, const gyre_lrn_shape *s, gyre_act x, gyre_act dy,
                          gyre_act dx) {
    size_t n = (size_t)s->n * (size_t)s->h * (size_t)s->w * (size_t)s->c;
    WITH_WORK(n * sizeof(float), gpu_lrn_dx_launch(NULL, bf16_of_queue(q), s, x, dy, work, dx));
}

static gyre_status softmax_loss(gyre_queue *q, const gyre_loss_shape *s, gyre_act logits,
                                gyre_i32 labels, gyre_act dx, gyre_f32 stats) {
    WITH_WORK(2 * (size_t)s->n * sizeof(float),
              gpu_softmax_loss_launch(NULL, bf16_of_queue(q), s, logits, (int32_t *)labels, work,
                                      dx, (float *)stats));
}

static gyre_status fill(gyre_queue *q, size_t n, float value, gyre_f32 x) {
    (void)q;
    return status_of(gpu_fill_launch(NULL, n, value, (float *)x), "fill");
}

static gyre_status add(gyre_queue *q, size_t n, gyre_f32 a, gyre_f32 b, gyre_f32 y) {
    (void)q;
    return status_of(gpu_add_launch(NULL, n, (float *)a, (float *)b, (float *)y), "add");
}

static gyre_status update_statistics(gyre_queue *q, size_t n, float inv_shards, gyre_f32 moments,
                                     gyre_f32 scalars, gyre_f32 to) {
    (void)q;
    return status_of(gpu_update_statistics_launch(NULL, n, inv_shards, (float *)moments,
                                                  (float *)scalars, (float *)to),
                     "update_statistics");
}

static gyre_status check_step(gyre_queue *q, size_t n, gyre_f32 g, gyre_f32 stats, float clip_norm,
                              gyre_f32 scalars) {
    (void)q;
    WITH_WORK(gpu_check_step_work(), gpu_check_step_launch(NULL, n, (float *)g, (float *)stats,
                                                           clip_norm, work, (float *)scalars));
}

static gyre_status update(gyre_queue *q, const gyre_update_shape *s, size_t n, gyre_f32 g,
                          gyre_f32 s1, gyre_f32 s2, gyre_f32 w, gyre_f32 scalars) {
    (void)q;
    return status_of(gpu_update_launch(NULL, s, n, (float *)g, (float *)s1, (float *)s2, (float *)w,
                                       (float *)scalars),
                     "update");
}

static const gyre_backend_ops *cpu_ops;
static gyre_backend_ops ops;

/* The CPU backend's own table, for comparisons, once a backend was opened. */
const gyre_backend_ops *emulated_cpu_ops(void) {
    return cpu_ops;
}

static void replace(const gyre_backend_ops *from) {
    cpu_ops = from;
    ops = *from;
    ops.batch_load = batch_load;
    ops.norm_train = norm_train;
    ops.norm_eval = norm_eval;
    ops.norm_dx = norm_dx;
    ops.relu = relu;
    ops.relu_dx = relu_dx;
    ops.accumulate = accumulate;
    ops.shortcut = shortcut;
    ops.shortcut_dx = shortcut_dx;
    ops.pool = pool;
    ops.pool_dx = pool_dx;
    ops.lrn = lrn;
    ops.lrn_dx = lrn_dx;
    ops.softmax_loss = softmax_loss;
    ops.fill = fill;
    ops.add = add;
    ops.update_statistics = update_statistics;
    ops.check_step = check_step;
    ops.update = update;
}

gyre_status __wrap_gyre_backend_open(gyre_backend_choice choice,
                                     const gyre_backend_options *options, struct gyre_comm *comm,
                                     gyre_backend **out) {
    const char *seed = getenv("GYRE_EMULATOR_SEED");
    GYRE_TRY(__real_gyre_backend_open(choice, options, comm, out));
    if (seed != NULL) emulator_seed(strtoull(seed, NULL, 10));
    replace((*out)->ops);
    (*out)->ops = &ops;
    return GYRE_OK;
}
