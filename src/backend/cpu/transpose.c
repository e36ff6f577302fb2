/* Matrices, their rows and columns exchanged; in tiles, so that both sides stay in the cache. */
#include "cpu.h"

enum { TILE = 16 };

/* One tile of elements of type T, at most TILE x TILE. */
#define TILE_OF(T)                                                                                 \
    static void tile_of_##T(size_t rows, size_t columns, size_t x_stride, size_t y_stride,         \
                            const T *x, T *y) {                                                    \
        for (size_t j = 0; j < columns; j++) {                                                     \
            for (size_t i = 0; i < rows; i++) y[j * y_stride + i] = x[i * x_stride + j];           \
        }                                                                                          \
    }
TILE_OF(uint16_t)
TILE_OF(uint32_t)

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

gyre_status cpu_transpose(gyre_queue *q, const gyre_transpose_shape *s, gyre_act x, gyre_act y) {
    size_t rows = (size_t)s->rows, columns = (size_t)s->columns;
    for (size_t n = 0; n < (size_t)s->n; n++) {
        for (size_t i = 0; i < rows; i += TILE) {
            for (size_t j = 0; j < columns; j += TILE) {
                const void *from = cpu_act_at(q, x, (n * rows + i) * columns + j);
                void *to = cpu_act_at(q, y, (n * columns + j) * rows + i);
                size_t down = least(rows - i, TILE), across = least(columns - j, TILE);
                if (cpu_bf16(q))
                    tile_of_uint16_t(down, across, columns, rows, from, to);
                else
                    tile_of_uint32_t(down, across, columns, rows, from, to);
            }
        }
    }
    return GYRE_OK;
}
