/* What a person should know of a file that was read. Internal to src/onnx. */
#ifndef GYRE_ONNX_NOTES_H
#define GYRE_ONNX_NOTES_H

#include "gyre/onnx.h"
#include "import.h"

/* Sets o->notes; failures are in m->work.status. */
void onnx_notes_set(onnx_import *m, gyre_onnx *o);

#endif
