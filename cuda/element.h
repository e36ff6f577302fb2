/* Activations as numbers in kernels: f32, or bf16 that is widened when read and rounded to nearest
 * even when written. A thread handles a vector of V elements, 16 bytes at a time where places allow
 * it, else one. What a map computes does not depend on V (a sum in tiles does, by the number of
 * channels). */
#ifndef GYRE_CUDA_ELEMENT_H
#define GYRE_CUDA_ELEMENT_H

#include "port.h"
#include <stddef.h>
#include <stdint.h>

typedef __nv_bfloat16 gpu_half;

constexpr int GPU_BLOCK = 256;      /* threads */
constexpr uint64_t GPU_GRID = 4096; /* blocks, at most; each continues with what is left */

/* N 32-bit words, read and written at once. */
template <int N> struct gpu_words;
template <> struct gpu_words<4> {
    unsigned w[4];
    __device__ __forceinline__ void get(const void *p) {
        uint4 v = *(const uint4 *)p;
        w[0] = v.x, w[1] = v.y, w[2] = v.z, w[3] = v.w;
    }
    __device__ __forceinline__ void put(void *p) const {
        *(uint4 *)p = make_uint4(w[0], w[1], w[2], w[3]);
    }
};
template <> struct gpu_words<2> {
    unsigned w[2];
    __device__ __forceinline__ void get(const void *p) {
        uint2 v = *(const uint2 *)p;
        w[0] = v.x, w[1] = v.y;
    }
    __device__ __forceinline__ void put(void *p) const { *(uint2 *)p = make_uint2(w[0], w[1]); }
};

/* ---- reading */

template <int V> __device__ __forceinline__ void gpu_load(const float *p, float (&out)[V]) {
    if constexpr (V == 1) {
        out[0] = *p;
    } else {
        gpu_words<V> words;
        words.get(p);
#pragma unroll
        for (int j = 0; j < V; j++) out[j] = __uint_as_float(words.w[j]);
    }
}

template <int V> __device__ __forceinline__ void gpu_load(const gpu_half *p, float (&out)[V]) {
    if constexpr (V == 1) {
        out[0] = __uint_as_float(unsigned(*(const unsigned short *)p) << 16);
    } else {
        gpu_words<V / 2> words;
        words.get(p);
#pragma unroll
        for (int j = 0; j < V; j += 2) {
            out[j] = __uint_as_float(words.w[j / 2] << 16);
            out[j + 1] = __uint_as_float(words.w[j / 2] & 0xffff0000u);
        }
    }
}

/* Per-channel numbers: 4-byte aligned only, and read once per thread. */
template <int V> __device__ __forceinline__ void gpu_load_each(const float *p, float (&out)[V]) {
#pragma unroll
    for (int j = 0; j < V; j++) out[j] = p[j];
}

/* ---- writing */

template <int V> __device__ __forceinline__ void gpu_store(float *p, const float (&x)[V]) {
    if constexpr (V == 1) {
        *p = x[0];
    } else {
        gpu_words<V> words;
#pragma unroll
        for (int j = 0; j < V; j++) words.w[j] = __float_as_uint(x[j]);
        words.put(p);
    }
}

__device__ __forceinline__ unsigned gpu_rounded(float x) {
    __nv_bfloat16_raw bits = __float2bfloat16_rn(x);
    return bits.x;
}

__device__ __forceinline__ unsigned gpu_rounded_pair(float low, float high) {
    __nv_bfloat162_raw bits = __floats2bfloat162_rn(low, high);
    return bits.x | unsigned(bits.y) << 16;
}

template <int V> __device__ __forceinline__ void gpu_store(gpu_half *p, const float (&x)[V]) {
    if constexpr (V == 1) {
        *(unsigned short *)p = (unsigned short)gpu_rounded(x[0]);
    } else {
        gpu_words<V / 2> words;
#pragma unroll
        for (int j = 0; j < V; j += 2) words.w[j / 2] = gpu_rounded_pair(x[j], x[j + 1]);
        words.put(p);
    }
}

/* Without rounding, NaN with its bits: for what was read as T, or 0. */
template <int V> __device__ __forceinline__ void gpu_store_exact(float *p, const float (&x)[V]) {
    gpu_store<V>(p, x);
}

