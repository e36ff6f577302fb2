/* The numbers of a tensor, in the file or beside it. Internal to src/onnx. */
#ifndef GYRE_ONNX_NUMBERS_H
#define GYRE_ONNX_NUMBERS_H

#include "tensor.h"

/* Reads all of them as doubles, or as the floats nearest to them. onnx_tensor_check() has passed.
 */
gyre_status onnx_numbers_doubles(const onnx_file *f, const Onnx__TensorProto *t, double *out);
gyre_status onnx_numbers_floats(const onnx_file *f, const Onnx__TensorProto *t, float *out);

#endif
