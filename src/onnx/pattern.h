/* Patterns of steps that are one node of gyre. Internal to src/onnx. */
#ifndef GYRE_ONNX_PATTERN_H
#define GYRE_ONNX_PATTERN_H

#include "import.h"

/* The call's output is a product (Mul, Div): where it ends an activation's pattern, the activation
 * takes its place. */
void onnx_pattern_product(onnx_import *m, onnx_call *c);
/* Div of two layers: the end of a layer norm without weights, or of an LRN. */
void onnx_pattern_quotient(onnx_import *m, onnx_call *c);

#endif
