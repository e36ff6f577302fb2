/* Batches: raw pixels become normalised, augmented activations. */
#include "element.h"
#include "kernels.h"

struct input_shape {
    unsigned n, h, w, c;
    uint64_t row, image; /* elements */
};

/* A walk along the elements of the batch: where the next one is. */
struct walk {
    uint64_t sample;
    unsigned y, x, c;
    __device__ __forceinline__ void next(const input_shape &s) {
        if (++c < s.c) return;
        c = 0;
        if (++x < s.w) return;
        x = 0;
        if (++y < s.h) return;
        y = 0;
        sample++;
    }
};

__device__ __forceinline__ walk walk_from(const input_shape &s, uint64_t element) {
    walk p;
    uint64_t pixel = gpu_divide(element, s.c, &p.c);
    p.sample = gpu_divide(gpu_divide(pixel, s.w, &p.x), s.h, &p.y);
    return p;
}

/* Crop first, mirror second; outside pixels are raw 0. */
__device__ __forceinline__ float raw_pixel(const input_shape &s, const gpu_input_slot &slot,
                                           int64_t first, const walk &p) {
    int64_t at = first + int64_t(p.sample);
    gyre_augment a = {};
    if (slot.augment != nullptr) a = slot.augment[at];
    int y = int(p.y) + a.dy, x = int(a.mirror ? s.w - 1 - p.x : p.x) + a.dx;
    if (y < 0 || y >= int(s.h) || x < 0 || x >= int(s.w)) return 0.0f;
    uint64_t row = uint64_t(slot.rows != nullptr ? slot.rows[at] : at);
    uint64_t pixel = uint64_t(y) * s.w + unsigned(x);
    return float(slot.images[row * s.image + pixel * s.c + p.c]);
}

template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK)
    input_kernel(input_shape s, const gpu_input_slot *where, int64_t first, const float *mean,
                 const float *scale, void *x) {
    const gpu_input_slot slot = *where;
    gpu_each_group<V>(s.n * s.image, 0, [=](uint64_t at, auto width) {
        constexpr int W = decltype(width)::value;
        float v[W];
        walk p = walk_from(s, at);
#pragma unroll
        for (int j = 0; j < W; j++) {
            uint64_t place = p.y * s.row + p.x * s.c + p.c;
            v[j] = (raw_pixel(s, slot, first, p) - mean[place]) * scale[p.c];
            p.next(s);
        }
        gpu_store<W>((T *)x + at, v);
    });
}
GPU_KERNELS(input_kernel);

__global__ void __launch_bounds__(GPU_BLOCK)
    labels_kernel(unsigned n, const gpu_input_slot *where, int64_t first, int32_t *labels) {
    const int32_t *from = where->labels + first;
    for (uint64_t i = gpu_thread(); i < n; i += gpu_threads()) labels[i] = from[i];
}
KERNEL(labels_kernel);

cudaError_t gpu_input_launch(cudaStream_t stream, bool bf16, const gyre_image_shape *s,
                             const gpu_input_slot *slot, int64_t first, const float *mean,
                             const float *scale, void *x, int32_t *labels) {
    uint64_t row = uint64_t(s->w) * uint64_t(s->c), image = row * uint64_t(s->h);
    input_shape shape = {unsigned(s->n), unsigned(s->h), unsigned(s->w), unsigned(s->c), row,
                         image};
    if (s->n == 0) return cudaSuccess;
    bool wide = gpu_common_shift(x) == 0;
    auto kernel = GPU_PICK(input_kernel, bf16, wide);
    uint64_t elements = shape.n * image;
    LAUNCH(kernel, gpu_grid(wide ? elements / (bf16 ? 8 : 4) + 1 : elements), GPU_BLOCK, 0, stream,
           shape, slot, first, mean, scale, x);
    LAUNCH(labels_kernel, gpu_grid(shape.n), GPU_BLOCK, 0, stream, shape.n, slot, first, labels);
    return cudaGetLastError();
}
