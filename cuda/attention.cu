/* Attention in tiles of TILE x TILE scores, which never leave a block: a block has TILE queries
 * (or, for gradients of keys and values, keys) of one head and TILE channels of the result, and
 * goes over the others. Scores are computed anew for each TILE channels; heads seldom have more.
 *
 * All arithmetic is f32 for both types. Tiles are added in their order, so that bits depend on the
 * sizes of one sample alone. */
#include "attention.h"
#include "gyre/realmath_f32.h"
#include "operation.h"
#include "realmath.h"

constexpr int BLOCKS = 2; /* of a multiprocessor, at least */
constexpr uint64_t MOST_BLOCKS = 1u << 30;

/* ---- forward */

/* Over the SIDE threads of a row of threads; all of them get it. */
__device__ __forceinline__ float row_top(float x) {
#pragma unroll
    for (int bit = SIDE / 2; bit > 0; bit /= 2) x = fmaxf(x, __shfl_xor_sync(~0u, x, bit));
    return x;
}
__device__ __forceinline__ float row_sum(float x) {
#pragma unroll
    for (int bit = SIDE / 2; bit > 0; bit /= 2) x += __shfl_xor_sync(~0u, x, bit);
    return x;
}

/* The largest score so far, and the sum of exp(scale * (score - top)), of each row of a thread. */
struct attention_rows {
    float top[EACH], sum[EACH];
};

/* Scores become exponentials against the new largest one, against which `y` is counted anew. */
__device__ __forceinline__ void soften(const attention_sizes &s, unsigned query, unsigned key,
                                       attention_tile &x, attention_rows &rows, attention_tile &y) {
#pragma unroll
    for (unsigned i = 0; i < EACH; i++) {
        float top = rows.top[i], part = 0.0f;
#pragma unroll
        for (unsigned j = 0; j < EACH; j++) {
            /* rows behind the last take part, so that no number of theirs is NaN */
            bool seen = key + j < s.keys && (!s.causal || key + j <= query + i);
            if (!seen) x[i][j] = __uint_as_float(0xff800000u);
            top = fmaxf(top, x[i][j]);
        }
        top = row_top(top);
#pragma unroll
        for (unsigned j = 0; j < EACH; j++) {
            x[i][j] = gyre_exp_f32((x[i][j] - top) * s.scale, 0.0f);
            part += x[i][j];
        }
        float before = gyre_exp_f32((rows.top[i] - top) * s.scale, 0.0f);
        rows.sum[i] = rows.sum[i] * before + row_sum(part);
        rows.top[i] = top;
#pragma unroll
        for (unsigned j = 0; j < EACH; j++) y[i][j] *= before;
    }
}

/* y becomes the quotient by each row's sum, whose logarithm is kept. */
__device__ __forceinline__ void finish_rows(const attention_sizes &s, const attention_item &item,
                                            const attention_rows &rows, float *saved,
                                            attention_tile &y) {
    attention_thread t = attention_thread_here();
#pragma unroll
    for (unsigned i = 0; i < EACH; i++) {
        float inverse = 1.0f / rows.sum[i];
#pragma unroll
        for (unsigned j = 0; j < EACH; j++) y[i][j] *= inverse;
        unsigned query = item.begin + t.row + i;
        if (saved == nullptr || item.channel != 0 || t.column != 0 || query >= s.queries) continue;
        gpu_two log = gpu_log({rows.sum[i], 0.0f});
        gpu_two norm = gpu_plus(gpu_two_product(rows.top[i], s.scale), log);
        saved[item.of_rows + query] = gpu_value(norm);
    }
}

template <class T>
__global__ void __launch_bounds__(GPU_BLOCK, BLOCKS)
    attention_kernel(attention_sizes s, const void *query, const void *key, const void *value,
                     float *saved, void *y) {
    SHARED(float4, memory, [2 * TILE * PITCH / 4]);
    float *work = (float *)memory, *scores = work + TILE * PITCH;
    for (uint64_t at = blockIdx.x; at < s.items; at += gridDim.x) {
        attention_item item = item_at(s, at);
        attention_thread t = attention_thread_here();
        attention_tokens<T> q = {(const T *)query + item.of_queries, s.queries};
        attention_tokens<T> k = {(const T *)key + item.of_keys, s.keys};
        attention_tokens<T> v = {(const T *)value + item.of_keys, s.keys};
        attention_tile sum = {};
        attention_rows rows;
#pragma unroll
        for (unsigned i = 0; i < EACH; i++)
            rows.top[i] = __uint_as_float(0xff800000u), rows.sum[i] = 0;
        unsigned end = s.causal && item.begin + TILE < s.keys ? item.begin + TILE : s.keys;
        for (unsigned begin = 0; begin < end; begin += TILE) {
            attention_tile x;
            token_products(s, q, item.begin, k, begin, work, x);
            soften(s, item.begin + t.row, begin + t.column, x, rows, sum);
            add_values(s, x, v, begin, item.channel, scores, work, sum);
        }
        finish_rows(s, item, rows, saved, sum);
        store_tile(s, sum, (T *)y + item.of_queries, s.queries, item.begin, item.channel);
    }
}
KERNEL(attention_kernel<float>);
KERNEL(attention_kernel<gpu_half>);

