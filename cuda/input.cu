/* Batches: stored values become normalised, augmented activations. */
#include "element.h"
#include "kernels.h"

#include "gyre/erase.h"
#include "gyre/move.h"

/* ---- parts of stored images become images */

__global__ void __launch_bounds__(GPU_BLOCK)
    resize_kernel(uint64_t count, unsigned size, unsigned channels, gpu_parts p, uint8_t *images) {
    for (uint64_t at = gpu_thread(); at < count; at += gpu_threads()) {
        unsigned k, x, y;
        uint64_t pixel = gpu_divide(at, channels, &k);
        uint64_t sample = gpu_divide(gpu_divide(pixel, size, &x), size, &y);
        const gyre_crop crop = p.crops[sample];
        const gyre_resizing_side down = p.sides[crop.h], across = p.sides[crop.w];
        const uint32_t *rows = p.words + down.at, *columns = p.words + across.at;
        const uint32_t *down_weights = rows + size + y * down.taps;
        const uint32_t *across_weights = columns + size + x * across.taps;
        const uint8_t *from = p.source + p.places[sample] + rows[y] * p.line +
                              (unsigned(crop.x) + columns[x]) * channels + k;
        uint64_t sum = 1u << 31; /* 1/2 of what one level is */
        for (unsigned i = 0; i < down.taps; i++, from += p.line) {
            uint32_t squeezed = 0;
            for (unsigned j = 0; j < across.taps; j++) {
                squeezed += across_weights[j] * from[j * channels];
            }
            sum += uint64_t(down_weights[i]) * squeezed;
        }
        images[at] = uint8_t(sum >> 32);
    }
}
KERNEL(resize_kernel);

cudaError_t gpu_resize_launch(cudaStream_t stream, size_t n, int size, int c,
                              const gpu_parts *parts, uint8_t *images) {
    uint64_t count = uint64_t(n) * unsigned(size) * unsigned(size) * unsigned(c);
    if (count == 0) return cudaSuccess;
    LAUNCH(resize_kernel, gpu_grid(count), GPU_BLOCK, 0, stream, count, unsigned(size), unsigned(c),
           *parts, images);
    return cudaGetLastError();
}

/* ---- images become activations */

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

constexpr int64_t OUTSIDE = -(int64_t(1) << 62);

/* The place of a value among those of its batch, below 0 in the sample before the first, or
 * OUTSIDE of its sample. */
__device__ __forceinline__ int64_t source_of(const input_shape &s, const gpu_input_slot &slot,
                                             int64_t first, const walk &p) {
    int64_t at = first + int64_t(p.sample);
    gyre_augment a = {};
    if (slot.augment != nullptr) a = slot.augment[at];
    int y = gyre_move_row(a, int(p.y), int(s.h)), x = gyre_move_column(a, int(p.x), int(s.w));
    if (y < 0 || x < 0) return OUTSIDE;
    uint64_t row = uint64_t(slot.rows != nullptr ? slot.rows[at] : at);
    uint64_t pixel = uint64_t(y) * s.w + unsigned(x);
    return int64_t(row * s.image + pixel * s.c + p.c);
}

/* Outside pixels are raw 0. */
__device__ __forceinline__ float raw_pixel(const input_shape &s, const gpu_input_slot &slot,
                                           int64_t first, const walk &p) {
    int64_t from = source_of(s, slot, first, p);
    return from < 0 ? 0.0f : float(slot.images[from]);
}

/* gyre_half_to_float of gyre/element.h */
__device__ __forceinline__ float widen_half(unsigned half) {
    unsigned sign = (half & 0x8000u) << 16, rest = half & 0x7fffu;
    if (rest >= 0x7c00u) return __uint_as_float(sign | 0x7f800000u | (rest & 0x3ffu) << 13);
    if (rest >= 0x400u) return __uint_as_float(sign | ((rest << 13) + (112u << 23)));
    return __uint_as_float(sign | __float_as_uint(float(rest) * 0x1p-24f));
}

