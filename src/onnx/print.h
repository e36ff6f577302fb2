/* The layers as the text of a network. Internal to src/onnx. */
#ifndef GYRE_ONNX_PRINT_H
#define GYRE_ONNX_PRINT_H

#include "import.h"

/* {"nodes": [...]} of the needed layers, all of which have a type and a name. free() it; NULL: out
 * of memory. The layer that gives one output for each class says so. */
char *onnx_print(const onnx_import *m);

#endif
