/* Where the pixels of a moved image come from, one source for both backends. In C++ it is for CUDA:
 * cuda/port.h comes before. */
#ifndef GYRE_MOVE_H
#define GYRE_MOVE_H

#include "gyre/batch.h"
#include "gyre/realmath_f32.h"

/* A place along a side of 0 to side - 1, or -1: outside of it. With `reflect` one outside is
 * reflected at the end, which is not repeated; it lies less than a side away. */
GYRE_INLINE int gyre_move_place(int at, int side, int reflect) {
    if (at >= 0 && at < side) return at;
    if (!reflect) return -1;
    return at < 0 ? -at : 2 * (side - 1) - at;
}

/* What row y of h, or column x of w, shows. */
GYRE_INLINE int gyre_move_row(gyre_augment a, int y, int h) {
    return gyre_move_place(y + a.dy, h, a.reflect);
}

GYRE_INLINE int gyre_move_column(gyre_augment a, int x, int w) {
    return gyre_move_place((a.mirror ? w - 1 - x : x) + a.dx, w, a.reflect);
}

#endif
