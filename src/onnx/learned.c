/* Parameters that a layer is multiplied by, or that are added to it: nodes scale and bias. What the
 * file computes of a parameter by a factor and a sum, as 1 - g, is made of the same parameter, so
 * that both train together. */
#include "learned.h"

#include "affine.h"
#include "chain.h"
#include "pattern.h"
#include <math.h>

/* times * parameter + plus */
typedef struct {
    onnx_constant *parameter;
    double times, plus;
    bool follows; /* the file computes it so */
} learned;

static bool is_usable(double x) {
    return fabs(x) >= 1e-30 && fabs(x) <= 1e30;
}

/* ---- what a constant follows from */

/* False: no parameter, or not in this way. */
static bool read_learned(onnx_constant *k, learned *out) {
    if (k->base != NULL)
        *out = (learned){k->base, k->times, k->plus, true};
    else
        *out = (learned){k, 1, 0, false};
    return out->parameter->tensor != NULL && !out->parameter->transposed &&
           out->parameter->count == k->count;
}

/* op of what is learned and a number, or (first) of a number and what is learned. */
static bool combine(const onnx_call *c, double x, bool first, learned *p) {
    double times = 1, plus = 0;
    if (onnx_call_is(c, "Add"))
        plus = x;
    else if (onnx_call_is(c, "Sub") && first)
        times = -1, plus = x;
    else if (onnx_call_is(c, "Sub"))
        plus = -x;
    else if (onnx_call_is(c, "Mul"))
        times = x;
    else if (onnx_call_is(c, "Div") && !first)
        times = 1 / x;
    else
        return false;
    p->times *= times;
    p->plus = times * p->plus + plus;
    return is_usable(p->times) && fabs(p->plus) <= 1e30;
}

void onnx_learned_fold(onnx_import *m, const onnx_call *c, onnx_constant *k) {
    learned p = {0};
    double number = -1;
    onnx_constant *a = onnx_constant_in(c, 0), *b = onnx_constant_in(c, 1);
    const bool negative = onnx_call_is(c, "Neg"), first = a != NULL && onnx_parameter_of(a) == NULL;
    onnx_constant *from = first ? b : a, *other = first ? a : b;
    if (from == NULL || k == from || k == other || k->name != NULL || k->integer) return;
    if (onnx_parameter_of(from) == NULL || !read_learned(from, &p)) return;
    if (!onnx_is_parameter(p.parameter) || k->count != from->count) return;
    if (!negative && (other == NULL || onnx_parameter_of(other) != NULL ||
                      !onnx_constant_all(&m->work, other, &number)))
        return;
    if (negative) {
        p.times = -p.times;
        p.plus = -p.plus;
    } else if (!combine(c, number, first, &p)) {
        return;
    }
    k->base = p.parameter;
    k->times = p.times;
    k->plus = p.plus;
}

/* ---- nodes */

static onnx_value give_node(onnx_chain *n, const char *type, onnx_value x, const learned *p) {
    onnx_layer *l = NULL;
    onnx_constant *k = p->parameter;
    double number;
    const bool factor = type[0] == 's', trained = k->trained;
    const bool behind_factor = onnx_layer_is(onnx_layer_of(n->m, &x), "scale");
    const onnx_value y = onnx_chain_add(n, type, x, NULL, &l);
    const bool one = k->count == 1 && onnx_size_of(n->m, &x)[ONNX_AXIS_C] > 1;
    if (l == NULL) return y;
    if (onnx_constant_all(&n->m->work, k, &number) && isfinite(number) && number != factor)
        onnx_option(&n->m->work, l, "initial", onnx_short(number));
    if (one) onnx_option_flag(&n->m->work, l, "by_channel", false);
    onnx_layer_weight(l, factor ? "weight" : "bias", k);
    l->follows = p->follows;
    l->doubtful = !trained && !behind_factor && (one || !factor) &&
                  onnx_file_is_by(n->m->work.file, "pytorch");
    return y;
}

/* (times * parameter + plus) x */
static void multiply(onnx_chain *n, onnx_value x, const learned *p) {
    const onnx_value scaled = give_node(n, "scale", x, p);
    const onnx_value y = onnx_chain_affine(n, scaled, p->times, 0);
    if (p->plus == 0) return;
    const onnx_value rest = onnx_chain_affine(n, x, p->plus, 0);
    onnx_chain_add(n, "add", rest, &y, NULL);
}

/* sign x + times * parameter + plus: the bias is added to what is divided by its factor. */
static void add(onnx_chain *n, onnx_value x, double sign, const learned *p) {
    const onnx_value divided = onnx_chain_affine(n, x, sign / p->times, 0);
    const onnx_value y = give_node(n, "bias", divided, p);
    onnx_chain_affine(n, y, p->times, p->plus);
}

