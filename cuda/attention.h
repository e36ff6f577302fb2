/* Tiles of attention: what its kernels read, multiply and write. A block has GPU_BLOCK threads,
 * each of which has EACH x EACH numbers of a tile. Products are in f32, with fmaf; sums are taken
 * in parts of at most TILE terms. Tokens and channels behind the last are read as 0. */
#ifndef GYRE_CUDA_ATTENTION_H
#define GYRE_CUDA_ATTENTION_H

#include "element.h"

constexpr unsigned TILE = 64, STEP = 32, EACH = 4, SIDE = TILE / EACH;
constexpr unsigned PITCH = TILE + EACH; /* of rows in shared memory; keeps 16-byte alignment */

static_assert(SIDE * SIDE == GPU_BLOCK && 2 * STEP == TILE, "");

struct attention_sizes {
    uint64_t items; /* tiles of the result, over all samples, heads and channels */
    unsigned queries, keys, heads, c, d, tiles, chunks;
    float scale;
    bool causal;
};

/* A thread's part of a tile: rows EACH * row to EACH * row + EACH - 1, columns likewise. */
struct attention_thread {
    unsigned row, column;
};
__device__ __forceinline__ attention_thread attention_thread_here(void) {
    return {threadIdx.x / SIDE * EACH, threadIdx.x % SIDE * EACH};
}

typedef float attention_tile[EACH][EACH];

/* What a block works on; places are those of the sample's and head's first channel. */
struct attention_item {
    uint64_t of_queries, of_keys,
        of_rows;             /* in (n, queries, c), (n, keys, c), (n, heads, queries) */
    unsigned begin, channel; /* first row of the tile; first channel of the head's */
};

__device__ __forceinline__ attention_item item_at(const attention_sizes &s, uint64_t at) {
    unsigned chunk, tile, head;
    uint64_t rest = gpu_divide(at, s.chunks, &chunk);
    rest = gpu_divide(rest, s.tiles, &tile);
    uint64_t sample = gpu_divide(rest, s.heads, &head);
    uint64_t first = uint64_t(head) * s.d;
    return {sample * s.queries * s.c + first, sample * s.keys * s.c + first, rest * s.queries,
            tile * TILE, chunk * TILE};
}

/* Tokens of one head: `count` rows, of which x is the first one's first channel. */
template <class T> struct attention_tokens {
    const T *x;
    unsigned count;
};

template <class T>
__device__ __forceinline__ float element(const attention_sizes &s, attention_tokens<T> a,
                                         unsigned row, unsigned channel) {
    float v[1] = {0.0f};
    if (row < a.count && channel < s.d) gpu_load<1>(a.x + uint64_t(row) * s.c + channel, v);
    return v[0];
}

/* ---- shared memory: rows of PITCH floats */

/* to[k][row] = STEP channels of TILE tokens */
template <class T>
__device__ __forceinline__ void load_turned(const attention_sizes &s, attention_tokens<T> a,
                                            unsigned begin, unsigned channel, float *to) {
    for (unsigned i = threadIdx.x; i < TILE * STEP; i += GPU_BLOCK) {
        unsigned k = i % STEP, row = i / STEP;
        to[k * PITCH + row] = element(s, a, begin + row, channel + k);
    }
}

/* to[row][k] = TILE channels of TILE tokens */
template <class T>
__device__ __forceinline__ void load_plain(const attention_sizes &s, attention_tokens<T> a,
                                           unsigned begin, unsigned channel, float *to) {
    for (unsigned i = threadIdx.x; i < TILE * TILE; i += GPU_BLOCK) {
        unsigned k = i % TILE, row = i / TILE;
        to[row * PITCH + k] = element(s, a, begin + row, channel + k);
    }
}

/* to[column][row] = the block's tile */
__device__ __forceinline__ void store_turned(const attention_tile &x, float *to) {
    attention_thread t = attention_thread_here();
#pragma unroll
    for (unsigned j = 0; j < EACH; j++) {
        *(float4 *)(to + (t.column + j) * PITCH + t.row) =
            make_float4(x[0][j], x[1][j], x[2][j], x[3][j]);
    }
}

__device__ __forceinline__ void load_four(const float *from, float (&out)[EACH]) {
    float4 v = *(const float4 *)from;
    out[0] = v.x, out[1] = v.y, out[2] = v.z, out[3] = v.w;
}

/* sum[row][column] += the sum over k of a[k][row] b[k][column], which is added up first */
template <unsigned STEPS>
__device__ __forceinline__ void add_product(const float *a, const float *b, attention_tile &sum) {
    attention_thread t = attention_thread_here();
    attention_tile part = {};
#pragma unroll 4
    for (unsigned k = 0; k < STEPS; k++) {
        float of_row[EACH], of_column[EACH];
        load_four(a + k * PITCH + t.row, of_row);
        load_four(b + k * PITCH + t.column, of_column);
#pragma unroll
        for (unsigned i = 0; i < EACH; i++) {
#pragma unroll
            for (unsigned j = 0; j < EACH; j++) {
                part[i][j] = fmaf(of_row[i], of_column[j], part[i][j]);
            }
        }
    }
#pragma unroll
    for (unsigned i = 0; i < EACH; i++) {
#pragma unroll
        for (unsigned j = 0; j < EACH; j++) sum[i][j] += part[i][j];
    }
}

/* out[row][column] = the products of tokens of a and of b, over the head's channels. `work` holds
 * 2 * STEP rows, which are free afterwards. */
template <class T>
__device__ __forceinline__ void token_products(const attention_sizes &s, attention_tokens<T> a,
                                               unsigned a_begin, attention_tokens<T> b,
                                               unsigned b_begin, float *work, attention_tile &out) {
#pragma unroll
    for (unsigned i = 0; i < EACH; i++) {
#pragma unroll
        for (unsigned j = 0; j < EACH; j++) out[i][j] = 0.0f;
    }
    for (unsigned k = 0; k < s.d; k += STEP) {
        load_turned(s, a, a_begin, k, work);
        load_turned(s, b, b_begin, k, work + STEP * PITCH);
        __syncthreads();
        add_product<STEP>(work, work + STEP * PITCH, out);
        __syncthreads();
    }
}

/* sum += the block's tile, through `scores`, times TILE channels of the tokens from `begin` on,
 * through `work`; both are free afterwards. */
template <class T>
__device__ __forceinline__ void add_values(const attention_sizes &s, const attention_tile &x,
                                           attention_tokens<T> a, unsigned begin, unsigned channel,
                                           float *scores, float *work, attention_tile &sum) {
    store_turned(x, scores);
    load_plain(s, a, begin, channel, work);
    __syncthreads();
    add_product<TILE>(scores, work, sum);
    __syncthreads();
}

/* Writes the block's tile over rows from `begin` on and channels of the head from `channel` on. */
template <class T>
__device__ __forceinline__ void store_tile(const attention_sizes &s, const attention_tile &x, T *to,
                                           unsigned count, unsigned begin, unsigned channel) {
    attention_thread t = attention_thread_here();
#pragma unroll
    for (unsigned i = 0; i < EACH; i++) {
        unsigned row = begin + t.row + i;
#pragma unroll
        for (unsigned j = 0; j < EACH; j++) {
            unsigned at = channel + t.column + j;
            float v[1] = {x[i][j]};
            if (row < count && at < s.d) gpu_store<1>(to + uint64_t(row) * s.c + at, v);
        }
    }
}

/* Does a query see a key? */
__device__ __forceinline__ bool sees(const attention_sizes &s, unsigned query, unsigned key) {
    return query < s.queries && key < s.keys && (!s.causal || key <= query);
}

#endif
