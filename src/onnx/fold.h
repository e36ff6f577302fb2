/* Operators on constants, which are computed while the file is imported. Internal to src/onnx. */
#ifndef GYRE_ONNX_FOLD_H
#define GYRE_ONNX_FOLD_H

#include "import.h"

/* All inputs are constants. False: it is no operator on shapes or single numbers, and nothing was
 * given. */
bool onnx_fold(onnx_import *m, onnx_call *c);

#endif
