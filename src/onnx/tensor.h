/* What a tensor of the file says of itself. Internal to src/onnx. */
#ifndef GYRE_ONNX_TENSOR_H
#define GYRE_ONNX_TENSOR_H

#include "file.h"
#include "view.h"
#include <stdbool.h>

/* Its shape and type, and that as many numbers as these ask for are there; `file` has the tensor.
 * GYRE_EIO names the tensor and what is wrong. */
gyre_status onnx_tensor_check(const onnx_file *f, const Onnx__TensorProto *t, size_t *count);
const char *onnx_tensor_name(const Onnx__TensorProto *t); /* for messages */
bool onnx_tensor_is_outside(const Onnx__TensorProto *t);  /* its numbers lie in another file */

/* Whole numbers, flags among them; and the others. */
bool onnx_type_is_integer(int type);
bool onnx_type_is_real(int type);
size_t onnx_type_bytes(int type); /* of a number in raw data; 0: not known */
/* Where the numbers of a type lie that are not raw bytes. */
typedef enum {
    ONNX_IN_FLOATS,
    ONNX_IN_INT32,
    ONNX_IN_INT64,
    ONNX_IN_DOUBLES,
    ONNX_IN_UINT64
} onnx_field;
onnx_field onnx_type_field(int type);
/* "float16", for messages. */
const char *onnx_type_name(int type);

#endif
