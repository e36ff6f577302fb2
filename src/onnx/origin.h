/* What an initialiser was in the network that was exported. Internal to src/onnx. */
#ifndef GYRE_ONNX_ORIGIN_H
#define GYRE_ONNX_ORIGIN_H

#include "import.h"

/* Marks the constants among the values that were a buffer, or numbers in forward: PyTorch's dynamo
 * exporter tells it. */
void onnx_origin_mark(onnx_import *m);

#endif
