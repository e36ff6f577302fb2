/* A factor for each channel. */
#include "element.h"
#include "kernels.h"
#include "operation.h"
#include "tiles.h"

/* A thread keeps its channels and walks down its rows. y may be x. */
template <class T, int V>
__global__ void __launch_bounds__(GPU_BLOCK, GPU_MAP_BLOCKS)
    scale_kernel(gpu_tiles t, const void *x, const float *w, void *y) {
    gpu_tile_place p = gpu_tile_place_of(t);
    if (!p.inside) return;
    float factor[V];
    gpu_load_each<V>(w + uint64_t(p.vector) * V, factor);
    for (; p.row < p.end; p.row += p.step) {
        uint64_t at = (p.row * t.vectors + p.vector) * V;
        float v[V];
        gpu_load<V>((const T *)x + at, v);
#pragma unroll
        for (int j = 0; j < V; j++) v[j] *= factor[j];
        gpu_store<V>((T *)y + at, v);
    }
}
GPU_KERNELS(scale_kernel);

static uint64_t rows_of(const gyre_scale_shape *s) {
    return uint64_t(s->n) * uint64_t(s->h) * uint64_t(s->w);
}

gyre_status gpu_scale(gyre_queue *q, const gyre_scale_shape *s, gyre_act x, gyre_f32 w,
                      gyre_act y) {
    bool bf16 = gpu_bf16(q), wide = gpu_in_vectors(bf16, s->c, x, y);
    gpu_tiles t = gpu_map_tiles(rows_of(s), unsigned(s->c), gpu_vector_width(bf16, wide));
    if (t.rows == 0) return GYRE_OK;
    auto kernel = GPU_PICK(scale_kernel, bf16, wide);
    LAUNCH(kernel, gpu_tiles_grid(t), gpu_tiles_block(t), 0, gpu_stream(q), t, x, gpu_floats(w), y);
    return gpu_result(q, cudaGetLastError(), __func__);
}

gyre_status gpu_scale_dw(gyre_queue *q, const gyre_scale_shape *s, gyre_act x, gyre_act dy,
                         gyre_f32 dw) {
    void *work;
    GYRE_TRY(gpu_work(q, gpu_columns_work(size_t(s->c)), &work));
    cudaError_t error = gpu_column_products_launch(gpu_stream(q), gpu_bf16(q), rows_of(s),
                                                   size_t(s->c), x, dy, work, gpu_floats(dw));
    return gpu_result(q, error, __func__);
}