/* ---- backward */

/* products(n, heads, queries): each row's sum of y dy, by a warp */
template <class T>
__global__ void __launch_bounds__(GPU_BLOCK)
    attention_rows_kernel(attention_sizes s, uint64_t all, const void *y, const void *dy,
                          float *products) {
    for (uint64_t row = gpu_thread() / 32; row < all; row += gpu_threads() / 32) {
        unsigned query, head;
        uint64_t rest = gpu_divide(row, s.queries, &query);
        uint64_t sample = gpu_divide(rest, s.heads, &head);
        uint64_t at = (sample * s.queries + query) * s.c + uint64_t(head) * s.d;
        gpu_two sum = {0, 0};
        for (unsigned i = threadIdx.x % 32; i < s.d; i += 32) {
            float a[1], b[1];
            gpu_load<1>((const T *)y + at + i, a);
            gpu_load<1>((const T *)dy + at + i, b);
            sum = gpu_plus(sum, a[0] * b[0]);
        }
        sum = gpu_warp_sum(sum);
        if (threadIdx.x % 32 == 0) products[row] = gpu_value(sum);
    }
}
KERNEL(attention_rows_kernel<float>);
KERNEL(attention_rows_kernel<gpu_half>);

/* What both kernels below read. */
struct attention_gradients {
    const void *query, *key, *value, *dy;
    const float *saved, *products; /* of rows */
};

__device__ __forceinline__ float probability(const attention_sizes &s, float score, float norm) {
    return gyre_exp_f32(score * s.scale - norm, 0.0f);
}

template <class T>
__global__ void __launch_bounds__(GPU_BLOCK, BLOCKS)
    attention_queries_kernel(attention_sizes s, attention_gradients g, void *dquery) {
    SHARED(float4, memory, [2 * TILE * PITCH / 4]);
    float *work = (float *)memory, *scores = work + TILE * PITCH;
    for (uint64_t at = blockIdx.x; at < s.items; at += gridDim.x) {
        attention_item item = item_at(s, at);
        attention_thread t = attention_thread_here();
        attention_tokens<T> q = {(const T *)g.query + item.of_queries, s.queries};
        attention_tokens<T> dy = {(const T *)g.dy + item.of_queries, s.queries};
        attention_tokens<T> k = {(const T *)g.key + item.of_keys, s.keys};
        attention_tokens<T> v = {(const T *)g.value + item.of_keys, s.keys};
        attention_tile sum = {};
        unsigned end = s.causal && item.begin + TILE < s.keys ? item.begin + TILE : s.keys;
        for (unsigned begin = 0; begin < end; begin += TILE) {
            attention_tile x, d;
            token_products(s, q, item.begin, k, begin, work, x);
            token_products(s, dy, item.begin, v, begin, work, d);
#pragma unroll
            for (unsigned i = 0; i < EACH; i++) {
                unsigned query = item.begin + t.row + i;
                float norm = query < s.queries ? g.saved[item.of_rows + query] : 0.0f;
                float mean = query < s.queries ? g.products[item.of_rows + query] : 0.0f;
#pragma unroll
                for (unsigned j = 0; j < EACH; j++) {
                    bool seen = sees(s, query, begin + t.column + j);
                    float p = seen ? probability(s, x[i][j], norm) : 0.0f;
                    x[i][j] = p * (d[i][j] - mean) * s.scale;
                }
            }
            add_values(s, x, k, begin, item.channel, scores, work, sum);
        }
        store_tile(s, sum, (T *)dquery + item.of_queries, s.queries, item.begin, item.channel);
    }
}
KERNEL(attention_queries_kernel<float>);
KERNEL(attention_queries_kernel<gpu_half>);

