/* Group norm: sums by sample and channel in tiles, so that reading does not depend on the width of
 * a group; then a warp adds the channels of each group. The parts that a sample is cut into follow
 * from its own size, so that the bits of a sample do not depend on how many there are. */
#include "norm.h"
#include "operation.h"

/* Parts of a sample, at most; times channels they fit into 32 bits. */
constexpr unsigned SUM_PARTS = 32, MAP_PARTS = 256;
constexpr int MANY_CHANNELS = 1 << 26;

struct group_sizes {
    uint64_t sample; /* elements */
    unsigned samples, channels;
    unsigned groups, width; /* of a sample; channels of each */
    unsigned sums, maps;    /* parts of a sample: of sums, of loops that write */
    float count, eps;       /* elements of a group */
};

/* The group of a channel in the sample whose part this block has, a sample being cut into `parts`.
 */
__device__ __forceinline__ uint64_t group_of(const group_sizes &s, unsigned parts,
                                             unsigned channel) {
    return uint64_t(blockIdx.x / parts) * s.groups + channel / s.width;
}

/* A group's first element. */
template <class T>
__device__ __forceinline__ float first_of(const group_sizes &s, const void *x, uint64_t group) {
    unsigned g;
    uint64_t sample = gpu_divide(group, s.groups, &g);
    float first[1];
    gpu_load<1>((const T *)x + sample * s.sample + uint64_t(g) * s.width, first);
    return first[0];
}

/* The sum of term(at, channel) over a group's sums in work(2, parts of all samples, channels), by a
 * warp; all lanes get it. `which` of the two sums are meant. */
template <class Term>
__device__ __forceinline__ gpu_two sum_group(const group_sizes &s, int which, uint64_t group,
                                             Term term) {
    unsigned g;
    uint64_t sample = gpu_divide(group, s.groups, &g);
    uint64_t begin = (uint64_t(which) * s.samples + sample) * s.sums;
    gpu_two sum = {0, 0};
    for (unsigned i = threadIdx.x % 32; i < s.sums * s.width; i += 32) {
        uint64_t part = begin + i / s.width;
        unsigned channel = g * s.width + i % s.width;
        sum = gpu_plus(sum, term(part * s.channels + channel, channel));
    }
    return gpu_warp_sum(sum);
}

/* body(group, lane 0 or not) for each group of this warp. */
template <class Body> __device__ __forceinline__ void each_group(const group_sizes &s, Body body) {
    uint64_t all = uint64_t(s.samples) * s.groups;
    for (uint64_t group = gpu_thread() / 32; group < all; group += gpu_threads() / 32) {
        body(group, threadIdx.x % 32 == 0);
    }
}

/* ---- forward */

/* Sums about each group's mean, or about its first element where `mean` is NULL. */
template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK, GPU_SUM_BLOCKS)
    group_moments_kernel(gpu_tiles t, group_sizes s, const void *x, const float *mean,
                         float *work) {
    float shift[V] = {};
    gpu_tile_place p = gpu_tile_place_of(t);
#pragma unroll
    for (int j = 0; p.inside && j < V; j++) {
        uint64_t group = group_of(s, s.sums, p.vector * V + unsigned(j));
        shift[j] = mean != nullptr ? mean[group] : first_of<T>(s, x, group);
    }
    norm_sum_moments<T, V>(t, x, shift, work, t.parts);
}
GPU_KERNELS(group_moments_kernel);

/* The mean is that of the distances from the first element, the variance that of those from the
 * rounded mean, as on the CPU: neither cancels when the mean is large. */
template <class T>
__global__ void __launch_bounds__(GPU_BLOCK)
    group_mean_kernel(group_sizes s, const void *x, const float *work, float *mean) {
    each_group(s, [=](uint64_t group, bool leads) {
        gpu_two sum = sum_group(s, 0, group, [=](uint64_t at, unsigned) { return work[at]; });
        float first = first_of<T>(s, x, group);
        if (leads) mean[group] = gpu_value(gpu_plus(gpu_over(sum, s.count), first));
    });
}
KERNEL(group_mean_kernel<float>);
KERNEL(group_mean_kernel<gpu_half>);

