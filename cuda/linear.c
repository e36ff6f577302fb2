/* Fully connected layers: convolutions of 1x1 images (graph.h). */
#include "graph.h"
#include "operation.h"

size_t gpu_linear_pack_size(gyre_backend *b, const gyre_linear_shape *s) {
    gyre_conv_shape conv = gpu_linear_as_conv(s);
    return gpu_conv_pack_size(b, &conv);
}

gyre_status gpu_linear_pack(gyre_queue *q, const gyre_linear_shape *s, gyre_f32 w,
                            gyre_raw packed) {
    gyre_conv_shape conv = gpu_linear_as_conv(s);
    return gpu_conv_pack(q, &conv, w, packed);
}

gyre_status gpu_linear(gyre_queue *q, const gyre_linear_shape *s, gyre_act x, gyre_raw packed,
                       gyre_f32 bias, gyre_act y) {
    gyre_conv_shape conv = gpu_linear_as_conv(s);
    return gpu_conv(q, &conv, x, packed, bias, y);
}

gyre_status gpu_linear_dx(gyre_queue *q, const gyre_linear_shape *s, gyre_act dy, gyre_raw packed,
                          gyre_act dx) {
    gyre_conv_shape conv = gpu_linear_as_conv(s);
    return gpu_conv_dx(q, &conv, dy, packed, dx);
}

gyre_status gpu_linear_dw(gyre_queue *q, const gyre_linear_shape *s, gyre_act x, gyre_act dy,
                          gyre_f32 dw, gyre_f32 db) {
    gyre_conv_shape conv = gpu_linear_as_conv(s);
    return gpu_conv_dw(q, &conv, x, dy, dw, db);
}
