/* Nodes that compute the same. Internal to src/onnx. */
#ifndef GYRE_ONNX_EQUAL_H
#define GYRE_ONNX_EQUAL_H

#include "import.h"

/* The call is that of an earlier node over again: the same operator and attributes, on the same
 * inputs. Its output becomes the earlier one's then, so that patterns find one layer. Else *key is
 * what to keep it by once it has run; 0: it has no equal. */
bool onnx_equal_take(onnx_import *m, const onnx_call *c, uint64_t *key);
void onnx_equal_keep(onnx_import *m, const onnx_call *c, uint64_t key);

#endif
