/* Elementwise maps and shortcuts: memory traffic and nothing else. */
#include "element.h"

/* Results may take an operand's place: a group is read before it is written. */
template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK)
    relu_kernel(uint64_t n, int shift, const void *x, void *y) {
    gpu_each_group<V>(n, shift, [=](uint64_t at, auto width) {
        constexpr int W = decltype(width)::value;
        float v[W];
        gpu_read<W>((const T *)x + at, v);
#pragma unroll
        for (int j = 0; j < W; j++) v[j] = v[j] < 0.0f ? 0.0f : v[j]; /* NaN stays */
        gpu_write_exact<W>((T *)y + at, v);
    });
}
GPU_KERNELS(relu_kernel);

template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK)
    relu_dx_kernel(uint64_t n, int shift, const void *y, const void *dy, void *dx) {
    gpu_each_group<V>(n, shift, [=](uint64_t at, auto width) {
        constexpr int W = decltype(width)::value;
        float v[W], d[W];
        gpu_read<W>((const T *)y + at, v);
        gpu_read<W>((const T *)dy + at, d);
#pragma unroll
        for (int j = 0; j < W; j++) d[j] = v[j] <= 0.0f ? 0.0f : d[j]; /* stays where y is NaN */
        gpu_write_exact<W>((T *)dx + at, d);
    });
}
GPU_KERNELS(relu_dx_kernel);

template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK)
    accumulate_kernel(uint64_t n, int shift, const void *x, void *y) {
    gpu_each_group<V>(n, shift, [=](uint64_t at, auto width) {
        constexpr int W = decltype(width)::value;
        float v[W], sum[W];
        gpu_read<W>((const T *)x + at, v);
        gpu_read<W>((const T *)y + at, sum);
#pragma unroll
        for (int j = 0; j < W; j++) sum[j] += v[j];
        gpu_write<W>((T *)y + at, sum);
    });
}
GPU_KERNELS(accumulate_kernel);

template <int V>
__global__ void __launch_bounds__(GPU_BLOCK) round_kernel(uint64_t n, const float *x, void *y) {
    gpu_each_group<V>(n, 0, [=](uint64_t at, auto width) {
        constexpr int W = decltype(width)::value;
        float v[W];
        gpu_read<W>(x + at, v);
        gpu_write<W>((gpu_half *)y + at, v);
    });
}
KERNEL(round_kernel<1>);
KERNEL(round_kernel<4>);

/* A shortcut only copies: U is a unit of 16, 4 or 2 bytes that divides c, k and the zeros in front,
 * all of them in such units. */
struct shortcut_units {
    unsigned h, w, c, k, stride, oh, ow, front;
    uint64_t total; /* units of the result */
};

template <class U> __device__ __forceinline__ U zero_of(void) {
    return U();
}

template <class U>
__global__ void __launch_bounds__(GPU_BLOCK) shortcut_kernel(shortcut_units s, const U *x, U *y) {
    for (uint64_t i = gpu_thread(); i < s.total; i += gpu_threads()) {
        unsigned c, column, row;
        uint64_t image = gpu_divide(gpu_divide(gpu_divide(i, s.k, &c), s.ow, &column), s.oh, &row);
        uint64_t from = (image * s.h + row * s.stride) * s.w + column * s.stride;
        bool inside = c >= s.front && c - s.front < s.c;
        y[i] = inside ? x[from * s.c + (c - s.front)] : zero_of<U>();
    }
}
KERNEL(shortcut_kernel<uint4>);
KERNEL(shortcut_kernel<unsigned>);
KERNEL(shortcut_kernel<unsigned short>);

template <class U>
__global__ void __launch_bounds__(GPU_BLOCK)
    shortcut_dx_kernel(shortcut_units s, const U *dy, U *dx) {
    for (uint64_t i = gpu_thread(); i < s.total; i += gpu_threads()) {
        unsigned c, column, row;
        uint64_t image = gpu_divide(gpu_divide(gpu_divide(i, s.c, &c), s.w, &column), s.h, &row);
        bool taken = row % s.stride == 0 && column % s.stride == 0;
        uint64_t from = (image * s.oh + row / s.stride) * s.ow + column / s.stride;
        dx[i] = taken ? dy[from * s.k + s.front + c] : zero_of<U>();
    }
}
KERNEL(shortcut_dx_kernel<uint4>);
KERNEL(shortcut_dx_kernel<unsigned>);
KERNEL(shortcut_dx_kernel<unsigned short>);

/* ---- launchers */

static inline int width_of(bool bf16) {
    return bf16 ? 8 : 4;
}

cudaError_t gpu_relu_launch(cudaStream_t stream, bool bf16, size_t n, const void *x, void *y) {
    if (n == 0) return cudaSuccess;
    int bytes = gpu_common_shift(x, y);
    auto kernel = GPU_PICK(relu_kernel, bf16, bytes >= 0);
    LAUNCH(kernel, gpu_group_grid(n, width_of(bf16), bytes), GPU_BLOCK, 0, stream, n,
           gpu_group_shift(width_of(bf16), bytes), x, y);
    return cudaGetLastError();
}

