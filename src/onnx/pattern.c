/* Activations that exporters write by their formulas. A product is a number times a list of
 * layers, whatever the order in which the exporter multiplied. */
#include "pattern.h"

#include <math.h>
#include <string.h>

enum { FACTORS_MAX = 8, NONE = ONNX_IMAGES - 1 /* no layer, nor the images */ };

typedef struct {
    double number;
    int factors[FACTORS_MAX], count; /* layers, in order; count < 0: too many */
} product;

bool onnx_is_step(const onnx_layer *l, const char *op) {
    return l != NULL && l->type == NULL && l->why == NULL && !l->silent &&
           strcmp(l->from->op_type, op) == 0;
}

static bool is_close(double a, double b) {
    return fabs(a - b) <= 1e-5 * fabs(b);
}

static void add_factor(product *p, int place) {
    if (p->count < 0 || p->count == FACTORS_MAX) {
        p->count = -1;
        return;
    }
    int at = p->count++;
    for (; at > 0 && p->factors[at - 1] > place; at--) p->factors[at] = p->factors[at - 1];
    p->factors[at] = place;
}

static void collect(const onnx_import *m, int place, int depth, product *p) {
    const onnx_layer *l = onnx_layer_at(m, place);
    if (p->count < 0) return;
    bool numbered = l != NULL && !isnan(l->number) && !l->number_first;
    if (depth < FACTORS_MAX && numbered && (onnx_is_step(l, "Mul") || onnx_is_step(l, "Div"))) {
        p->number = onnx_is_step(l, "Mul") ? p->number * l->number : p->number / l->number;
        collect(m, l->inputs[0], depth + 1, p);
    } else if (depth < FACTORS_MAX && onnx_layer_is(l, "mul")) {
        collect(m, l->inputs[0], depth + 1, p);
        collect(m, l->inputs[1], depth + 1, p);
    } else {
        add_factor(p, place);
    }
}

static product product_of(const onnx_import *m, int place) {
    product p = {.number = 1};
    collect(m, place, 0, &p);
    return p;
}

/* Both have the same layers, once factor `skip` of `a` is left out (< 0: none). */
static bool same_factors(const product *a, int skip, const product *b) {
    int at = 0;
    if (a->count < 0 || b->count < 0 || a->count - (skip >= 0) != b->count) return false;
    for (int i = 0; i < a->count; i++) {
        if (i != skip && a->factors[i] != b->factors[at++]) return false;
    }
    return true;
}

/* What a step adds 1 (or another number) to; NULL: it is no such step. */
static const onnx_layer *plus(const onnx_import *m, const onnx_layer *l, double number) {
    return onnx_is_step(l, "Add") && l->number == number ? onnx_layer_at(m, l->inputs[0]) : NULL;
}

/* The factor x of a product p, which is number x and factor k: both may have numbers in them. */
static bool is_times(const product *p, int k, double number, const product *x) {
    return fabs(p->number - number * x->number) <= 1e-5 * fabs(p->number) && same_factors(p, k, x);
}

/* The layer, below steps that multiply by numbers, whose own number is this one. */
static int place_with(const onnx_import *m, int place, double number) {
    const onnx_layer *l = onnx_layer_at(m, place);
    while (!is_close(product_of(m, place).number, number)) {
        bool numbered = l != NULL && !isnan(l->number) && !l->number_first;
        if (!numbered || !(onnx_is_step(l, "Mul") || onnx_is_step(l, "Div"))) return NONE;
        place = l->inputs[0];
        l = onnx_layer_at(m, place);
    }
    return place;
}

/* ---- each activation: the place of its x, or NONE */

/* x sigmoid(x) */
static int match_silu(const onnx_import *m, const product *p, int k) {
    const onnx_layer *l = onnx_layer_at(m, p->factors[k]);
    if (!onnx_layer_is(l, "sigmoid")) return NONE;
    const product x = product_of(m, l->inputs[0]);
    return is_times(p, k, 1, &x) ? l->inputs[0] : NONE;
}

/* x tanh(softplus(x)) */
static int match_mish(const onnx_import *m, const product *p, int k) {
    const onnx_layer *l = onnx_layer_at(m, p->factors[k]);
    const onnx_layer *soft = onnx_layer_is(l, "tanh") ? onnx_layer_at(m, l->inputs[0]) : NULL;
    if (!onnx_is_step(soft, "Softplus")) return NONE;
    const product x = product_of(m, soft->inputs[0]);
    return is_times(p, k, 1, &x) ? soft->inputs[0] : NONE;
}

