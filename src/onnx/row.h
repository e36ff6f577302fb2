/* A picture as one row of values. Internal to src/onnx. */
#ifndef GYRE_ONNX_ROW_H
#define GYRE_ONNX_ROW_H

#include "import.h"

/* The value is (or becomes, by a flatten node) rows that a linear layer reads as the file's
 * operator does; false: it is none, and the call is refused. *hwc: the file's rows are (h, w, c).
 */
bool onnx_row(onnx_import *m, onnx_call *c, onnx_value *v, bool *hwc);
/* The same as a picture of one pixel, whose channels are the row. */
bool onnx_row_of_one(onnx_import *m, onnx_call *c, onnx_value *v);
/* The same, where the value is a row of several pixels, and the constant has a number for each of
 * it; false: the call was refused. */
bool onnx_row_for(onnx_import *m, onnx_call *c, onnx_value *v, const onnx_constant *k);

#endif
