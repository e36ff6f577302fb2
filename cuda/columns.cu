/* Sums of columns: the gradient of a bias, or of factors. */
#include "tiles.h"

template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK, GPU_SUM_BLOCKS)
    column_sum_kernel(gpu_tiles t, const void *dy_, float *work) {
    const T *dy = (const T *)dy_;
    gpu_sum_part<V, 1>(
        t,
        [=](uint64_t row, unsigned vector, float(&sums)[V]) {
            float d[V];
            gpu_load<V>(dy + (row * t.vectors + vector) * V, d);
#pragma unroll
            for (int j = 0; j < V; j++) sums[j] += d[j];
        },
        work);
}
GPU_KERNELS(column_sum_kernel);

/* Of a dy, or of dy where a is NULL. */
template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK, GPU_SUM_BLOCKS)
    column_products_kernel(gpu_tiles t, const void *a, const void *dy, float *work) {
    gpu_sum_part<V, 1>(
        t,
        [=](uint64_t row, unsigned vector, float(&sums)[V]) {
            float v[V], d[V];
            uint64_t at = (row * t.vectors + vector) * V;
            gpu_load<V>((const T *)dy + at, d);
            if (a != nullptr) gpu_load<V>((const T *)a + at, v);
#pragma unroll
            for (int j = 0; j < V; j++) sums[j] += a != nullptr ? v[j] * d[j] : d[j];
        },
        work);
}
GPU_KERNELS(column_products_kernel);

__global__ void __launch_bounds__(GPU_BLOCK)
    column_total_kernel(unsigned parts, unsigned columns, const float *work, float *db) {
    SHARED(gpu_totals, shared);
    gpu_two total = gpu_column_total(work, 0, parts, columns, shared);
    if (threadIdx.y == 0 && gpu_total_column() < columns) {
        db[gpu_total_column()] = gpu_value(total);
    }
}
KERNEL(column_total_kernel);

__global__ void __launch_bounds__(GPU_BLOCK)
    column_pairs_kernel(unsigned room, unsigned parts, unsigned columns, const float *work,
                        float *first, float *second) {
    SHARED(gpu_totals, shared, [2]);
    gpu_two one = gpu_column_total(work, 0, parts, columns, shared[0], room);
    gpu_two two = gpu_column_total(work, 1, parts, columns, shared[1], room);
    unsigned j = gpu_total_column();
    if (threadIdx.y > 0 || j >= columns) return;
    first[j] = gpu_value(one);
    second[j] = gpu_value(two);
}
KERNEL(column_pairs_kernel);

/* Two sums by parts, and three numbers per column that batch_norm.cu keeps behind them. */
size_t gpu_columns_work(size_t columns) {
    return (2 * GPU_COLUMN_PARTS + 3) * columns * sizeof(float);
}

cudaError_t gpu_column_pairs_launch(cudaStream_t stream, unsigned room, unsigned parts,
                                    size_t columns, const float *work, float *first,
                                    float *second) {
    LAUNCH(column_pairs_kernel, gpu_total_grid(unsigned(columns)), gpu_total_block(), 0, stream,
           room, parts, unsigned(columns), work, first, second);
    return cudaGetLastError();
}

cudaError_t gpu_column_sum_launch(cudaStream_t stream, bool bf16, size_t rows, size_t columns,
                                  const void *dy, void *work, float *db) {
    if (columns == 0) return cudaSuccess;
    bool wide = gpu_in_vectors(bf16, int(columns), dy);
    gpu_tiles t = gpu_sum_tiles(rows, unsigned(columns), gpu_vector_width(bf16, wide));
    if (rows > 0) {
        auto kernel = GPU_PICK(column_sum_kernel, bf16, wide);
        LAUNCH(kernel, gpu_tiles_grid(t), gpu_tiles_block(t), 0, stream, t, dy, (float *)work);
    }
    LAUNCH(column_total_kernel, gpu_total_grid(unsigned(columns)), gpu_total_block(), 0, stream,
           t.parts, unsigned(columns), (const float *)work, db);
    return cudaGetLastError();
}

cudaError_t gpu_column_products_launch(cudaStream_t stream, bool bf16, size_t rows, size_t columns,
                                       const void *a, const void *dy, void *work, float *out) {
    if (columns == 0) return cudaSuccess;
    bool wide = gpu_in_vectors(bf16, int(columns), a, dy);
    gpu_tiles t = gpu_sum_tiles(rows, unsigned(columns), gpu_vector_width(bf16, wide));
    if (rows > 0) {
        auto kernel = GPU_PICK(column_products_kernel, bf16, wide);
        LAUNCH(kernel, gpu_tiles_grid(t), gpu_tiles_block(t), 0, stream, t, a, dy, (float *)work);
    }
    LAUNCH(column_total_kernel, gpu_total_grid(unsigned(columns)), gpu_total_block(), 0, stream,
           t.parts, unsigned(columns), (const float *)work, out);
    return cudaGetLastError();
}

/* A sample is a part of the rows, so that its sums are complete when the blocks have written. */
cudaError_t gpu_sample_products_launch(cudaStream_t stream, bool bf16, size_t samples, size_t rows,
                                       size_t columns, const void *a, const void *dy, float *out) {
    if (samples == 0 || columns == 0) return cudaSuccess;
    bool wide = gpu_in_vectors(bf16, int(columns), dy, a);
    gpu_tiles t = gpu_sum_tiles(rows * samples, unsigned(columns), gpu_vector_width(bf16, wide));
    t.parts = unsigned(samples);
    auto kernel = GPU_PICK(column_products_kernel, bf16, wide);
    LAUNCH(kernel, gpu_tiles_grid(t), gpu_tiles_block(t), 0, stream, t, a, dy, out);
    return cudaGetLastError();
}
