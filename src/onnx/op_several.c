/* Activations that become several nodes, each of which reads those before it. */
#include "affine.h"
#include "attribute.h"
#include "chain.h"
#include "learned.h"
#include "operators.h"
#include "row.h"
#include <math.h>

static onnx_value act(onnx_chain *n, const char *type, onnx_value x) {
    return onnx_chain_add(n, type, x, NULL, NULL);
}

static onnx_value elu(onnx_chain *n, onnx_value x, double alpha) {
    onnx_layer *l = NULL;
    if (alpha == 0) return act(n, "relu", x);
    onnx_value y = onnx_chain_add(n, "elu", x, NULL, &l);
    if (l != NULL && alpha != 1) onnx_option(&n->m->work, l, "alpha", onnx_short(alpha));
    return y;
}

/* The chain of a call whose output somebody may read; false: the call was refused, or is idle. */
static bool begin(onnx_import *m, onnx_call *c, onnx_chain *n) {
    *n = (onnx_chain){m, c, false};
    return onnx_is_picture(m, c, 0) && c->out[0] != NULL;
}

/* ---- exponentials below 0 */

static bool takes_alpha(onnx_import *m, onnx_call *c, double alpha, double least) {
    if ((alpha >= 1e-6 || alpha == least) && alpha <= 1e6) return true;
    onnx_refuse(m, c, "gyre's alpha is 1e-6 to 1e6%s, this one is %g", least == 0 ? ", or 0" : "",
                alpha);
    return false;
}

void onnx_op_elu(onnx_import *m, onnx_call *c) {
    const double alpha = onnx_real(c->node, "alpha", 1);
    onnx_chain n;
    if (begin(m, c, &n) && takes_alpha(m, c, alpha, 0)) elu(&n, *c->in[0], alpha);
}

/* alpha (exp(x / alpha) - 1) below 0, else x: an ELU of x / alpha, times alpha. */
void onnx_op_celu(onnx_import *m, onnx_call *c) {
    const double alpha = onnx_real(c->node, "alpha", 1);
    onnx_chain n;
    if (!begin(m, c, &n) || !takes_alpha(m, c, alpha, 1e-6)) return;
    onnx_chain_affine(&n, elu(&n, onnx_chain_affine(&n, *c->in[0], 1 / alpha, 0), 1), alpha, 0);
}

/* gamma ELU(x) */
void onnx_op_selu(onnx_import *m, onnx_call *c) {
    const double alpha = onnx_real(c->node, "alpha", 1.67326319217681884765625);
    const double gamma = onnx_real(c->node, "gamma", 1.05070102214813232421875);
    onnx_chain n;
    if (!begin(m, c, &n) || !takes_alpha(m, c, alpha, 0)) return;
    if (fabs(gamma) <= 1e30)
        onnx_chain_affine(&n, elu(&n, *c->in[0], alpha), gamma, 0);
    else
        onnx_refuse(m, c, "its gamma is %g", gamma);
}

/* ---- learned slopes */

/* relu(x) + w (x - relu(x)); w is one number, or one for each channel. */
void onnx_op_prelu(onnx_import *m, onnx_call *c) {
    onnx_chain n;
    double number = 1;
    onnx_layer *l = NULL;
    if (!begin(m, c, &n) || !onnx_is_weight(m, c, 1)) return;
    onnx_constant *w = onnx_constant_in(c, 1);
    if (!onnx_row_for(m, c, c->in[0], w)) return;
    onnx_value x = *c->in[0];
    const bool one = w->count == 1;
    if (!one && !onnx_by_channel(m, &x, w)) {
        onnx_refuse(m, c, "its slope is neither one number, nor one for each channel");
        return;
    }
    const onnx_value above = act(&n, "relu", x), minus = onnx_chain_affine(&n, above, -1, 0);
    const onnx_value below = onnx_chain_add(&n, "add", x, &minus, NULL);
    const onnx_value scaled = onnx_chain_add(&n, "scale", below, NULL, &l);
    if (l == NULL) return;
    if (one && onnx_size_of(m, &x)[ONNX_AXIS_C] > 1)
        onnx_option_flag(&m->work, l, "by_channel", false);
    if (onnx_constant_all(&m->work, w, &number) && isfinite(number) && number != 1)
        onnx_option(&m->work, l, "initial", onnx_short(number));
    onnx_layer_weight(l, "weight", w);
    onnx_chain_add(&n, "add", above, &scaled, NULL);
}