template <int V> __device__ __forceinline__ void gpu_store_exact(gpu_half *p, const float (&x)[V]) {
    if constexpr (V == 1) {
        *(unsigned short *)p = (unsigned short)(__float_as_uint(x[0]) >> 16);
    } else {
        gpu_words<V / 2> words;
#pragma unroll
        for (int j = 0; j < V; j += 2) {
            unsigned low = __float_as_uint(x[j]) >> 16;
            words.w[j / 2] = low | (__float_as_uint(x[j + 1]) & 0xffff0000u);
        }
        words.put(p);
    }
}

/* ---- where a thread works */

__device__ __forceinline__ uint64_t gpu_thread(void) {
    return uint64_t(blockIdx.x) * blockDim.x + threadIdx.x;
}
__device__ __forceinline__ uint64_t gpu_threads(void) {
    return uint64_t(gridDim.x) * blockDim.x;
}

/* a / b and the rest; nearly always in 32 bits, which is several times as fast */
__device__ __forceinline__ uint64_t gpu_divide(uint64_t a, unsigned b, unsigned *rest) {
    if (a >> 32 == 0) {
        unsigned quotient = unsigned(a) / b;
        *rest = unsigned(a) - quotient * b;
        return quotient;
    }
    uint64_t quotient = a / b;
    *rest = unsigned(a - quotient * b);
    return quotient;
}

/* Flat vectors of n elements whose first one lies `shift` elements behind a 16-byte boundary: group
 * g holds the elements from g V - shift on. body(at, width) handles a whole group with width V,
 * those at the two ends element by element with width 1. */
template <int W> struct gpu_width { static constexpr int value = W; };
template <int V, class Body>
__device__ __forceinline__ void gpu_each_group(uint64_t n, int shift, Body body) {
    uint64_t ahead = uint64_t(shift), groups = (n + ahead + V - 1) / V;
    for (uint64_t g = gpu_thread(); g < groups; g += gpu_threads()) {
        uint64_t begin = g * V, end = begin + V;
        if (begin >= ahead && end <= n + ahead) {
            body(begin - ahead, gpu_width<V>());
        } else {
            begin = begin < ahead ? ahead : begin;
            end = end < n + ahead ? end : n + ahead;
            for (uint64_t i = begin; i < end; i++) body(i - ahead, gpu_width<1>());
        }
    }
}

/* ---- on the host */

/* Elements that a thread handles at a time. */
static inline int gpu_vector_width(bool bf16, bool wide) {
    return !wide ? 1 : bf16 ? 8 : 4;
}

static inline int gpu_grid(uint64_t items) {
    uint64_t blocks = (items + GPU_BLOCK - 1) / GPU_BLOCK;
    return int(blocks < GPU_GRID ? blocks : GPU_GRID);
}

static inline size_t gpu_behind(const void *p, size_t unit) {
    return size_t(reinterpret_cast<uintptr_t>(p) % unit);
}

/* How many bytes behind a 16-byte boundary all of these begin, or -1 when they differ; NULL among
 * the others fits any. */
template <class... P> static inline int gpu_common_shift(const void *first, P... others) {
    size_t shift = gpu_behind(first, 16);
    bool same = ((others == nullptr || gpu_behind(others, 16) == shift) && ...);
    return same ? int(shift) : -1;
}

/* The grid for n elements in vectors of `width` (16 bytes) that begin `bytes` behind a boundary, or
 * one by one where bytes < 0; and how many elements behind it they begin. */
static inline int gpu_group_grid(uint64_t n, int width, int bytes) {
    return gpu_grid(bytes < 0 ? n : n / uint64_t(width) + 2);
}
static inline int gpu_group_shift(int width, int bytes) {
    return bytes < 0 ? 0 : bytes * width / 16;
}

/* name<T, V> for activations of either type, for vectors of 16 bytes or single elements */
#define GPU_PICK(name, bf16, wide)                                                                 \
    ((bf16) ? ((wide) ? &name<gpu_half, 8> : &name<gpu_half, 1>)                                   \
            : ((wide) ? &name<float, 4> : &name<float, 1>))
#define GPU_KERNELS(name)                                                                          \
    KERNEL(name<float, 1>);                                                                        \
    KERNEL(name<float, 4>);                                                                        \
    KERNEL(name<gpu_half, 1>);                                                                     \
    KERNEL(name<gpu_half, 8>)

#endif
