/* Matrices, their rows and columns exchanged: in tiles in shared memory, so that reads and writes
 * both are of neighbours. */
#include "element.h"
#include "operation.h"

constexpr unsigned TILE = 32, DOWN = GPU_BLOCK / TILE;

/* Tiles of all matrices, one after another. */
struct transpose_tiles {
    uint64_t total;
    unsigned rows, columns, down, across;
};

/* The odd row length keeps a column's elements in different banks. */
template <class U>
__global__ void __launch_bounds__(GPU_BLOCK) transpose_kernel(transpose_tiles s, const U *x, U *y) {
    SHARED(U, tile, [TILE][TILE + 1]);
    unsigned lane = threadIdx.x % TILE, first = threadIdx.x / TILE;
    for (uint64_t t = blockIdx.x; t < s.total; t += gridDim.x) {
        unsigned across, down;
        uint64_t matrix = gpu_divide(gpu_divide(t, s.across, &across), s.down, &down);
        uint64_t begin = matrix * s.rows * s.columns;
        for (unsigned k = first; k < TILE; k += DOWN) {
            uint64_t i = down * TILE + k, j = across * TILE + lane;
            if (i < s.rows && j < s.columns) tile[k][lane] = x[begin + i * s.columns + j];
        }
        __syncthreads();
        for (unsigned k = first; k < TILE; k += DOWN) {
            uint64_t i = down * TILE + lane, j = across * TILE + k;
            if (i < s.rows && j < s.columns) y[begin + j * s.rows + i] = tile[lane][k];
        }
        __syncthreads();
    }
}
KERNEL(transpose_kernel<unsigned>);
KERNEL(transpose_kernel<unsigned short>);

gyre_status gpu_transpose(gyre_queue *q, const gyre_transpose_shape *s, gyre_act x, gyre_act y) {
    transpose_tiles t = {};
    t.rows = unsigned(s->rows);
    t.columns = unsigned(s->columns);
    t.down = (t.rows + TILE - 1) / TILE;
    t.across = (t.columns + TILE - 1) / TILE;
    t.total = uint64_t(s->n) * t.down * t.across;
    if (t.total == 0) return GYRE_OK;
    int grid = int(t.total < GPU_GRID ? t.total : GPU_GRID);
    if (gpu_bf16(q))
        LAUNCH(transpose_kernel<unsigned short>, grid, GPU_BLOCK, 0, gpu_stream(q), t,
               (const unsigned short *)(const void *)x, (unsigned short *)(void *)y);
    else
        LAUNCH(transpose_kernel<unsigned>, grid, GPU_BLOCK, 0, gpu_stream(q), t,
               (const unsigned *)(const void *)x, (unsigned *)(void *)y);
    return gpu_result(q, cudaGetLastError(), __func__);
}
