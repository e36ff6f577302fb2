/* What the file does to the images before any layer reads them. Internal to src/onnx. */
#ifndef GYRE_ONNX_AFFINE_H
#define GYRE_ONNX_AFFINE_H

#include "gyre/onnx.h"
#include "import.h"

/* The constant has a number for each channel of the value, in its place, and 1 elsewhere. */
bool onnx_by_channel(const onnx_import *m, const onnx_value *v, const onnx_constant *k);
/* images op constant, or constant op images (`first`): one more step of their normalisation. */
void onnx_affine_step(onnx_import *m, onnx_call *c, onnx_value *v, onnx_constant *k, bool first);
/* All steps together, as `o` tells them. GYRE_EIO: they are no normalisation. */
gyre_status onnx_affine_finish(onnx_import *m, gyre_onnx *o);

#endif
