/* Names of nodes. Internal to src/onnx. */
#ifndef GYRE_ONNX_NAMING_H
#define GYRE_ONNX_NAMING_H

#include "import.h"

/* Sets `name` of the needed layers: of those with weights as PyTorch's modules are called, of the
 * others by the module or operator that they come from. */
void onnx_naming_names(onnx_import *m);

#endif
