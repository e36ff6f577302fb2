/* Nodes that gyre has as part of the node before them. Internal to src/onnx. */
#ifndef GYRE_ONNX_FUSE_H
#define GYRE_ONNX_FUSE_H

#include "import.h"

/* ReLU behind a convolution, linear layer or batch norm, and the sum of a batch norm and another
 * layer: the same values with fewer passes over memory. Marks what is needed anew. */
void onnx_fuse(onnx_import *m);

#endif
