/* Where: of two layers by flags that the file has, as torch.lerp is written, and the end of
 * dynamo's softplus. */
#include "affine.h"
#include "chain.h"
#include "learned.h"
#include "operators.h"
#include "pattern.h"
#include <math.h>
#include <string.h>

/* x above a number, from which on softplus is x to a float's precision, else softplus(x). */
static bool is_softplus(const onnx_import *m, const onnx_call *c) {
    enum { FROM = 17 };
    const onnx_layer *flag = onnx_layer_of(m, c->in[0]), *soft = onnx_layer_of(m, c->in[2]);
    const bool greater = onnx_is_step(flag, "Greater") && flag->number >= FROM;
    return greater && !flag->number_first && onnx_is_step(soft, "Softplus") &&
           c->in[1]->kind == ONNX_PICTURE && flag->inputs[0] == c->in[1]->layer &&
           soft->inputs[0] == c->in[1]->layer;
}

/* x times numbers for each channel, of 0 and 1: `which` are 1. */
static onnx_value chosen(onnx_chain *n, onnx_value x, onnx_constant *flags, bool which) {
    onnx_layer *l = NULL;
    const int64_t channels = (int64_t)flags->count;
    const double *read = onnx_constant_read(&n->m->work, flags);
    onnx_constant *factor = onnx_constant_make(&n->m->work, 1, &channels, false);
    onnx_constant *shift = onnx_constant_make(&n->m->work, 1, &channels, false);
    n->failed = n->failed || read == NULL || factor == NULL || shift == NULL;
    const onnx_value y = onnx_chain_add(n, "affine", x, NULL, &l);
    if (l == NULL) return y;
    for (int64_t i = 0; i < channels; i++) factor->values[i] = (read[i] != 0) == which;
    onnx_option_flag(&n->m->work, l, "by_channel", true);
    onnx_layer_weight(l, "factor", factor);
    onnx_layer_weight(l, "shift", shift);
    return y;
}

static void choose(onnx_import *m, onnx_call *c, onnx_constant *flags) {
    double number;
    onnx_chain n = {m, c, c->out[0] == NULL};
    if (onnx_constant_all(&m->work, flags, &number)) {
        onnx_give_same(c, c->in[number != 0 ? 1 : 2]);
        return;
    }
    if (!onnx_by_channel(m, c->in[1], flags)) {
        onnx_refuse(m, c, "gyre chooses between two layers for each channel alone");
        return;
    }
    const onnx_value a = chosen(&n, *c->in[1], flags, true);
    const onnx_value b = chosen(&n, *c->in[2], flags, false);
    onnx_chain_add(&n, "add", a, &b, NULL);
}

void onnx_op_where(onnx_import *m, onnx_call *c) {
    onnx_constant *flags = onnx_constant_in(c, 0);
    if (c->in_count != 3 || c->in[0] == NULL || c->in[1] == NULL || c->in[2] == NULL) {
        onnx_refuse(m, c, "it has not three inputs");
        return;
    }
    if (onnx_mask_chosen(m, c)) return;
    if (flags == NULL && is_softplus(m, c)) {
        onnx_give_same(c, c->in[2]);
        return;
    }
    if (!onnx_is_picture(m, c, 1) || !onnx_is_picture(m, c, 2)) return;
    const onnx_view *a = &c->in[1]->view, *b = &c->in[2]->view;
    const int64_t *x = onnx_size_of(m, c->in[1]), *y = onnx_size_of(m, c->in[2]);
    bool alike = memcmp(&x[1], &y[1], 3 * sizeof *x) == 0 && a->rank == b->rank;
    for (int i = 0; alike && i < a->rank; i++) alike = onnx_view_same_dimension(a, b, i);
    if (flags == NULL || !alike)
        onnx_refuse(m, c, "the images decide what it chooses, or its sides have other shapes");
    else
        choose(m, c, flags);
}

/* Greater, of a layer and a number: a step of a pattern. */
void onnx_op_greater(onnx_import *m, onnx_call *c) {
    double number = NAN;
    onnx_constant *k = onnx_constant_in(c, 1);
    if (!onnx_is_picture(m, c, 0) || !onnx_is_weight(m, c, 1)) return;
    if (!onnx_constant_all(&m->work, k, &number) || onnx_is_trained(m, k)) number = NAN;
    onnx_give_step(m, c, &c->in[0], 1, number);
}
