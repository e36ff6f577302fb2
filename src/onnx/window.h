/* Sizes, steps and padding of the windows of Conv and of pools. Internal to src/onnx. */
#ifndef GYRE_ONNX_WINDOW_H
#define GYRE_ONNX_WINDOW_H

#include "import.h"

enum { WINDOW_TOP, WINDOW_LEFT, WINDOW_BOTTOM, WINDOW_RIGHT };

/* Along height and width. */
typedef struct {
    int64_t size[2], stride[2], dilation[2], pad[4];
} onnx_window;

/* What the call's attributes say, for pictures of `in`; of a convolution `filters` is the size of
 * its weights, else NULL. False: they contradict each other or the filters, or cannot be, and the
 * call is refused. */
bool onnx_window_read(onnx_import *m, onnx_call *c, const int64_t in[2], const int64_t *filters,
                      onnx_window *out);
/* From the first pixel of a window to its last one. */
int64_t onnx_window_extent(const onnx_window *o, int k);

#endif