__global__ void __launch_bounds__(GPU_BLOCK)
    group_inverse_kernel(group_sizes s, const float *work, float *inverse) {
    each_group(s, [=](uint64_t group, bool leads) {
        auto term = [=](uint64_t at, unsigned) { return work[at]; };
        gpu_two square = gpu_square(gpu_over(sum_group(s, 0, group, term), s.count));
        gpu_two mean = gpu_over(sum_group(s, 1, group, term), s.count);
        float variance = gpu_value(gpu_plus(mean, {-square.high, -square.low}));
        if (variance < 0.0f) variance = 0.0f;
        if (leads) inverse[group] = norm_inverse(variance, s.eps);
    });
}
KERNEL(group_inverse_kernel);

/* What a norm is for each group, and its factor and bias for each channel. */
struct group_norm_numbers {
    const float *mean, *inverse, *gamma, *beta;
};

/* y = (x - mean) * a + b for the channels of this thread; a sample is cut into `parts`. */
template <int V>
__device__ __forceinline__ void affine_of(const group_sizes &s, unsigned parts, unsigned vector,
                                          const group_norm_numbers &n, float (&mean)[V],
                                          float (&a)[V], float (&b)[V]) {
    gpu_load_each<V>(n.gamma + uint64_t(vector) * V, a);
    gpu_load_each<V>(n.beta + uint64_t(vector) * V, b);
#pragma unroll
    for (int j = 0; j < V; j++) {
        uint64_t group = group_of(s, parts, vector * V + unsigned(j));
        mean[j] = n.mean[group];
        a[j] *= n.inverse[group];
    }
}

template <class T, int V, class Act>
__device__ __forceinline__ void apply_groups(const gpu_tiles &t, const group_sizes &s,
                                             const group_norm_numbers &n, Act act, const void *x,
                                             void *y) {
    gpu_tile_place p = gpu_tile_place_of(t);
    if (!p.inside) return;
    float mean[V], a[V], b[V];
    affine_of<V>(s, s.maps, p.vector, n, mean, a, b);
    norm_apply<T, V>(t, p, mean, a, b, act, x, nullptr, y);
}

template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK, GPU_MAP_BLOCKS)
    group_apply_kernel(gpu_tiles t, group_sizes s, const void *x, group_norm_numbers n, void *y) {
    apply_groups<T, V>(
        t, s, n, [](float v) { return v; }, x, y);
}
GPU_KERNELS(group_apply_kernel);

template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK, GPU_MAP_BLOCKS)
    group_silu_kernel(gpu_tiles t, group_sizes s, const void *x, group_norm_numbers n, void *y) {
    apply_groups<T, V>(
        t, s, n, [](float v) { return gyre_silu(0.0f, v); }, x, y);
}
GPU_KERNELS(group_silu_kernel);

/* ---- backward */

/* Sums of dy and dy * (x - mean). */
template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK, GPU_SUM_BLOCKS)
    group_gradients_kernel(gpu_tiles t, group_sizes s, norm_backward f, const float *means,
                           float *work) {
    float mean[V] = {};
    gpu_tile_place p = gpu_tile_place_of(t);
#pragma unroll
    for (int j = 0; p.inside && j < V; j++) {
        mean[j] = means[group_of(s, s.sums, p.vector * V + unsigned(j))];
    }
    norm_sum_gradients<T, V>(t, f, mean, work, t.parts);
}
GPU_KERNELS(group_gradients_kernel);

/* The same behind SiLU: du is the gradient of what it reads. */
template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK, GPU_SUM_BLOCKS)
    group_silu_gradients_kernel(gpu_tiles t, group_sizes s, norm_backward f, group_norm_numbers n,
                                void *du, float *work) {
    float mean[V] = {}, a[V] = {}, b[V] = {};
    gpu_tile_place p = gpu_tile_place_of(t);
    if (p.inside) affine_of<V>(s, s.sums, p.vector, n, mean, a, b);
    norm_sum_silu_gradients<T, V>(t, f, mean, a, b, du, work, t.parts);
}
GPU_KERNELS(group_silu_gradients_kernel);

/* With dy' = dy * gamma and x' = (x - mean) * inverse:
 *     dx = (dy' - (mean of dy' + x' * mean of dy' x')) * inverse = k dy + (m (x - mean) + b)
 * slopes(2, groups of all samples): m, b. The sums of dy (x - mean) become those of dy x', which
 * are parts of dgamma. */
