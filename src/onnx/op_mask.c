/* The mask of causal attention: what comes behind a query's own place is left out of its scores, by
 * adding -infinity, or by Where. */
#include "learned.h"
#include "numbers.h"
#include "operators.h"
#include "pattern.h"
#include <math.h>

#define LEFT_OUT (-1e9) /* or less: its exponential is 0 beside that of any score */

/* The numbers, be they more than those that gyre computes with; NULL: a failure, or computed. */
static const double *read_all(onnx_import *m, onnx_constant *k) {
    if (k->count <= ONNX_READ_MAX) return onnx_constant_read(&m->work, k);
    double *values = k->tensor == NULL ? NULL : onnx_take(&m->work, k->count, sizeof *values);
    if (values == NULL) return NULL;
    gyre_status status = onnx_numbers_doubles(m->work.file, k->tensor, values);
    if (status != GYRE_OK && m->work.status == GYRE_OK) m->work.status = status;
    return status == GYRE_OK ? values : NULL;
}

/* The sides of (queries, keys) in the constant, where they are as many as the scores have; 0. */
static int64_t side_of(const onnx_value *scores, const onnx_constant *k) {
    const onnx_view *v = &scores->view;
    if (k->rank < 2 || k->rank > v->rank || v->rank < 2) return 0;
    const int64_t side = onnx_view_size(v, v->rank - 1);
    if (onnx_view_size(v, v->rank - 2) != side) return 0;
    for (int i = 0; i < k->rank; i++) {
        if (k->dims[i] != (i < k->rank - 2 ? 1 : side)) return 0;
    }
    return side;
}

typedef enum { SUMMAND, FLAG, OTHER_FLAG } mask; /* FLAG: 1 where a score is left out */

static bool leaves_out(double x, mask kind) {
    return kind == SUMMAND ? x <= LEFT_OUT : (x != 0) == (kind == FLAG);
}

static bool stays(double x, mask kind) {
    return kind == SUMMAND ? x == 0 : !leaves_out(x, kind);
}

static bool is_causal(onnx_import *m, const onnx_value *scores, onnx_constant *k, mask kind) {
    const int64_t side = side_of(scores, k);
    if (side < 2 || !onnx_are_scores(m, scores) || onnx_is_trained(m, k)) return false;
    const double *x = read_all(m, k);
    for (int64_t i = 0; x != NULL && i < side; i++) {
        for (int64_t j = 0; j < side; j++) {
            const double at = x[i * side + j];
            if (!(j > i ? leaves_out(at, kind) : stays(at, kind))) return false;
        }
    }
    return x != NULL;
}

static void give(onnx_import *m, onnx_call *c, onnx_value *scores) {
    onnx_layer *l = onnx_give_step(m, c, &scores, 1, NAN);
    if (l != NULL) l->causal = true;
}

bool onnx_mask_added(onnx_import *m, onnx_call *c, onnx_value *v, onnx_constant *k) {
    if (!onnx_call_is(c, "Add") || !is_causal(m, v, k, SUMMAND)) return false;
    give(m, c, v);
    return true;
}

/* p where it is a number, which the softmax of a causal mask always is. */
static bool is_of_numbers(const onnx_import *m, const onnx_call *c) {
    const onnx_layer *flag = onnx_layer_of(m, c->in[0]), *soft = onnx_layer_of(m, c->in[2]);
    return onnx_is_step(flag, "IsNaN") && onnx_is_step(soft, "Softmax") &&
           flag->inputs[0] == c->in[2]->layer && onnx_layer_at(m, soft->inputs[0])->causal;
}

bool onnx_mask_chosen(onnx_import *m, onnx_call *c) {
    double number = 0;
    onnx_constant *flags = onnx_constant_in(c, 0);
    if (flags == NULL && is_of_numbers(m, c)) {
        onnx_give_same(c, c->in[2]);
        return true;
    }
    for (int i = 1; flags != NULL && i < 3; i++) {
        onnx_constant *k = onnx_constant_in(c, i);
        onnx_value *v = c->in[3 - i];
        const bool least = k != NULL && v->kind == ONNX_PICTURE &&
                           onnx_constant_all(&m->work, k, &number) && number <= LEFT_OUT;
        if (!least || !is_causal(m, v, flags, i == 1 ? FLAG : OTHER_FLAG)) continue;
        give(m, c, v);
        return true;
    }
    return false;
}
