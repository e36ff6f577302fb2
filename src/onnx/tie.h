/* Layers that share their parameters. Internal to src/onnx. */
#ifndef GYRE_ONNX_TIE_H
#define GYRE_ONNX_TIE_H

#include "import.h"

/* A needed layer with the parameters of an earlier one uses that one's; a tensor that two share in
 * part is noted. */
void onnx_tie(onnx_import *m);

#endif
