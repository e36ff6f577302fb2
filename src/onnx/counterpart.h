/* What weights are in PyTorch's network. Internal to src/onnx. */
#ifndef GYRE_ONNX_COUNTERPART_H
#define GYRE_ONNX_COUNTERPART_H

#include "import.h"

/* Sets the options "names" and "shapes" of the needed layers, which have their names. */
void onnx_counterparts(onnx_import *m);

#endif
