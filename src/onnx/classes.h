/* The layers that have as many outputs as there are classes. Internal to src/onnx. */
#ifndef GYRE_ONNX_CLASSES_H
#define GYRE_ONNX_CLASSES_H

#include "import.h"

/* Linear layers and convolutions whose outputs are the network's, but for what keeps their number
 * behind them, write "classes" in place of it. A network that ends otherwise stays as it is. */
void onnx_classes_mark(onnx_import *m);

#endif
