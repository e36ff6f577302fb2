/* Which layers the output needs. Internal to src/onnx. */
#ifndef GYRE_ONNX_NEEDED_H
#define GYRE_ONNX_NEEDED_H

#include "import.h"

/* Sets `needed` and `uses` of all layers. */
void onnx_needed_mark(onnx_import *m);
/* GYRE_EIO that lists the needed layers which are not supported, with their operators and why. */
gyre_status onnx_needed_check(const onnx_import *m);
/* GYRE_EIO: they are more than a network may have. */
gyre_status onnx_needed_count(const onnx_import *m);

#endif
