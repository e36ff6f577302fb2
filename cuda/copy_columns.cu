/* Columns of a matrix, copied into another: memory traffic and nothing else. */
#include "element.h"
#include "operation.h"

/* All in units of 16, 4 or 2 bytes. */
struct copy_units {
    uint64_t total, x_stride, y_stride;
    unsigned columns;
};

template <class U>
__global__ void __launch_bounds__(GPU_BLOCK) copy_kernel(copy_units s, const U *x, U *y) {
    for (uint64_t i = gpu_thread(); i < s.total; i += gpu_threads()) {
        unsigned column;
        uint64_t row = gpu_divide(i, s.columns, &column);
        y[row * s.y_stride + column] = x[row * s.x_stride + column];
    }
}
KERNEL(copy_kernel<uint4>);
KERNEL(copy_kernel<unsigned>);
KERNEL(copy_kernel<unsigned short>);

template <class U>
static void launch(cudaStream_t stream, const gyre_copy_shape *s, int one, const void *x, void *y) {
    copy_units u = {};
    u.columns = unsigned(s->columns / one);
    u.total = s->rows * u.columns;
    u.x_stride = uint64_t(s->x_stride / one);
    u.y_stride = uint64_t(s->y_stride / one);
    LAUNCH(copy_kernel<U>, gpu_grid(u.total), GPU_BLOCK, 0, stream, u,
           (const U *)x + s->x_begin / one, (U *)y + s->y_begin / one);
}

gyre_status gpu_copy_columns(gyre_queue *q, const gyre_copy_shape *s, gyre_act x, gyre_act y) {
    if (s->rows == 0 || s->columns == 0) return GYRE_OK;
    bool bf16 = gpu_bf16(q);
    int one = gpu_vector_width(bf16, true);
    int all = s->columns | s->x_stride | s->x_begin | s->y_stride | s->y_begin;
    if (all % one == 0 && gpu_common_shift(x, y) == 0)
        launch<uint4>(gpu_stream(q), s, one, x, y);
    else if (bf16)
        launch<unsigned short>(gpu_stream(q), s, 1, x, y);
    else
        launch<unsigned>(gpu_stream(q), s, 1, x, y);
    return gpu_result(q, cudaGetLastError(), __func__);
}
