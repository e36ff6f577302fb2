/* Chains of layers; see chain.h. */
#include "chain.h"

onnx_value onnx_chain_add(onnx_chain *n, const char *type, onnx_value a, const onnx_value *b,
                          onnx_layer **made) {
    onnx_value second = b == NULL ? a : *b, *in[] = {&a, &second};
    onnx_layer *l = n->failed ? NULL : onnx_give(n->m, n->c, type, in, b == NULL ? 1 : 2);
    if (made != NULL) *made = l;
    n->failed = l == NULL;
    return l == NULL ? a : *n->c->out[0];
}

onnx_value onnx_chain_affine(onnx_chain *n, onnx_value x, double factor, double shift) {
    onnx_layer *l = NULL;
    if (factor == 1 && shift == 0) return x;
    onnx_value y = onnx_chain_add(n, "affine", x, NULL, &l);
    if (l != NULL && factor != 1) onnx_option(&n->m->work, l, "factor", onnx_short(factor));
    if (l != NULL && shift != 0) onnx_option(&n->m->work, l, "shift", onnx_short(shift));
    return y;
}
