/* Patterns of steps that are one node of gyre. Internal to src/onnx. */
#ifndef GYRE_ONNX_PATTERN_H
#define GYRE_ONNX_PATTERN_H

#include "import.h"

/* The call's output is a product (Mul, Div): where it ends an activation's pattern, the activation
 * takes its place. */
void onnx_pattern_product(onnx_import *m, onnx_call *c);
/* The layer is a step of this operator, which was not refused. */
bool onnx_is_step(const onnx_layer *l, const char *op);
/* Div of two layers: the end of a layer norm without weights, or of an LRN. */
void onnx_pattern_quotient(onnx_import *m, onnx_call *c);
/* Of two layers, the end of an LRN, which takes its place; false: it is none. */
bool onnx_pattern_lrn(onnx_import *m, onnx_call *c);
/* `place` is the square of the output of layer `of`. */
bool onnx_pattern_is_square(const onnx_import *m, int place, int of);

#endif
