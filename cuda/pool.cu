/* Pooling, maximum and average, with Caffe's ceil mode. A thread handles V channels of an output
 * pixel; backward, of an input pixel, which gathers from the windows that hold it: no two threads
 * write to one place, and the order of each sum is the CPU's. */
#include "operation.h"
#include "tiles.h"

constexpr int POOL_BLOCKS = 3; /* per multiprocessor: with 4, registers do not suffice */

struct pool_numbers {
    int h, w, oh, ow, r, s, stride_h, stride_w, pad_h, pad_w;
    bool max, count_pad;
};

/* The cells of one window that lie inside the image. */
struct pool_window {
    int y, y_end, x, x_end;
    int top, left; /* of the whole window: cell numbers count from here */
};

__device__ __forceinline__ pool_window window_at(const pool_numbers &s, int i, int j) {
    int top = i * s.stride_h - s.pad_h, left = j * s.stride_w - s.pad_w;
    pool_window v;
    v.y = max(top, 0);
    v.y_end = min(top + s.r, s.h);
    v.x = max(left, 0);
    v.x_end = min(left + s.s, s.w);
    v.top = top;
    v.left = left;
    return v;
}

/* What the average divides by. With ceil a window may reach beyond the padding, too. */
__device__ __forceinline__ float divisor(const pool_numbers &s, const pool_window &v) {
    int rows = v.y_end - v.y, columns = v.x_end - v.x;
    if (s.count_pad) {
        rows = min(s.r, s.h + s.pad_h - v.top);
        columns = min(s.s, s.w + s.pad_w - v.left);
    }
    return float(rows * columns);
}

/* Pixel `row` of all images of height x width: which image, and where in it. */
struct pixel {
    uint64_t image;
    int y, x;
};

__device__ __forceinline__ pixel pixel_at(uint64_t row, int height, int width) {
    unsigned y, x;
    uint64_t image = gpu_divide(gpu_divide(row, unsigned(width), &x), unsigned(height), &y);
    return {image, int(y), int(x)};
}

__device__ __forceinline__ uint64_t pixel_number(uint64_t image, int height, int width, int y,
                                                 int x) {
    return (image * unsigned(height) + unsigned(y)) * unsigned(width) + unsigned(x);
}

/* V numbers of cells, 16 bits each */
template <int V>
__device__ __forceinline__ void write_numbers(uint16_t *p, const unsigned (&x)[V]) {
    if constexpr (V == 1) {
        *p = uint16_t(x[0]);
    } else {
        gpu_words<V / 2> words;
#pragma unroll
        for (int j = 0; j < V; j += 2) words.w[j / 2] = x[j] | x[j + 1] << 16;
        words.put(p);
    }
}

template <int V> __device__ __forceinline__ void read_numbers(const uint16_t *p, unsigned (&x)[V]) {
    if constexpr (V == 1) {
        x[0] = *p;
    } else {
        gpu_words<V / 2> words;
        words.get(p);
#pragma unroll
        for (int j = 0; j < V; j += 2) {
            x[j] = words.w[j / 2] & 0xffff;
            x[j + 1] = words.w[j / 2] >> 16;
        }
    }
}

/* ---- forward */

/* The first of equal ones, and NaN above all. */
template <class T, int V>
__device__ __forceinline__ void max_window(const pool_numbers &s, const pool_window &v,
                                           const T *image, uint64_t step, float (&best)[V],
                                           unsigned (&from)[V]) {
    gpu_load<V>(image + uint64_t(v.y * s.w + v.x) * step, best);
#pragma unroll
    for (int j = 0; j < V; j++) from[j] = unsigned((v.y - v.top) * s.s + v.x - v.left);
    for (int y = v.y; y < v.y_end; y++) {
        for (int x = v.x; x < v.x_end; x++) {
            float cell[V];
            gpu_load<V>(image + uint64_t(y * s.w + x) * step, cell);
            unsigned number = unsigned((y - v.top) * s.s + x - v.left);
#pragma unroll
            for (int j = 0; j < V; j++) {
                bool above = cell[j] > best[j] || cell[j] != cell[j];
                best[j] = above ? cell[j] : best[j];
                from[j] = above ? number : from[j];
            }
        }
    }
}

template <class T, int V>
__device__ __forceinline__ void average_window(const pool_numbers &s, const pool_window &v,
                                               const T *image, uint64_t step, float (&sum)[V]) {
    for (int y = v.y; y < v.y_end; y++) {
        for (int x = v.x; x < v.x_end; x++) {
            float cell[V];
            gpu_load<V>(image + uint64_t(y * s.w + x) * step, cell);
#pragma unroll
            for (int j = 0; j < V; j++) sum[j] += cell[j];
        }
    }
    float count = divisor(s, v);
#pragma unroll
    for (int j = 0; j < V; j++) sum[j] = sum[j] / count;
}

template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK, POOL_BLOCKS)
    pool_kernel(gpu_tiles t, pool_numbers s, const void *x, uint16_t *saved, void *y) {
    gpu_tile_place p = gpu_tile_place_of(t);
    uint64_t channels = uint64_t(t.vectors) * V, first = uint64_t(p.vector) * V;
    for (; p.inside && p.row < p.end; p.row += p.step) {
        pixel o = pixel_at(p.row, s.oh, s.ow);
        pool_window v = window_at(s, o.y, o.x);
        const T *image = (const T *)x + pixel_number(o.image, s.h, s.w, 0, 0) * channels + first;
        uint64_t at = p.row * channels + first;
        float result[V] = {};
        if (s.max) {
            unsigned from[V];
            max_window<T, V>(s, v, image, channels, result, from);
            write_numbers<V>(saved + at, from);
        } else {
            average_window<T, V>(s, v, image, channels, result);
        }
        gpu_store<V>((T *)y + at, result);
    }
}
GPU_KERNELS(pool_kernel);

