/* Matrices of rows x columns, such as pixels x channels, cut into tiles: a block's threads lie
 * along the columns first, V elements each, and then along the rows. A thread keeps its columns and
 * walks down its part of the rows. Sums over rows: each thread its rows, then the block's threads
 * by a tree in shared memory, then the parts (gpu_column_total); all in an order fixed by the
 * shape. */
#ifndef GYRE_CUDA_TILES_H
#define GYRE_CUDA_TILES_H

#include "element.h"
#include "kernels.h"
#include "sums.h"

struct gpu_tiles {
    uint64_t rows;
    unsigned vectors;      /* columns / V */
    unsigned across, down; /* vectors and rows that a block handles at a time */
    unsigned parts;        /* of the rows: gridDim.x; gridDim.y tiles lie side by side */
};

/* This thread's place. */
struct gpu_tile_place {
    uint64_t row, end, step; /* for (row; row < end; row += step) */
    unsigned vector, down;   /* `down`: its row among those that the block handles at a time */
    bool inside;             /* else there is no column here */
};

__device__ __forceinline__ gpu_tile_place gpu_tile_place_of(gpu_tiles t) {
    gpu_tile_place p;
    p.down = threadIdx.x / t.across;
    p.vector = blockIdx.y * t.across + threadIdx.x % t.across;
    p.inside = p.vector < t.vectors;
    p.row = t.rows * blockIdx.x / t.parts + p.down;
    p.end = t.rows * (blockIdx.x + 1) / t.parts;
    p.step = t.down;
    return p;
}

/* Rows that a thread adds in a row before the sum goes to its total: as on the CPU, an error of at
 * most 256 2^-24 of the sum of absolute terms. */
constexpr unsigned GPU_RUN = 256;

/* Blocks of sums per multiprocessor: enough registers for several rows on their way. */
constexpr int GPU_SUM_BLOCKS = 2;
/* The same of loops that write, whose speed depends on the number of threads. */
constexpr int GPU_MAP_BLOCKS = 4;

/* Adds terms(row, vector, sums) for the thread's rows and over the block, for SUMS sums at a time;
 * result (SUMS, room, columns) of this block's part to `work`, room for `room` parts. */
template <int V, int SUMS, class Terms>
__device__ __forceinline__ void gpu_sum_part(gpu_tiles t, Terms terms, float *work,
                                             unsigned room = GPU_COLUMN_PARTS) {
    SHARED(float, shared, [SUMS * V][GPU_BLOCK]);
    gpu_tile_place p = gpu_tile_place_of(t);
    float total[SUMS * V] = {};
    while (p.inside && p.row < p.end) {
        float run[SUMS * V] = {};
        uint64_t left = (p.end - p.row + p.step - 1) / p.step;
        unsigned count = left < GPU_RUN ? unsigned(left) : GPU_RUN;
#pragma unroll 4
        for (unsigned k = 0; k < count; k++) terms(p.row + k * p.step, p.vector, run);
        p.row += count * p.step;
#pragma unroll
        for (int j = 0; j < SUMS * V; j++) total[j] += run[j];
    }
#pragma unroll
    for (int j = 0; j < SUMS * V; j++) shared[j][threadIdx.x] = total[j];
    __syncthreads();
    unsigned width = 1;
    while (2 * width < t.down) width *= 2;
    for (; width > 0; width /= 2) {
        if (p.down < width && p.down + width < t.down) {
#pragma unroll
            for (int j = 0; j < SUMS * V; j++) {
                shared[j][threadIdx.x] += shared[j][threadIdx.x + width * t.across];
            }
        }
        __syncthreads();
    }
    if (p.down > 0 || !p.inside) return;
    uint64_t columns = uint64_t(t.vectors) * V;
#pragma unroll
    for (int j = 0; j < SUMS * V; j++) {
        uint64_t part = uint64_t(j / V) * room + blockIdx.x;
        work[part * columns + uint64_t(p.vector) * V + j % V] = shared[j][threadIdx.x];
    }
}

/* Blocks of gpu_total_block threads add the parts of 32 columns each. */
constexpr int GPU_TOTAL_DOWN = 8;

struct gpu_totals {
    gpu_two sum[GPU_TOTAL_DOWN][32];
};

__device__ __forceinline__ unsigned gpu_total_column(void) {
    return blockIdx.x * 32 + threadIdx.x;
}

/* Sum number `which` of this thread's column; for threads with threadIdx.y == 0. All threads of the
 * block take part; `shared` may serve again after the next barrier. */
__device__ __forceinline__ gpu_two gpu_column_total(const float *work, int which, unsigned parts,
                                                    unsigned columns, gpu_totals &shared,
                                                    unsigned room = GPU_COLUMN_PARTS) {
    unsigned column = gpu_total_column();
    gpu_two x = {0, 0};
    const float *from = work + uint64_t(which) * room * columns + column;
    for (unsigned p = threadIdx.y; column < columns && p < parts; p += GPU_TOTAL_DOWN) {
        x = gpu_plus(x, from[uint64_t(p) * columns]);
    }
    shared.sum[threadIdx.y][threadIdx.x] = x;
    __syncthreads();
    for (int i = 1; threadIdx.y == 0 && i < GPU_TOTAL_DOWN; i++) {
        x = gpu_plus(x, shared.sum[i][threadIdx.x]);
    }
    return x;
}

/* ---- on the host */

static inline unsigned gpu_upward(uint64_t a, uint64_t b) {
    return unsigned((a + b - 1) / b);
}

/* Tiles up to 64 vectors across. Every thread gets `rows_each` rows or more, in at most `parts`
 * parts. */
static inline gpu_tiles gpu_tiles_of(uint64_t rows, unsigned columns, int v, unsigned rows_each,
                                     unsigned parts) {
    gpu_tiles t = {};
    t.rows = rows;
    t.vectors = columns / unsigned(v);
    t.across = gpu_upward(t.vectors, gpu_upward(t.vectors, 64));
    t.down = unsigned(GPU_BLOCK) / t.across;
    uint64_t wanted = (rows + uint64_t(t.down) * rows_each - 1) / (uint64_t(t.down) * rows_each);
    t.parts = wanted < parts ? unsigned(wanted) : parts;
    return t;
}

static inline dim3 gpu_tiles_grid(const gpu_tiles &t) {
    return dim3(t.parts, gpu_upward(t.vectors, t.across), 1);
}
static inline unsigned gpu_tiles_block(const gpu_tiles &t) {
    return t.across * t.down;
}

static inline dim3 gpu_total_grid(unsigned columns) {
    return dim3(gpu_upward(columns, 32), 1, 1);
}
static inline dim3 gpu_total_block(void) {
    return dim3(32, GPU_TOTAL_DOWN, 1);
}

/* For sums. */
static inline gpu_tiles gpu_sum_tiles(uint64_t rows, unsigned columns, int v) {
    return gpu_tiles_of(rows, columns, v, 8, GPU_COLUMN_PARTS);
}

/* For loops that write: blocks enough for the largest device, one after another on smaller ones. */
static inline gpu_tiles gpu_map_tiles(uint64_t rows, unsigned columns, int v) {
    return gpu_tiles_of(rows, columns, v, 4, 2048);
}

/* May pixels of `columns` channels be handled 16 bytes at a time, wherever these begin? */
template <class... P>
static inline bool gpu_in_vectors(bool bf16, int columns, const void *first, P... others) {
    return columns % (bf16 ? 8 : 4) == 0 && gpu_common_shift(first, others...) == 0;
}

#endif