/* ---- bounds */

/* Larger ones bound nothing: no number of a network that works is so large. */
#define BOUND_MOST 1e30

/* out min(relu(in x), high) of a positive bound. */
static onnx_value at_most(onnx_chain *n, onnx_value x, double in, double high, double out) {
    if (high >= BOUND_MOST)
        return onnx_chain_affine(n, act(n, "relu", onnx_chain_affine(n, x, in, 0)), out, 0);
    return onnx_chain_affine(n, act(n, "relu6", onnx_chain_affine(n, x, in * 6 / high, 0)),
                             out * high / 6, 0);
}

/* Bounds on both sides of 0 by both sides apart, where nothing cancels; others by moving x. */
static void clip(onnx_chain *n, onnx_value x, double low, double high) {
    if (low == 0) {
        at_most(n, x, 1, high, 1);
    } else if (high == 0) {
        at_most(n, x, -1, -low, -1);
    } else if (low < 0 && high > 0) {
        const onnx_value above = at_most(n, x, 1, high, 1), below = at_most(n, x, -1, -low, -1);
        onnx_chain_add(n, "add", above, &below, NULL);
    } else if (low > 0) {
        onnx_chain_affine(n, at_most(n, onnx_chain_affine(n, x, 1, -low), 1, high - low, 1), 1,
                          low);
    } else {
        onnx_chain_affine(n, at_most(n, onnx_chain_affine(n, x, -1, high), 1, high - low, 1), -1,
                          high);
    }
}

static void give_clipped(onnx_import *m, onnx_call *c, double low, double high) {
    onnx_chain n;
    if (!begin(m, c, &n)) return;
    if (isnan(low) || isnan(high))
        onnx_refuse(m, c, "its bounds are not single numbers that the file has, or are trained");
    else if (low <= -BOUND_MOST && high >= BOUND_MOST)
        onnx_give_same(c, c->in[0]);
    else if (low < high && low < BOUND_MOST && high > -BOUND_MOST)
        clip(&n, *c->in[0], low, high);
    else
        onnx_refuse(m, c, "it clips to %g..%g", low, high);
}

/* A bound of Clip: an attribute before opset 11, then an input. */
static double bound(onnx_import *m, const onnx_call *c, int k, const char *name, double otherwise) {
    double x = onnx_real(c->node, name, otherwise);
    onnx_constant *given = onnx_constant_in(c, k);
    if (k < c->in_count && c->in[k] != NULL && given == NULL) return NAN;
    if (given != NULL && !onnx_constant_all(&m->work, given, &x)) return NAN;
    return given != NULL && onnx_is_trained(m, given) ? NAN : x;
}

void onnx_op_clip(onnx_import *m, onnx_call *c) {
    if (onnx_is_picture(m, c, 0))
        give_clipped(m, c, bound(m, c, 1, "min", -INFINITY), bound(m, c, 2, "max", INFINITY));
}

/* Max or Min of a picture and a number, as dynamo writes bounds that are whole numbers. */
void onnx_op_bound(onnx_import *m, onnx_call *c) {
    double number = NAN;
    const int place = onnx_constant_in(c, 0) != NULL ? 1 : 0;
    if (c->in_count != 2) {
        onnx_refuse(m, c, "gyre has it with one number alone");
        return;
    }
    if (!onnx_is_picture(m, c, place) || !onnx_is_weight(m, c, 1 - place)) return;
    onnx_constant *k = onnx_constant_in(c, 1 - place);
    if (!onnx_constant_all(&m->work, k, &number) || onnx_is_trained(m, k)) number = NAN;
    const bool least = onnx_call_is(c, "Max");
    c->in[0] = c->in[place];
    give_clipped(m, c, least ? number : -INFINITY, least ? INFINITY : number);
}