cudaError_t gpu_relu_dx_launch(cudaStream_t stream, bool bf16, size_t n, const void *y,
                               const void *dy, void *dx) {
    if (n == 0) return cudaSuccess;
    int bytes = gpu_common_shift(y, dy, dx);
    auto kernel = GPU_PICK(relu_dx_kernel, bf16, bytes >= 0);
    LAUNCH(kernel, gpu_group_grid(n, width_of(bf16), bytes), GPU_BLOCK, 0, stream, n,
           gpu_group_shift(width_of(bf16), bytes), y, dy, dx);
    return cudaGetLastError();
}

cudaError_t gpu_accumulate_launch(cudaStream_t stream, bool bf16, size_t n, const void *x,
                                  void *y) {
    if (n == 0) return cudaSuccess;
    int bytes = gpu_common_shift(x, y);
    auto kernel = GPU_PICK(accumulate_kernel, bf16, bytes >= 0);
    LAUNCH(kernel, gpu_group_grid(n, width_of(bf16), bytes), GPU_BLOCK, 0, stream, n,
           gpu_group_shift(width_of(bf16), bytes), x, y);
    return cudaGetLastError();
}

cudaError_t gpu_round_launch(cudaStream_t stream, size_t n, const float *x, void *y) {
    if (n == 0) return cudaSuccess;
    bool wide = gpu_behind(x, 16) == 0 && gpu_behind(y, 8) == 0;
    auto kernel = wide ? &round_kernel<4> : &round_kernel<1>;
    LAUNCH(kernel, gpu_grid(wide ? n / 4 + 1 : n), GPU_BLOCK, 0, stream, n, x, y);
    return cudaGetLastError();
}

/* Of `one` activations to a unit, for a result of `pixels` pixels of `channels` activations. */
static shortcut_units units_of(const gyre_shortcut_shape *s, int one, uint64_t pixels,
                               int channels) {
    shortcut_units u = {};
    u.h = unsigned(s->h);
    u.w = unsigned(s->w);
    u.c = unsigned(s->c / one);
    u.k = unsigned(s->k / one);
    u.stride = unsigned(s->stride);
    u.oh = unsigned(gyre_shortcut_out(s->h, s->stride));
    u.ow = unsigned(gyre_shortcut_out(s->w, s->stride));
    u.front = unsigned((s->k - s->c) / 2 / one);
    u.total = uint64_t(s->n) * pixels * unsigned(channels / one);
    return u;
}

/* Whole vectors, when everything is a multiple of them. */
static bool in_vectors(bool bf16, const gyre_shortcut_shape *s, const void *from, const void *to) {
    int one = width_of(bf16);
    return s->c % one == 0 && s->k % one == 0 && (s->k - s->c) / 2 % one == 0 &&
           gpu_common_shift(from, to) == 0;
}

template <class U>
static void launch_shortcut(cudaStream_t stream, bool backward, const shortcut_units &u,
                            const void *from, void *to) {
    auto kernel = backward ? &shortcut_dx_kernel<U> : &shortcut_kernel<U>;
    LAUNCH(kernel, gpu_grid(u.total), GPU_BLOCK, 0, stream, u, (const U *)from, (U *)to);
}

static cudaError_t copy_shortcut(cudaStream_t stream, bool bf16, bool backward,
                                 const gyre_shortcut_shape *s, const void *from, void *to) {
    bool wide = in_vectors(bf16, s, from, to);
    uint64_t oh = uint64_t(gyre_shortcut_out(s->h, s->stride));
    uint64_t ow = uint64_t(gyre_shortcut_out(s->w, s->stride));
    uint64_t pixels = backward ? uint64_t(s->h) * uint64_t(s->w) : oh * ow;
    shortcut_units u = units_of(s, wide ? width_of(bf16) : 1, pixels, backward ? s->c : s->k);
    if (u.total == 0) return cudaSuccess;
    if (wide)
        launch_shortcut<uint4>(stream, backward, u, from, to);
    else if (bf16)
        launch_shortcut<unsigned short>(stream, backward, u, from, to);
    else
        launch_shortcut<unsigned>(stream, backward, u, from, to);
    return cudaGetLastError();
}

cudaError_t gpu_shortcut_launch(cudaStream_t stream, bool bf16, const gyre_shortcut_shape *s,
                                const void *x, void *y) {
    return copy_shortcut(stream, bf16, false, s, x, y);
}

cudaError_t gpu_shortcut_dx_launch(cudaStream_t stream, bool bf16, const gyre_shortcut_shape *s,
                                   const void *dy, void *dx) {
    return copy_shortcut(stream, bf16, true, s, dy, dx);
}
