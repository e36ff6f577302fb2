/* Several layers in place of one operator, each of which reads those before it. Internal to
 * src/onnx. */
#ifndef GYRE_ONNX_CHAIN_H
#define GYRE_ONNX_CHAIN_H

#include "import.h"

typedef struct {
    onnx_import *m;
    onnx_call *c;
    bool failed; /* a node was refused, or there is no memory: no more are given */
} onnx_chain;

/* The output of one more node of one input or two, which is the call's so far; *made is the node,
 * NULL: there is none. */
onnx_value onnx_chain_add(onnx_chain *n, const char *type, onnx_value a, const onnx_value *b,
                          onnx_layer **made);
/* factor x + shift */
onnx_value onnx_chain_affine(onnx_chain *n, onnx_value x, double factor, double shift);

#endif