/* ---- backward */

/* Adds to sum what the window of output pixel (i, j) hands to its input pixel (y, x). */
template <class T, int V>
__device__ __forceinline__ void add_share(const pool_numbers &s, int i, int j, int y, int x,
                                          const T *dy, const uint16_t *saved, float (&sum)[V]) {
    pool_window v = window_at(s, i, j);
    float d[V];
    gpu_load<V>(dy, d);
    if (s.max) {
        unsigned from[V], number = unsigned((y - v.top) * s.s + x - v.left);
        read_numbers<V>(saved, from);
#pragma unroll
        for (int k = 0; k < V; k++) sum[k] += from[k] == number ? d[k] : 0.0f;
    } else {
        float count = divisor(s, v);
#pragma unroll
        for (int k = 0; k < V; k++) sum[k] += d[k] / count;
    }
}

/* The first output row whose window reaches down to input row y, and the one behind the last; or
 * columns. */
__device__ __forceinline__ int first_window(int y, int r, int stride, int pad) {
    int above = y + pad - r + 1;
    return above <= 0 ? 0 : (above + stride - 1) / stride;
}
__device__ __forceinline__ int windows_end(int y, int stride, int pad, int count) {
    return min(count, (y + pad) / stride + 1);
}

template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK, POOL_BLOCKS)
    pool_dx_kernel(gpu_tiles t, pool_numbers s, const void *dy, const uint16_t *saved, void *dx) {
    gpu_tile_place p = gpu_tile_place_of(t);
    uint64_t channels = uint64_t(t.vectors) * V, first = uint64_t(p.vector) * V;
    for (; p.inside && p.row < p.end; p.row += p.step) {
        pixel in = pixel_at(p.row, s.h, s.w);
        float sum[V] = {};
        int i_end = windows_end(in.y, s.stride_h, s.pad_h, s.oh);
        int j_end = windows_end(in.x, s.stride_w, s.pad_w, s.ow);
        int j_begin = first_window(in.x, s.s, s.stride_w, s.pad_w);
        for (int i = first_window(in.y, s.r, s.stride_h, s.pad_h); i < i_end; i++) {
            for (int j = j_begin; j < j_end; j++) {
                uint64_t at = pixel_number(in.image, s.oh, s.ow, i, j) * channels + first;
                add_share<T, V>(s, i, j, in.y, in.x, (const T *)dy + at,
                                s.max ? saved + at : nullptr, sum);
            }
        }
        gpu_store<V>((T *)dx + p.row * channels + first, sum);
    }
}
GPU_KERNELS(pool_dx_kernel);

/* ---- on the host */

static pool_numbers numbers_of(const gyre_pool_shape *s) {
    return {s->h,
            s->w,
            gyre_pool_rows(s),
            gyre_pool_columns(s),
            s->r,
            s->s,
            s->stride_h,
            s->stride_w,
            s->pad_h,
            s->pad_w,
            s->max,
            s->count_pad};
}

size_t gpu_pool_saved_size(gyre_backend *b, const gyre_pool_shape *s) {
    (void)b;
    if (!s->max) return 0;
    size_t cells = size_t(gyre_pool_rows(s)) * size_t(gyre_pool_columns(s));
    return size_t(s->n) * cells * size_t(s->c) * sizeof(uint16_t);
}

gyre_status gpu_pool(gyre_queue *q, const gyre_pool_shape *s, gyre_act x, gyre_raw saved,
                     gyre_act y) {
    if (!gyre_pool_possible(s)) return gpu_result(q, cudaErrorInvalidValue, __func__);
    pool_numbers numbers = numbers_of(s);
    uint64_t pixels = uint64_t(s->n) * uint64_t(numbers.oh) * uint64_t(numbers.ow);
    if (pixels == 0 || s->c == 0) return GYRE_OK;
    bool bf16 = gpu_bf16(q);
    bool wide = gpu_in_vectors(bf16, s->c, x, y) && (!s->max || gpu_behind(saved, 16) == 0);
    gpu_tiles t = gpu_map_tiles(pixels, unsigned(s->c), gpu_vector_width(bf16, wide));
    auto kernel = GPU_PICK(pool_kernel, bf16, wide);
    LAUNCH(kernel, gpu_tiles_grid(t), gpu_tiles_block(t), 0, gpu_stream(q), t, numbers, x,
           (uint16_t *)(void *)saved, y);
    return gpu_result(q, cudaGetLastError(), __func__);
}

/* Gathers: each input pixel adds the windows that hold it, in a fixed order. */
gyre_status gpu_pool_dx(gyre_queue *q, const gyre_pool_shape *s, gyre_act dy, gyre_raw saved,
                        gyre_act dx) {
    if (!gyre_pool_possible(s)) return gpu_result(q, cudaErrorInvalidValue, __func__);
    uint64_t pixels = uint64_t(s->n) * uint64_t(s->h) * uint64_t(s->w);
    if (pixels == 0 || s->c == 0) return GYRE_OK;
    bool bf16 = gpu_bf16(q);
    bool wide = gpu_in_vectors(bf16, s->c, dy, dx) && (!s->max || gpu_behind(saved, 16) == 0);
    gpu_tiles t = gpu_map_tiles(pixels, unsigned(s->c), gpu_vector_width(bf16, wide));
    auto kernel = GPU_PICK(pool_dx_kernel, bf16, wide);
    LAUNCH(kernel, gpu_tiles_grid(t), gpu_tiles_block(t), 0, gpu_stream(q), t, numbers_of(s), dy,
           (const uint16_t *)(void *)saved, dx);
    return gpu_result(q, cudaGetLastError(), __func__);
}
