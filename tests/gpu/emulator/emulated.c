/* A backend whose operations are the CUDA kernels on the emulator, in host memory: the CPU
 * backend's table with those slots replaced. Programs linked with -Wl,--wrap=gyre_backend_open get
 * it wherever they open a backend, so that every test of the CPU backend's operations is one of the
 * kernels too. GYRE_EMULATOR_SEED in the environment permutes the orders. */
#include "emulator.h"
#include "gyre/backend.h"
#include "kernels.h"
#include "operation.h"

#include <stdlib.h>
#include <string.h>

gyre_status __real_gyre_backend_open(gyre_backend_choice choice,
                                     const gyre_backend_options *options, struct gyre_comm *comm,
                                     gyre_backend **out);
gyre_status __wrap_gyre_backend_open(gyre_backend_choice choice,
                                     const gyre_backend_options *options, struct gyre_comm *comm,
                                     gyre_backend **out);
const gyre_backend_ops *emulated_cpu_ops(void);
void emulated_work(void *memory);

/* The operations that no kernel of gyre's own computes. */
#define BY_CUDNN(OP)                                                                               \
    OP(conv_pack)                                                                                  \
    OP(conv)                                                                                       \
    OP(conv_dx)                                                                                    \
    OP(conv_dw)                                                                                    \
    OP(linear_pack)                                                                                \
    OP(linear)                                                                                     \
    OP(linear_dx)                                                                                  \
    OP(linear_dw)                                                                                  \
    OP(conv_pack_size)                                                                             \
    OP(linear_pack_size)

/* The one function of the runtime that launchers call. Launches on the emulator end the program
 * themselves. */
cudaError_t CUDARTAPI cudaGetLastError(void) {
    return cudaSuccess;
}

/* ---- what operation.c gives to operations: here kernels run at once, in host memory */

static void *work, *given; /* of the operation under way; emulated_work's, for the next one */

void emulated_work(void *memory) {
    given = memory;
}

cudaStream_t gpu_stream(const gyre_queue *q) {
    (void)q;
    return NULL;
}

/* Exactly so many bytes, which the address sanitizer watches. */
gyre_status gpu_work(gyre_queue *q, size_t bytes, void **out) {
    (void)q;
    *out = given;
    if (given != NULL) return GYRE_OK;
    free(work);
    work = *out = malloc(bytes + 1);
    return work != NULL ? GYRE_OK : gyre_no_memory("%zu bytes of work memory", bytes);
}

gyre_status gpu_copy(gyre_queue *q, void *to, const void *from, size_t bytes) {
    (void)q;
    memcpy(to, from, bytes);
    return GYRE_OK;
}

gyre_status gpu_result(const gyre_queue *q, cudaError_t error, const char *function) {
    (void)q;
    if (error == cudaSuccess) return GYRE_OK;
    return gyre_fail(GYRE_EDEVICE, "%s on the emulator: error %d", function, (int)error);
}

/* ---- the table */

static gyre_status batch_load(gyre_queue *q, const gyre_image_shape *s, const gyre_batch *batch,
                              gyre_f32 mean, gyre_f32 scale, gyre_act x, gyre_i32 targets) {
    gpu_input_slot slot = {batch->images, NULL, batch->targets, batch->augment,
                           batch->erase, batch->mix};
    gyre_image_shape shape = *s;
    shape.n = (int)batch->count;
    GYRE_TRY(gpu_result(q,
                        gpu_input_launch(NULL, gpu_bf16(q), &shape, batch, &slot, 0,
                                         gpu_floats(mean), gpu_floats(scale), x),
                        "input"));
    return gpu_result(q,
                      gpu_targets_launch(NULL, (size_t)shape.n, (size_t)batch->target_values, &slot,
                                         0, gpu_integers(targets)),
                      "targets");
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
#define EMULATED(op, ...) ops.op = gpu_##op;
    GYRE_OPS(EMULATED, EMULATED)
    GYRE_OP_SIZES(EMULATED)
#define OF_THE_CPU(op) ops.op = from->op;
    BY_CUDNN(OF_THE_CPU)
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
