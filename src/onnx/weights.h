/* The weights of layers as gyre's parameters. Internal to src/onnx. */
#ifndef GYRE_ONNX_WEIGHTS_H
#define GYRE_ONNX_WEIGHTS_H

#include "gyre/onnx.h"
#include "import.h"

struct gyre_onnx_source {
    onnx_constant *constant;
    bool filters; /* (k, c, r, s) in the file, (k, r, s, c) here */
};

/* The list of all weights of the needed layers, in m's memory. GYRE_EIO: one has a shape that no
 * parameter has. */
gyre_status onnx_weights_list(onnx_import *m, const gyre_onnx_weight **out, int *count);
gyre_status onnx_weights_read(const onnx_import *m, const gyre_onnx_weight *w, float *out);
/* A type that became float32, "float16", NULL: none did. */
const char *onnx_weights_converted(const gyre_onnx_weight *list, int count);

#endif
