/* What an initialiser or a pool was in the network that was exported. Internal to src/onnx. */
#ifndef GYRE_ONNX_ORIGIN_H
#define GYRE_ONNX_ORIGIN_H

#include "import.h"

/* Marks the constants among the values that were a buffer, or numbers in forward: PyTorch's dynamo
 * exporter tells it. */
void onnx_origin_mark(onnx_import *m);

/* Whether the windows of a pool are those of a number of bins, as PyTorch's adaptive pools have it:
 * then they follow the size of the example. */
typedef enum { ONNX_POOL_UNTOLD, ONNX_POOL_PLAIN, ONNX_POOL_ADAPTIVE } onnx_pool_origin;
onnx_pool_origin onnx_origin_of_pool(onnx_import *m, const Onnx__NodeProto *n);

#endif
