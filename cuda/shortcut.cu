/* ResNet's option A shortcut: memory traffic and nothing else. */
#include "element.h"
#include "operation.h"

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

/* ---- on the host */

/* Units of `one` activations each, for a result of `pixels` pixels of `channels` activations. */
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
    int one = gpu_vector_width(bf16, true);
    return s->c % one == 0 && s->k % one == 0 && (s->k - s->c) / 2 % one == 0 &&
           gpu_common_shift(from, to) == 0;
}

template <class U>
static void launch_shortcut(cudaStream_t stream, bool backward, const shortcut_units &u,
                            const void *from, void *to) {
    auto kernel = backward ? &shortcut_dx_kernel<U> : &shortcut_kernel<U>;
    LAUNCH(kernel, gpu_grid(u.total), GPU_BLOCK, 0, stream, u, (const U *)from, (U *)to);
}

static gyre_status copy_shortcut(gyre_queue *q, bool backward, const gyre_shortcut_shape *s,
                                 const void *from, void *to) {
    cudaStream_t stream = gpu_stream(q);
    bool bf16 = gpu_bf16(q);
    bool wide = in_vectors(bf16, s, from, to);
    uint64_t oh = uint64_t(gyre_shortcut_out(s->h, s->stride));
    uint64_t ow = uint64_t(gyre_shortcut_out(s->w, s->stride));
    uint64_t pixels = backward ? uint64_t(s->h) * uint64_t(s->w) : oh * ow;
    shortcut_units u = units_of(s, gpu_vector_width(bf16, wide), pixels, backward ? s->c : s->k);
    if (u.total == 0) return GYRE_OK;
    if (wide)
        launch_shortcut<uint4>(stream, backward, u, from, to);
    else if (bf16)
        launch_shortcut<unsigned short>(stream, backward, u, from, to);
    else
        launch_shortcut<unsigned>(stream, backward, u, from, to);
    return gpu_result(q, cudaGetLastError(), backward ? "gpu_shortcut_dx" : "gpu_shortcut");
}

gyre_status gpu_shortcut(gyre_queue *q, const gyre_shortcut_shape *s, gyre_act x, gyre_act y) {
    return copy_shortcut(q, false, s, x, y);
}

gyre_status gpu_shortcut_dx(gyre_queue *q, const gyre_shortcut_shape *s, gyre_act dy, gyre_act dx) {
    return copy_shortcut(q, true, s, dy, dx);
}