/* Tiles have keys as rows and queries as columns. Two results leave no registers for BLOCKS. */
template <class T>
__global__ void __launch_bounds__(GPU_BLOCK)
    attention_keys_kernel(attention_sizes s, attention_gradients g, void *dkey, void *dvalue) {
    SHARED(float4, memory, [2 * TILE * PITCH / 4]);
    float *work = (float *)memory, *scores = work + TILE * PITCH;
    for (uint64_t at = blockIdx.x; at < s.items; at += gridDim.x) {
        attention_item item = item_at(s, at);
        attention_thread t = attention_thread_here();
        attention_tokens<T> q = {(const T *)g.query + item.of_queries, s.queries};
        attention_tokens<T> dy = {(const T *)g.dy + item.of_queries, s.queries};
        attention_tokens<T> k = {(const T *)g.key + item.of_keys, s.keys};
        attention_tokens<T> v = {(const T *)g.value + item.of_keys, s.keys};
        attention_tile of_keys = {}, of_values = {};
        for (unsigned begin = s.causal ? item.begin : 0; begin < s.queries; begin += TILE) {
            attention_tile p, d;
            float mean[EACH];
            token_products(s, k, item.begin, q, begin, work, p);
#pragma unroll
            for (unsigned j = 0; j < EACH; j++) {
                unsigned query = begin + t.column + j;
                float norm = query < s.queries ? g.saved[item.of_rows + query] : 0.0f;
                mean[j] = query < s.queries ? g.products[item.of_rows + query] : 0.0f;
#pragma unroll
                for (unsigned i = 0; i < EACH; i++) {
                    bool seen = sees(s, query, item.begin + t.row + i);
                    p[i][j] = seen ? probability(s, p[i][j], norm) : 0.0f;
                }
            }
            if (dvalue != nullptr)
                add_values(s, p, dy, begin, item.channel, scores, work, of_values);
            if (dkey == nullptr) continue;
            token_products(s, v, item.begin, dy, begin, work, d);
#pragma unroll
            for (unsigned i = 0; i < EACH; i++) {
#pragma unroll
                for (unsigned j = 0; j < EACH; j++) p[i][j] *= (d[i][j] - mean[j]) * s.scale;
            }
            add_values(s, p, q, begin, item.channel, scores, work, of_keys);
        }
        if (dvalue != nullptr)
            store_tile(s, of_values, (T *)dvalue + item.of_keys, s.keys, item.begin, item.channel);
        if (dkey != nullptr)
            store_tile(s, of_keys, (T *)dkey + item.of_keys, s.keys, item.begin, item.channel);
    }
}
KERNEL(attention_keys_kernel<float>);
KERNEL(attention_keys_kernel<gpu_half>);

/* ---- on the host */

static unsigned tiles_over(int count) {
    return (unsigned(count) + TILE - 1) / TILE;
}

/* Tiles over `rows` tokens of a sample. */
static attention_sizes sizes_of(const gyre_attention_shape *s, int rows) {
    attention_sizes z = {};
    z.queries = unsigned(s->queries);
    z.keys = unsigned(s->keys);
    z.heads = unsigned(s->heads);
    z.c = unsigned(s->c);
    z.d = z.c / z.heads;
    z.tiles = tiles_over(rows);
    z.chunks = tiles_over(int(z.d));
    z.items = uint64_t(s->n) * z.heads * z.tiles * z.chunks;
    z.scale = s->scale;
    z.causal = s->causal;
    return z;
}

static unsigned grid_of(uint64_t blocks) {
    return unsigned(blocks < MOST_BLOCKS ? blocks : MOST_BLOCKS);
}

gyre_status gpu_attention(gyre_queue *q, const gyre_attention_shape *s, gyre_act query,
                          gyre_act key, gyre_act value, gyre_f32 saved, gyre_act y) {
    attention_sizes z = sizes_of(s, s->queries);
    if (z.items == 0) return GYRE_OK;
    auto kernel = gpu_bf16(q) ? &attention_kernel<gpu_half> : &attention_kernel<float>;
    LAUNCH(kernel, grid_of(z.items), GPU_BLOCK, 0, gpu_stream(q), z, query, key, value,
           gpu_floats(saved), y);
    return gpu_result(q, cudaGetLastError(), __func__);
}

gyre_status gpu_attention_dx(gyre_queue *q, const gyre_attention_shape *s, gyre_act query,
                             gyre_act key, gyre_act value, gyre_f32 saved, gyre_act y, gyre_act dy,
                             gyre_act dquery, gyre_act dkey, gyre_act dvalue) {
    attention_sizes of_queries = sizes_of(s, s->queries), of_keys = sizes_of(s, s->keys);
    uint64_t rows = uint64_t(s->n) * of_queries.heads * of_queries.queries;
    if (rows == 0) return GYRE_OK;
    bool bf16 = gpu_bf16(q);
    void *products;
    GYRE_TRY(gpu_work(q, size_t(rows) * sizeof(float), &products));
    auto find_rows = bf16 ? &attention_rows_kernel<gpu_half> : &attention_rows_kernel<float>;
    auto by_query = bf16 ? &attention_queries_kernel<gpu_half> : &attention_queries_kernel<float>;
    auto by_key = bf16 ? &attention_keys_kernel<gpu_half> : &attention_keys_kernel<float>;
    attention_gradients g = {query, key, value, dy, gpu_floats(saved), (const float *)products};
    LAUNCH(find_rows, grid_of((rows + GPU_BLOCK / 32 - 1) / (GPU_BLOCK / 32)), GPU_BLOCK, 0,
           gpu_stream(q), of_queries, rows, y, dy, (float *)products);
    if (dquery != nullptr) {
        LAUNCH(by_query, grid_of(of_queries.items), GPU_BLOCK, 0, gpu_stream(q), of_queries, g,
               dquery);
    }
    if (dkey != nullptr || dvalue != nullptr) {
        LAUNCH(by_key, grid_of(of_keys.items), GPU_BLOCK, 0, gpu_stream(q), of_keys, g, dkey,
               dvalue);
    }
    return gpu_result(q, cudaGetLastError(), __func__);
}