/* It is told by its name, or in another file than PyTorch's and gyre's by dynamo's notes: other
 * constants of one number may have names that mean nothing. */
bool onnx_is_trained(const onnx_import *m, const onnx_constant *k) {
    const bool told = !m->marked && (onnx_file_is_by(m->work.file, "pytorch") ||
                                     onnx_file_is_by(m->work.file, "gyre"));
    return onnx_parameter_of(k) != NULL && (told || k->trained);
}

/* A bias of a convolution or linear layer, or of a norm without one, may have lost its name. */
static bool takes_bias(const onnx_layer *l) {
    return l != NULL && onnx_layer_find_weight(l, "bias") == NULL &&
           (l->plain || onnx_layer_is(l, "conv") || onnx_layer_is(l, "linear"));
}

static bool may_learn(onnx_import *m, const onnx_call *c, const onnx_value *v,
                      const onnx_constant *k, const onnx_constant *parameter) {
    if (onnx_is_literal(parameter)) return false;
    if (!onnx_by_channel(m, v, k)) return k->count == 1 && onnx_is_trained(m, parameter);
    if (onnx_is_parameter(parameter) || onnx_call_is(c, "Mul")) return true;
    return onnx_call_is(c, "Add") && takes_bias(onnx_layer_of(m, v));
}

bool onnx_give_learned(onnx_import *m, onnx_call *c, onnx_value *v, onnx_constant *k, bool first) {
    learned p;
    onnx_chain n = {m, c, false};
    const bool product = onnx_call_is(c, "Mul"), minus = onnx_call_is(c, "Sub");
    if (!(product || minus || onnx_call_is(c, "Add")) || c->out[0] == NULL) return false;
    if (!read_learned(k, &p) || !may_learn(m, c, v, k, p.parameter)) return false;
    if (minus && !first) {
        p.times = -p.times;
        p.plus = -p.plus;
    }
    const onnx_value x = *v;
    if (product)
        multiply(&n, x, &p);
    else
        add(&n, x, minus && first ? -1 : 1, &p);
    return true;
}

/* ---- in place of steps */

void onnx_stand_ins(onnx_import *m) {
    int *places = onnx_take(&m->work, (size_t)m->layers.count, sizeof *places);
    if (places == NULL) return;
    for (int i = 0; i < m->layers.count; i++) {
        onnx_layer *l = onnx_layer_at(m, i);
        const bool replaced = l->stand_in > 0 && onnx_is_step(l, l->from->op_type);
        for (int k = 0; k < l->input_count; k++) {
            if (l->inputs[k] >= 0) l->inputs[k] = places[l->inputs[k]];
        }
        places[i] = replaced ? l->stand_in - 1 : i;
    }
    m->output = places[m->output];
}

/* ---- trained here, and a constant there */

/* The name of a parameter that the constant is made of and a node trains; NULL: there is none. */
static const char *trained_of(const onnx_values *trained, const onnx_constant *k) {
    const char *parameter = onnx_parameter_of(k);
    for (int i = 1; parameter != NULL && onnx_values_find(trained, parameter) == NULL; i++)
        parameter = onnx_parameter_at(k, i);
    return parameter;
}

gyre_status onnx_learned_check(onnx_import *m) {
    onnx_values trained;
    onnx_values_open(&m->work, &trained, m->layers.count * ONNX_LAYER_WEIGHTS);
    GYRE_TRY(m->work.status);
    for (int i = 0; i < m->layers.count; i++) {
        const onnx_layer *l = onnx_layer_at(m, i);
        for (int k = 0; l->needed && k < l->weight_count; k++) {
            const onnx_constant *w = l->weights[k].constant;
            if (!onnx_is_statistic(l->weights[k].suffix) && onnx_is_parameter(w))
                onnx_values_add(&trained, w->name);
        }
    }
    for (int i = 0; i < m->layers.count; i++) {
        const onnx_layer *l = onnx_layer_at(m, i);
        const bool constant = onnx_layer_is(l, "affine") || onnx_layer_is(l, "positions");
        const bool made = l->needed && constant && l->made_of != NULL;
        const char *parameter = made ? trained_of(&trained, l->made_of) : NULL;
        if (parameter == NULL) continue;
        return gyre_fail(GYRE_EIO,
                         "'%s': node %.60s (%.40s) has a constant that follows from %.100s, which "
                         "another node trains: gyre would train one of them alone; a product with "
                         "the parameter, a multiple of it, or 1 minus it, and a sum are one with "
                         "it",
                         m->work.file->path, l->from->name == NULL ? "" : l->from->name,
                         l->from->op_type, parameter);
    }
    return GYRE_OK;
}
