/* Local response normalisation within a channel. A thread handles V channels of a pixel and reads
 * its window from the cache; window sums go down the columns first and then along, as on the CPU.
 */
#include "gyre/size.h"
#include "lrn.h"
#include "operation.h"
#include "tiles.h"

struct lrn_numbers {
    int h, w, reach; /* window size: 2 reach + 1 */
    float factor;    /* alpha / size^2 */
    float beta;
    bool relu;
};

/* The window of a pixel, cut to its image. */
struct lrn_window {
    uint64_t image; /* its first pixel */
    int y, y_end, x, x_end;
};

__device__ __forceinline__ lrn_window window_of(const lrn_numbers &s, uint64_t row) {
    unsigned y, x;
    uint64_t image = gpu_divide(gpu_divide(row, unsigned(s.w), &x), unsigned(s.h), &y);
    return {image * unsigned(s.h) * unsigned(s.w), max(int(y) - s.reach, 0),
            min(int(y) + s.reach + 1, s.h), max(int(x) - s.reach, 0),
            min(int(x) + s.reach + 1, s.w)};
}

/* Sum over the window of what cell(pixel, out) gives for each pixel. */
template <int V, class Cell>
__device__ __forceinline__ void sum_window(const lrn_numbers &s, const lrn_window &v, Cell cell,
                                           float (&sum)[V]) {
#pragma unroll
    for (int j = 0; j < V; j++) sum[j] = 0.0f;
    for (int x = v.x; x < v.x_end; x++) {
        float column[V], next[V];
        cell(v.image + unsigned(v.y * s.w + x), column);
        for (int y = v.y + 1; y < v.y_end; y++) {
            cell(v.image + unsigned(y * s.w + x), next);
#pragma unroll
            for (int j = 0; j < V; j++) column[j] += next[j];
        }
#pragma unroll
        for (int j = 0; j < V; j++) sum[j] += column[j];
    }
}

__device__ __forceinline__ float rectified(bool relu, float x) {
    return relu && x < 0.0f ? 0.0f : x; /* NaN stays */
}

/* s and s^-beta of the lrn_window v. */
template <class T, int V>
__device__ __forceinline__ void scales_of(const lrn_numbers &f, const lrn_window &v, const T *x,
                                          uint64_t channels, float (&s)[V], float (&power)[V]) {
    sum_window<V>(
        f, v,
        [=](uint64_t pixel, float(&out)[V]) {
            gpu_load<V>(x + pixel * channels, out);
#pragma unroll
            for (int j = 0; j < V; j++) {
                float value = rectified(f.relu, out[j]);
                out[j] = value * value;
            }
        },
        s);
#pragma unroll
    for (int j = 0; j < V; j++) {
        s[j] = 1.0f + f.factor * s[j];
        power[j] = gpu_lrn_power(s[j], f.beta);
    }
}

template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK, GPU_MAP_BLOCKS)
    lrn_kernel(gpu_tiles t, lrn_numbers f, const void *x_, void *y) {
    gpu_tile_place p = gpu_tile_place_of(t);
    uint64_t channels = uint64_t(t.vectors) * V, first = uint64_t(p.vector) * V;
    const T *x = (const T *)x_ + first;
    for (; p.inside && p.row < p.end; p.row += p.step) {
        float v[V], s[V], power[V];
        scales_of<T, V>(f, window_of(f, p.row), x, channels, s, power);
        gpu_load<V>(x + p.row * channels, v);
#pragma unroll
        for (int j = 0; j < V; j++) v[j] = rectified(f.relu, v[j]) * power[j];
        gpu_store<V>((T *)y + p.row * channels + first, v);
    }
}
GPU_KERNELS(lrn_kernel);

/* What each pixel hands to its window's cells: dy x s^(-beta - 1), which is d loss / d s up to a
 * constant factor. */
template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK, GPU_MAP_BLOCKS)
    lrn_shares_kernel(gpu_tiles t, lrn_numbers f, const void *x_, const void *dy, float *shares) {
    gpu_tile_place p = gpu_tile_place_of(t);
    uint64_t channels = uint64_t(t.vectors) * V, first = uint64_t(p.vector) * V;
    const T *x = (const T *)x_ + first;
    for (; p.inside && p.row < p.end; p.row += p.step) {
        float v[V], d[V], s[V], power[V];
        scales_of<T, V>(f, window_of(f, p.row), x, channels, s, power);
        gpu_load<V>(x + p.row * channels, v);
        gpu_load<V>((const T *)dy + p.row * channels + first, d);
#pragma unroll
        for (int j = 0; j < V; j++) d[j] = d[j] * rectified(f.relu, v[j]) * power[j] / s[j];
#pragma unroll
        for (int j = 0; j < V; j++) shares[p.row * channels + first + unsigned(j)] = d[j];
    }
}
GPU_KERNELS(lrn_shares_kernel);

/* dx = dy s^-beta - 2 beta factor x (sum of the shares of the windows that hold the pixel). s is
 * computed anew: to keep its power would take as much traffic as the window, from further away. */
