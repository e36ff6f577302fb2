/* Arithmetic on constants, and choosing among their numbers. Internal to src/onnx. */
#ifndef GYRE_ONNX_FOLD_MATH_H
#define GYRE_ONNX_FOLD_MATH_H

#include "import.h"

/* NULL: it is no such operator, or its constants are too large to compute with. */
onnx_constant *onnx_math_fold(onnx_import *m, const onnx_call *c);
/* A number as the other type has it. */
double onnx_math_cast(double x, bool integer);

#endif