__device__ __forceinline__ float raw_value(gyre_element e, const void *values, int64_t at) {
    switch (e) {
    case GYRE_ELEMENT_U16: return float(((const uint16_t *)values)[at]);
    case GYRE_ELEMENT_I16: return float(((const int16_t *)values)[at]);
    case GYRE_ELEMENT_F16: return widen_half(((const uint16_t *)values)[at]);
    case GYRE_ELEMENT_F32: return ((const float *)values)[at];
    default: return float(((const uint8_t *)values)[at]);
    }
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

/* What the network sees at a place of its input: a value of any type, which may be erased. */
__device__ __forceinline__ float value_at(const input_shape &s, gyre_element e,
                                          const gpu_input_slot &slot, int64_t first, const walk &p,
                                          const float *mean, const float *scale) {
    uint64_t place = p.y * s.row + p.x * s.c + p.c;
    if (slot.erase != nullptr) {
        const gyre_erase &erase = slot.erase[first + int64_t(p.sample)];
        if (gyre_erase_covers(&erase, int(p.y), int(p.x))) return gyre_erase_value(&erase, place);
    }
    int64_t from = source_of(s, slot, first, p);
    float raw = from == OUTSIDE ? 0.0f : raw_value(e, slot.images, from);
    return (raw - mean[place]) * scale[p.c];
}

/* The same for every batch; where it is not pixels alone, they are few beside the work of a
 * network. */
template <class T>
__global__ void __launch_bounds__(GPU_BLOCK)
    values_kernel(input_shape s, gyre_element e, const gpu_input_slot *where, int64_t first,
                  const float *mean, const float *scale, void *x) {
    const gpu_input_slot slot = *where;
    for (uint64_t at = gpu_thread(); at < s.n * s.image; at += gpu_threads()) {
        const walk p = walk_from(s, at);
        const gyre_mix &m = slot.mix;
        float v[1] = {value_at(s, e, slot, first, p, mean, scale)};
        if (m.on && gyre_mix_covers(&m, int(p.y), int(p.x))) {
            float other = value_at(s, e, slot, first - 1, p, mean, scale);
            v[0] = gyre_mix_value(&m, v[0], other);
        }
        gpu_store<1>((T *)x + at, v);
    }
}
KERNEL(values_kernel<float>);
KERNEL(values_kernel<gpu_half>);

__global__ void __launch_bounds__(GPU_BLOCK)
    targets_kernel(uint64_t n, uint64_t values, const gpu_input_slot *where, int64_t first,
                   int32_t *targets) {
    const int32_t *from = where->targets + first * int64_t(values);
    const gyre_mix mix = where->mix;
    for (uint64_t i = gpu_thread(); mix.on && i < n; i += gpu_threads()) {
        targets[n * values + 2 * i] = from[int64_t(i) - 1];
        targets[n * values + 2 * i + 1] = int32_t(__float_as_uint(mix.label));
    }
    for (uint64_t i = gpu_thread(); i < n * values; i += gpu_threads()) targets[i] = from[i];
}
KERNEL(targets_kernel);

cudaError_t gpu_input_launch(cudaStream_t stream, bool bf16, const gyre_image_shape *s,
                             const gyre_batch *batch, const gpu_input_slot *slot, int64_t first,
                             const float *mean, const float *scale, void *x) {
    uint64_t row = uint64_t(s->w) * uint64_t(s->c), image = row * uint64_t(s->h);
    input_shape shape = {unsigned(s->n), unsigned(s->h), unsigned(s->w), unsigned(s->c), row,
                         image};
    if (s->n == 0) return cudaSuccess;
    uint64_t elements = shape.n * image;
    if (batch->element != GYRE_ELEMENT_U8 || batch->erase != nullptr || batch->mix.on) {
        auto kernel = bf16 ? values_kernel<gpu_half> : values_kernel<float>;
        LAUNCH(kernel, gpu_grid(elements), GPU_BLOCK, 0, stream, shape, batch->element, slot, first,
               mean, scale, x);
        return cudaGetLastError();
    }
    bool wide = gpu_common_shift(x) == 0;
    auto kernel = GPU_PICK(input_kernel, bf16, wide);
    LAUNCH(kernel, gpu_grid(wide ? elements / (bf16 ? 8 : 4) + 1 : elements), GPU_BLOCK, 0, stream,
           shape, slot, first, mean, scale, x);
    return cudaGetLastError();
}

cudaError_t gpu_targets_launch(cudaStream_t stream, size_t n, size_t values,
                               const gpu_input_slot *slot, int64_t first, int32_t *targets) {
    if (n == 0) return cudaSuccess;
    LAUNCH(targets_kernel, gpu_grid(n * values), GPU_BLOCK, 0, stream, n, values, slot, first,
           targets);
    return cudaGetLastError();
}