template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK, GPU_MAP_BLOCKS)
    lrn_dx_kernel(gpu_tiles t, lrn_numbers f, const void *x_, const void *dy, const float *shares,
                  void *dx) {
    gpu_tile_place p = gpu_tile_place_of(t);
    uint64_t channels = uint64_t(t.vectors) * V, first = uint64_t(p.vector) * V;
    const T *x = (const T *)x_ + first;
    float factor = 2.0f * f.beta * f.factor;
    for (; p.inside && p.row < p.end; p.row += p.step) {
        lrn_window around = window_of(f, p.row);
        float v[V], d[V], s[V], power[V];
        scales_of<T, V>(f, around, x, channels, s, power);
        sum_window<V>(
            f, around,
            [=](uint64_t pixel, float(&out)[V]) {
                gpu_load_each<V>(shares + pixel * channels + first, out);
            },
            s);
        gpu_load<V>(x + p.row * channels, v);
        gpu_load<V>((const T *)dy + p.row * channels + first, d);
#pragma unroll
        for (int j = 0; j < V; j++) {
            float value = d[j] * power[j] - factor * v[j] * s[j];
            d[j] = f.relu && v[j] <= 0.0f ? 0.0f : value;
        }
        gpu_store<V>((T *)dx + p.row * channels + first, d);
    }
}
GPU_KERNELS(lrn_dx_kernel);

/* ---- on the host */

static lrn_numbers numbers_of(const gyre_lrn_shape *s) {
    return {s->h, s->w, s->size / 2, s->alpha / float(s->size * s->size), s->beta, s->relu};
}

static bool supported(const gyre_lrn_shape *s) {
    return s->size >= 1 && s->size % 2 == 1;
}

gyre_status gpu_lrn(gyre_queue *q, const gyre_lrn_shape *s, gyre_act x, gyre_act y) {
    if (!supported(s)) return gpu_result(q, cudaErrorInvalidValue, __func__);
    uint64_t pixels = uint64_t(s->n) * uint64_t(s->h) * uint64_t(s->w);
    if (pixels == 0 || s->c == 0) return GYRE_OK;
    bool bf16 = gpu_bf16(q), wide = gpu_in_vectors(bf16, s->c, x, y);
    gpu_tiles t = gpu_map_tiles(pixels, unsigned(s->c), gpu_vector_width(bf16, wide));
    auto kernel = GPU_PICK(lrn_kernel, bf16, wide);
    LAUNCH(kernel, gpu_tiles_grid(t), gpu_tiles_block(t), 0, gpu_stream(q), t, numbers_of(s), x, y);
    return gpu_result(q, cudaGetLastError(), __func__);
}

/* The shares that neighbours read, and where dx takes dy's place a copy of dy, which they read too.
 */
static gyre_status take_work(gyre_queue *q, size_t n, gyre_act dx, gyre_act *dy, float **shares) {
    size_t bytes = n * sizeof(float), behind = gyre_size_align(bytes, 256);
    size_t copy = n * q->backend->act_size;
    void *work;
    GYRE_TRY(gpu_work(q, dx == *dy ? behind + copy : bytes, &work));
    *shares = (float *)work;
    if (dx != *dy) return GYRE_OK;
    gyre_act aside = (gyre_act)(void *)((char *)work + behind);
    GYRE_TRY(gpu_copy(q, aside, *dy, copy));
    *dy = aside;
    return GYRE_OK;
}

gyre_status gpu_lrn_dx(gyre_queue *q, const gyre_lrn_shape *s, gyre_act x, gyre_act dy,
                       gyre_act dx) {
    if (!supported(s)) return gpu_result(q, cudaErrorInvalidValue, __func__);
    uint64_t pixels = uint64_t(s->n) * uint64_t(s->h) * uint64_t(s->w);
    if (pixels == 0 || s->c == 0) return GYRE_OK;
    float *work;
    GYRE_TRY(take_work(q, size_t(pixels) * size_t(s->c), dx, &dy, &work));
    bool bf16 = gpu_bf16(q), wide = gpu_in_vectors(bf16, s->c, x, dy, dx);
    gpu_tiles t = gpu_map_tiles(pixels, unsigned(s->c), gpu_vector_width(bf16, wide));
    auto shares = GPU_PICK(lrn_shares_kernel, bf16, wide);
    LAUNCH(shares, gpu_tiles_grid(t), gpu_tiles_block(t), 0, gpu_stream(q), t, numbers_of(s), x, dy,
           work);
    GYRE_TRY(gpu_result(q, cudaGetLastError(), __func__));
    auto kernel = GPU_PICK(lrn_dx_kernel, bf16, wide);
    LAUNCH(kernel, gpu_tiles_grid(t), gpu_tiles_block(t), 0, gpu_stream(q), t, numbers_of(s), x, dy,
           (const float *)work, dx);
    return gpu_result(q, cudaGetLastError(), __func__);
}