/* x hardsigmoid(x), x relu6(x + 3) / 6 */
static int match_hardswish(const onnx_import *m, const product *p, int k) {
    const onnx_layer *l = onnx_layer_at(m, p->factors[k]);
    int x = NONE;
    double number = 1;
    if (onnx_layer_is(l, "hardsigmoid")) x = l->inputs[0];
    if (onnx_layer_is(l, "relu6") && plus(m, onnx_layer_at(m, l->inputs[0]), 3) != NULL) {
        x = onnx_layer_at(m, l->inputs[0])->inputs[0];
        number = 1.0 / 6;
    }
    if (x == NONE) return NONE;
    const product found = product_of(m, x);
    return is_times(p, k, number, &found) ? x : NONE;
}

/* relu6(x + 3) / 6 */
static int match_hardsigmoid(const onnx_import *m, const product *p, int k) {
    const onnx_layer *l = onnx_layer_at(m, p->factors[k]);
    if (p->count != 1 || !onnx_layer_is(l, "relu6") || !is_close(p->number, 1.0 / 6)) return NONE;
    const onnx_layer *sum = onnx_layer_at(m, l->inputs[0]);
    return plus(m, sum, 3) != NULL ? sum->inputs[0] : NONE;
}

/* 0.5 x (1 + erf(x / sqrt(2))) */
static int match_gelu(const onnx_import *m, const product *p, int k) {
    const onnx_layer *l = plus(m, onnx_layer_at(m, p->factors[k]), 1);
    if (!onnx_is_step(l, "Erf")) return NONE;
    const product x = product_of(m, l->inputs[0]);
    return is_times(p, k, sqrt(0.5), &x) ? place_with(m, l->inputs[0], 2 * p->number) : NONE;
}

/* 0.044715 x^3 */
static bool is_cubic(const onnx_import *m, int place, int x) {
    const product p = product_of(m, place), one = product_of(m, x);
    const onnx_layer *power = p.count == 1 ? onnx_layer_at(m, p.factors[0]) : NULL;
    if (onnx_is_step(power, "Pow"))
        return is_close(p.number, 0.044715) && power->number == 3 && power->inputs[0] == x;
    bool thrice = one.count > 0 && p.count == 3 * one.count;
    for (int i = 0; thrice && i < p.count; i++) thrice = p.factors[i] == one.factors[i / 3];
    return thrice && is_close(p.number, 0.044715 * pow(one.number, 3));
}

/* 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))) */
static int match_gelu_tanh(const onnx_import *m, const product *p, int k) {
    const onnx_layer *l = plus(m, onnx_layer_at(m, p->factors[k]), 1);
    if (!onnx_layer_is(l, "tanh")) return NONE;
    const product inner = product_of(m, l->inputs[0]);
    const onnx_layer *sum = inner.count == 1 ? onnx_layer_at(m, inner.factors[0]) : NULL;
    if (!onnx_layer_is(sum, "add") || !is_close(inner.number, sqrt(2 / acos(-1)))) return NONE;
    for (int i = 0; i < 2; i++) {
        const product x = product_of(m, sum->inputs[i]);
        if (is_cubic(m, sum->inputs[1 - i], sum->inputs[i]) && is_times(p, k, 0.5, &x))
            return sum->inputs[i];
    }
    return NONE;
}

/* a gelu(b) of the halves of one value */
static int match_geglu(const onnx_import *m, const product *p, int k) {
    const onnx_layer *gelu = onnx_layer_at(m, p->factors[k]);
    if (p->count != 2 || p->number != 1 || !onnx_layer_is(gelu, "gelu")) return NONE;
    const onnx_layer *a = onnx_layer_at(m, p->factors[1 - k]);
    const onnx_layer *b = onnx_layer_at(m, gelu->inputs[0]);
    const bool halves = a != NULL && b != NULL && a->half == 1 && b->half == 2;
    return halves && a->inputs[0] == b->inputs[0] ? a->inputs[0] : NONE;
}

static const struct {
    const char *type;
    int (*match)(const onnx_import *m, const product *p, int k);
} activations[] = {{"silu", match_silu},           {"mish", match_mish},
                   {"hardswish", match_hardswish}, {"hardsigmoid", match_hardsigmoid},
                   {"gelu", match_gelu},           {"gelu_tanh", match_gelu_tanh},
                   {"geglu", match_geglu}};

void onnx_pattern_product(onnx_import *m, onnx_call *c) {
    if (c->out[0] == NULL || c->out[0]->kind != ONNX_PICTURE) return;
    const product p = product_of(m, c->out[0]->layer);
    for (int k = 0; k < p.count; k++) {
        for (size_t i = 0; i < sizeof activations / sizeof *activations; i++) {
            int x = activations[i].match(m, &p, k);
            if (x == NONE) continue;
            onnx_value in = onnx_value_at(m, x, c->out[0]), *only = &in;
            int64_t size[ONNX_AXES];
            memcpy(size, onnx_size_of(m, c->out[0]), sizeof size);
            onnx_layer *l = onnx_give(m, c, activations[i].type, &only, 1);
            if (l != NULL) memcpy(l->size, size, sizeof size);
            return;
        }
    }
}