__global__ void __launch_bounds__(GPU_BLOCK)
    group_slopes_kernel(group_sizes s, const float *gamma, const float *inverse, float *work,
                        float *slopes) {
    each_group(s, [=](uint64_t group, bool leads) {
        float scale = inverse[group];
        gpu_two first = sum_group(s, 0, group, [=](uint64_t at, unsigned channel) {
            return gpu_two_product(work[at], gamma[channel]);
        });
        gpu_two second = sum_group(s, 1, group, [=](uint64_t at, unsigned channel) {
            work[at] *= scale;
            return gpu_two_product(work[at], gamma[channel]);
        });
        if (!leads) return;
        slopes[group] = -scale * scale * gpu_value(gpu_over(second, s.count));
        slopes[uint64_t(s.samples) * s.groups + group] =
            -scale * gpu_value(gpu_over(first, s.count));
    });
}
KERNEL(group_slopes_kernel);

/* dx may be dy, whose sums were taken before. One block less per multiprocessor than other maps
 * leaves registers for four numbers of each of 8 channels, and the way to them. */
template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK, GPU_MAP_BLOCKS - 1)
    group_dx_kernel(gpu_tiles t, group_sizes s, norm_backward f, const float *means,
                    const float *inverse, const float *gamma, const float *slopes, void *dx) {
    gpu_tile_place p = gpu_tile_place_of(t);
    if (!p.inside) return;
    float mean[V], k[V], m[V], b[V];
    gpu_load_each<V>(gamma + uint64_t(p.vector) * V, k);
#pragma unroll
    for (int j = 0; j < V; j++) {
        uint64_t group = group_of(s, s.maps, p.vector * V + unsigned(j));
        mean[j] = means[group];
        k[j] *= inverse[group];
        m[j] = slopes[group];
        b[j] = slopes[uint64_t(s.samples) * s.groups + group];
    }
    norm_apply_gradient<T, V>(t, p, f, mean, k, m, b, dx, nullptr);
}
GPU_KERNELS(group_dx_kernel);

/* ---- on the host */

static uint64_t elements_of(const gyre_group_norm_shape *s) {
    return uint64_t(s->n) * uint64_t(s->h) * uint64_t(s->w) * uint64_t(s->c);
}

/* Tiles of all samples, each of which is cut alike: part i of a sample begins where it does in any
 * other. */
static gpu_tiles tiles_of(const gyre_group_norm_shape *s, int v, unsigned rows_each,
                          unsigned parts) {
    uint64_t pixels = uint64_t(s->h) * uint64_t(s->w);
    gpu_tiles t = gpu_tiles_of(pixels, unsigned(s->c), v, rows_each, parts);
    t.rows = pixels * uint64_t(s->n);
    t.parts *= unsigned(s->n);
    return t;
}

/* What both operations launch: tiles for sums and for loops that write. */
struct group_plan {
    gpu_tiles sums, maps;
    group_sizes sizes;
    bool wide;
};

static group_plan plan_of(const gyre_group_norm_shape *s, bool bf16, bool wide) {
    int v = gpu_vector_width(bf16, wide);
    group_plan p = {};
    p.wide = wide;
    p.sums = tiles_of(s, v, 8, s->c > MANY_CHANNELS ? 1 : SUM_PARTS);
    p.maps = tiles_of(s, v, 4, MAP_PARTS);
    p.sizes.samples = unsigned(s->n);
    p.sizes.channels = unsigned(s->c);
    p.sizes.groups = unsigned(s->groups);
    p.sizes.width = unsigned(s->c / s->groups);
    p.sizes.sample = elements_of(s) / p.sizes.samples;
    p.sizes.sums = p.sums.parts / p.sizes.samples;
    p.sizes.maps = p.maps.parts / p.sizes.samples;
    p.sizes.count = float(p.sizes.sample / p.sizes.groups);
    p.sizes.eps = s->eps;
    return p;
}

/* Device memory: two sums for each part and channel, and behind them two numbers for each group. */
static gyre_status open_work(gyre_queue *q, const group_plan &p, float **sums, float **numbers) {
    size_t floats = 2 * size_t(p.sums.parts) * p.sizes.channels;
    size_t groups = size_t(p.sizes.samples) * p.sizes.groups;
    void *work;
    GYRE_TRY(gpu_work(q, (floats + 2 * groups) * sizeof(float), &work));
    *sums = (float *)work;
    *numbers = *sums + floats;
    return GYRE_OK;
}

static int group_grid(const group_sizes &s) {
    return gpu_grid(uint64_t(s.samples) * s.groups * 32);
}

