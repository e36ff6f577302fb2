/* The input of a graph. Internal to src/onnx. */
#ifndef GYRE_ONNX_IMAGES_H
#define GYRE_ONNX_IMAGES_H

#include "import.h"

/* Adds the value of the one input that is no initialiser, and sets the size of the images. */
gyre_status onnx_images_add(onnx_import *m);

#endif
