/* Local response normalisation across channels. A thread handles one number and reads its window
 * from the cache; backward keeps each number's share of the sums in f32, and then adds them. */
#include "element.h"
#include "lrn.h"
#include "operation.h"

struct channel_lrn_numbers {
    uint64_t total;
    int c, size;
    float factor, beta, k; /* factor: alpha / size */
};

/* s of channel `channel` of the pixel that begins at x */
template <class T>
__device__ __forceinline__ float sum_of(const channel_lrn_numbers &f, const T *x, int channel) {
    float sum = 0.0f;
    int first = channel - f.size / 2;
    for (int j = max(first, 0); j < min(first + f.size, f.c); j++) {
        float v[1];
        gpu_load<1>(x + j, v);
        sum += v[0] * v[0];
    }
    return f.k + f.factor * sum;
}

template <class T>
__global__ void __launch_bounds__(GPU_BLOCK)
    channel_lrn_kernel(channel_lrn_numbers f, const void *x_, void *y) {
    const T *x = (const T *)x_;
    for (uint64_t i = gpu_thread(); i < f.total; i += gpu_threads()) {
        unsigned channel;
        uint64_t pixel = gpu_divide(i, unsigned(f.c), &channel);
        float v[1];
        gpu_load<1>(x + i, v);
        v[0] *= gpu_lrn_power(sum_of<T>(f, x + pixel * unsigned(f.c), int(channel)), f.beta);
        gpu_store<1>((T *)y + i, v);
    }
}
KERNEL(channel_lrn_kernel<float>);
KERNEL(channel_lrn_kernel<gpu_half>);

/* dy x s^(-beta - 1) */
template <class T>
__global__ void __launch_bounds__(GPU_BLOCK)
    channel_lrn_share_kernel(channel_lrn_numbers f, const void *x_, const void *dy, float *share) {
    const T *x = (const T *)x_;
    for (uint64_t i = gpu_thread(); i < f.total; i += gpu_threads()) {
        unsigned channel;
        uint64_t pixel = gpu_divide(i, unsigned(f.c), &channel);
        float v[1], d[1], s = sum_of<T>(f, x + pixel * unsigned(f.c), int(channel));
        gpu_load<1>(x + i, v);
        gpu_load<1>((const T *)dy + i, d);
        share[i] = d[0] * v[0] * gpu_lrn_power(s, f.beta) / s;
    }
}
KERNEL(channel_lrn_share_kernel<float>);
KERNEL(channel_lrn_share_kernel<gpu_half>);

/* dx may be dy: a thread reads its own number of it. */
template <class T>
__global__ void __launch_bounds__(GPU_BLOCK)
    channel_lrn_dx_kernel(channel_lrn_numbers f, const void *x_, const void *dy, const float *share,
                          void *dx) {
    const T *x = (const T *)x_;
    for (uint64_t i = gpu_thread(); i < f.total; i += gpu_threads()) {
        unsigned channel;
        uint64_t begin = gpu_divide(i, unsigned(f.c), &channel) * unsigned(f.c);
        int first = int(channel) - (f.size - 1) / 2;
        float sum = 0.0f, v[1], d[1];
        for (int j = max(first, 0); j < min(first + f.size, f.c); j++)
            sum += share[begin + unsigned(j)];
        gpu_load<1>(x + i, v);
        gpu_load<1>((const T *)dy + i, d);
        float power = gpu_lrn_power(sum_of<T>(f, x + begin, int(channel)), f.beta);
        d[0] = d[0] * power - 2.0f * f.beta * f.factor * v[0] * sum;
        gpu_store<1>((T *)dx + i, d);
    }
}
KERNEL(channel_lrn_dx_kernel<float>);
KERNEL(channel_lrn_dx_kernel<gpu_half>);

static channel_lrn_numbers numbers_of(const gyre_channel_lrn_shape *s) {
    channel_lrn_numbers f = {};
    f.total = uint64_t(s->n) * uint64_t(s->h) * uint64_t(s->w) * uint64_t(s->c);
    f.c = s->c;
    f.size = s->size;
    f.factor = s->alpha / float(s->size);
    f.beta = s->beta;
    f.k = s->k;
    return f;
}

gyre_status gpu_channel_lrn(gyre_queue *q, const gyre_channel_lrn_shape *s, gyre_act x,
                            gyre_act y) {
    if (s->size < 1) return gpu_result(q, cudaErrorInvalidValue, __func__);
    channel_lrn_numbers f = numbers_of(s);
    if (f.total == 0) return GYRE_OK;
    auto kernel = gpu_bf16(q) ? &channel_lrn_kernel<gpu_half> : &channel_lrn_kernel<float>;
    LAUNCH(kernel, gpu_grid(f.total), GPU_BLOCK, 0, gpu_stream(q), f, x, y);
    return gpu_result(q, cudaGetLastError(), __func__);
}

gyre_status gpu_channel_lrn_dx(gyre_queue *q, const gyre_channel_lrn_shape *s, gyre_act x,
                               gyre_act dy, gyre_act dx) {
    if (s->size < 1) return gpu_result(q, cudaErrorInvalidValue, __func__);
    channel_lrn_numbers f = numbers_of(s);
    void *work;
    if (f.total == 0) return GYRE_OK;
    GYRE_TRY(gpu_work(q, f.total * sizeof(float), &work));
    bool bf16 = gpu_bf16(q);
    auto share = bf16 ? &channel_lrn_share_kernel<gpu_half> : &channel_lrn_share_kernel<float>;
    auto combine = bf16 ? &channel_lrn_dx_kernel<gpu_half> : &channel_lrn_dx_kernel<float>;
    LAUNCH(share, gpu_grid(f.total), GPU_BLOCK, 0, gpu_stream(q), f, x, dy, (float *)work);
    LAUNCH(combine, gpu_grid(f.total), GPU_BLOCK, 0, gpu_stream(q), f, x, dy, (const float *)work,
           dx);
    return gpu_result(q, cudaGetLastError(), __func__);
}