gyre_status gpu_group_norm(gyre_queue *q, const gyre_group_norm_shape *s, gyre_act x,
                           gyre_f32 gamma, gyre_f32 beta, gyre_f32 saved, gyre_act y) {
    if (elements_of(s) == 0) return GYRE_OK;
    bool bf16 = gpu_bf16(q);
    group_plan p = plan_of(s, bf16, gpu_in_vectors(bf16, s->c, x, y));
    float *sums, *mean;
    GYRE_TRY(open_work(q, p, &sums, &mean));
    if (saved != nullptr) mean = gpu_floats(saved);
    float *inverse = mean + size_t(s->n) * p.sizes.groups;
    auto moments = GPU_PICK(group_moments_kernel, bf16, p.wide);
    auto find_mean = bf16 ? &group_mean_kernel<gpu_half> : &group_mean_kernel<float>;
    LAUNCH(moments, gpu_tiles_grid(p.sums), gpu_tiles_block(p.sums), 0, gpu_stream(q), p.sums,
           p.sizes, x, (const float *)nullptr, sums);
    LAUNCH(find_mean, group_grid(p.sizes), GPU_BLOCK, 0, gpu_stream(q), p.sizes, x,
           (const float *)sums, mean);
    LAUNCH(moments, gpu_tiles_grid(p.sums), gpu_tiles_block(p.sums), 0, gpu_stream(q), p.sums,
           p.sizes, x, (const float *)mean, sums);
    LAUNCH(group_inverse_kernel, group_grid(p.sizes), GPU_BLOCK, 0, gpu_stream(q), p.sizes,
           (const float *)sums, inverse);
    GYRE_TRY(gpu_result(q, cudaGetLastError(), __func__));
    auto apply = s->silu ? GPU_PICK(group_silu_kernel, bf16, p.wide)
                         : GPU_PICK(group_apply_kernel, bf16, p.wide);
    const group_norm_numbers n = {mean, inverse, gpu_floats(gamma), gpu_floats(beta)};
    LAUNCH(apply, gpu_tiles_grid(p.maps), gpu_tiles_block(p.maps), 0, gpu_stream(q), p.maps,
           p.sizes, x, n, y);
    return gpu_result(q, cudaGetLastError(), __func__);
}

gyre_status gpu_group_norm_dx(gyre_queue *q, const gyre_group_norm_shape *s, gyre_act x,
                              gyre_act dy, gyre_f32 gamma, gyre_f32 beta, gyre_f32 saved,
                              gyre_act dx, gyre_f32 dgamma, gyre_f32 dbeta) {
    if (elements_of(s) == 0) return GYRE_OK;
    bool bf16 = gpu_bf16(q);
    group_plan p = plan_of(s, bf16, gpu_in_vectors(bf16, s->c, x, dy, dx));
    float *sums, *slopes;
    GYRE_TRY(open_work(q, p, &sums, &slopes));
    const float *mean = gpu_floats(saved), *inverse = mean + size_t(s->n) * p.sizes.groups;
    norm_backward f = {x, nullptr, dy, false};
    if (s->silu) {
        const group_norm_numbers n = {mean, inverse, gpu_floats(gamma), gpu_floats(beta)};
        auto gradients = GPU_PICK(group_silu_gradients_kernel, bf16, p.wide);
        LAUNCH(gradients, gpu_tiles_grid(p.sums), gpu_tiles_block(p.sums), 0, gpu_stream(q), p.sums,
               p.sizes, f, n, dx, sums);
        f.dy = dx;
    } else {
        auto gradients = GPU_PICK(group_gradients_kernel, bf16, p.wide);
        LAUNCH(gradients, gpu_tiles_grid(p.sums), gpu_tiles_block(p.sums), 0, gpu_stream(q), p.sums,
               p.sizes, f, mean, sums);
    }
    LAUNCH(group_slopes_kernel, group_grid(p.sizes), GPU_BLOCK, 0, gpu_stream(q), p.sizes,
           gpu_floats(gamma), inverse, sums, slopes);
    GYRE_TRY(gpu_result(q,
                        gpu_column_pairs_launch(gpu_stream(q), p.sums.parts, p.sums.parts,
                                                p.sizes.channels, sums, gpu_floats(dbeta),
                                                gpu_floats(dgamma)),
                        __func__));
    auto kernel = GPU_PICK(group_dx_kernel, bf16, p.wide);
    LAUNCH(kernel, gpu_tiles_grid(p.maps), gpu_tiles_block(p.maps), 0, gpu_stream(q), p.maps,
           p.sizes, f, mean, inverse, gpu_floats(gamma), (const float *)slopes, dx);
    return gpu_result(q, cudaGetLastError(), __func__);
}
