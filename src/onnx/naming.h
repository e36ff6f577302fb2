/* Names of nodes, and parameters that several nodes share. Internal to src/onnx. */
#ifndef GYRE_ONNX_NAMING_H
#define GYRE_ONNX_NAMING_H

#include "import.h"

/* Sets `tied` of the needed layers, and `apart` where two share a part of their weights, which
 * nodes of gyre do not. */
void onnx_naming_tie(onnx_import *m);
/* Sets `name` of the needed layers: of those with weights as PyTorch's modules are called, of the
 * others by the module or operator that they come from. */
void onnx_naming_names(onnx_import *m);

#endif
