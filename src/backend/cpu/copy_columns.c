/* Columns of a matrix, copied into another. */
#include "cpu.h"

#include <string.h>

gyre_status cpu_copy_columns(gyre_queue *q, const gyre_copy_shape *s, gyre_act x, gyre_act y) {
    size_t one = q->backend->act_size, bytes = (size_t)s->columns * one;
    const char *from = cpu_act_at(q, x, (size_t)s->x_begin);
    char *to = cpu_act_at(q, y, (size_t)s->y_begin);
    for (size_t row = 0; row < s->rows; row++) {
        memcpy(to + row * (size_t)s->y_stride * one, from + row * (size_t)s->x_stride * one, bytes);
    }
    return GYRE_OK;
}
