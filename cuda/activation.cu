/* Activations: gyre/activation.h says what they compute. Memory traffic, and some arithmetic that
 * hides behind it. */
#include "element.h"
#include "gyre/activation.h"
#include "operation.h"

/* All threads of a launch take the same way through the switch. */
template <int W>
__device__ __forceinline__ void values_of(gyre_activation kind, float slope, float (&v)[W]) {
#define VALUES(KIND, name, reads, about)                                                           \
    case GYRE_ACTIVATION_##KIND:                                                                   \
        _Pragma("unroll") for (int j = 0; j < W; j++) v[j] = gyre_##name(slope, v[j]);             \
        break;
    switch (kind) { GYRE_ACTIVATIONS(VALUES) }
}

template <int W>
__device__ __forceinline__ void gradients_of(gyre_activation kind, float slope, const float (&v)[W],
                                             float (&d)[W]) {
#define GRADIENTS(KIND, name, reads, about)                                                        \
    case GYRE_ACTIVATION_##KIND:                                                                   \
        _Pragma("unroll") for (int j = 0; j < W; j++) d[j] = gyre_##name##_dx(slope, v[j], d[j]);  \
        break;
    switch (kind) { GYRE_ACTIVATIONS(GRADIENTS) }
}

/* Results may take an operand's place: a group is read before it is written. */
template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK)
    activation_kernel(gyre_activation_shape s, int shift, const void *x, void *y) {
    gpu_each_group<V>(s.n, shift, [=](uint64_t at, auto width) {
        constexpr int W = decltype(width)::value;
        float v[W];
        gpu_load<W>((const T *)x + at, v);
        values_of<W>(s.kind, s.slope, v);
        gpu_store<W>((T *)y + at, v);
    });
}
GPU_KERNELS(activation_kernel);

template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK)
    activation_dx_kernel(gyre_activation_shape s, int shift, const void *v, const void *dy,
                         void *dx) {
    gpu_each_group<V>(s.n, shift, [=](uint64_t at, auto width) {
        constexpr int W = decltype(width)::value;
        float read[W], d[W];
        gpu_load<W>((const T *)v + at, read);
        gpu_load<W>((const T *)dy + at, d);
        gradients_of<W>(s.kind, s.slope, read, d);
        gpu_store<W>((T *)dx + at, d);
    });
}
GPU_KERNELS(activation_dx_kernel);

gyre_status gpu_activation(gyre_queue *q, const gyre_activation_shape *s, gyre_act x, gyre_act y) {
    if (s->n == 0) return GYRE_OK;
    bool bf16 = gpu_bf16(q);
    int width = gpu_vector_width(bf16, true), bytes = gpu_common_shift(x, y);
    auto kernel = GPU_PICK(activation_kernel, bf16, bytes >= 0);
    LAUNCH(kernel, gpu_group_grid(s->n, width, bytes), GPU_BLOCK, 0, gpu_stream(q), *s,
           gpu_group_shift(width, bytes), x, y);
    return gpu_result(q, cudaGetLastError(), __func__);
}

gyre_status gpu_activation_dx(gyre_queue *q, const gyre_activation_shape *s, gyre_act v,
                              gyre_act dy, gyre_act dx) {
    if (s->n == 0) return GYRE_OK;
    bool bf16 = gpu_bf16(q);
    int width = gpu_vector_width(bf16, true), bytes = gpu_common_shift(v, dy, dx);
    auto kernel = GPU_PICK(activation_dx_kernel, bf16, bytes >= 0);
    LAUNCH(kernel, gpu_group_grid(s->n, width, bytes), GPU_BLOCK, 0, gpu_stream(q), *s,
           gpu_group_shift(width, bytes), v, dy, dx);
    return gpu_result(q, cudaGetLastError(), __func__);
}
