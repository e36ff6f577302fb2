/* Parameters that a layer is multiplied by, or that are added to it. Internal to src/onnx. */
#ifndef GYRE_ONNX_LEARNED_H
#define GYRE_ONNX_LEARNED_H

#include "import.h"

/* Training changes the constant: by its value it is neither idle nor a number of a pattern. The
 * file's exporter tells so, or its names are those of PyTorch's network. */
bool onnx_is_trained(const onnx_import *m, const onnx_constant *k);
/* The call, Mul, Add or Sub of the value and a constant (`first`: that comes first), as layers that
 * learn, where the constant is a parameter, or times * parameter + plus; false: it is none, or the
 * operator is another one, and nothing was given. */
bool onnx_give_learned(onnx_import *m, onnx_call *c, onnx_value *v, onnx_constant *k, bool first);
/* Layers that steps kept for the case that no pattern takes them take their places. */
void onnx_stand_ins(onnx_import *m);
/* GYRE_EIO: a parameter is trained in one place and a constant in another. */
gyre_status onnx_learned_check(onnx_import *m);
/* Sums, differences, multiples and quotients of a parameter and a number: how the result `k` of a
 * fold follows from the parameter. */
void onnx_learned_fold(onnx_import *m, const onnx_call *c, onnx_constant *k);

#endif
