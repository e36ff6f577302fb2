/* Attention: softmax(q k^T factor) v of heads, as F.scaled_dot_product_attention and networks by
 * hand write it. The first product is a step, numbers and a Softmax behind it are others, and the
 * second product makes a node of all. */
#include "attribute.h"
#include "chain.h"
#include "operators.h"
#include "pattern.h"
#include <math.h>
#include <string.h>

/* The last two of 3 dimensions, or of 4, change places. */
static const int64_t exchanged[2][4] = {{0, 2, 1}, {0, 1, 3, 2}};

/* (N, heads, tokens, d), or (N, tokens, d) of one head. */
static onnx_view view_of(const int64_t *size, int64_t heads, int rank) {
    onnx_view v = {.rank = rank};
    const int64_t each = size[ONNX_AXIS_C] / heads;
    int at = 0, dimension = 0;
    if (size[ONNX_AXIS_N] > 1) v.atoms[at++] = (onnx_atom){ONNX_AXIS_N, size[ONNX_AXIS_N], 1};
    v.ends[dimension++] = at;
    if (heads > 1) v.atoms[at++] = (onnx_atom){ONNX_AXIS_C, heads, each};
    if (rank == 4) v.ends[dimension++] = at;
    if (size[ONNX_AXIS_H] > 1) v.atoms[at++] = (onnx_atom){ONNX_AXIS_H, size[ONNX_AXIS_H], 1};
    if (size[ONNX_AXIS_W] > 1) v.atoms[at++] = (onnx_atom){ONNX_AXIS_W, size[ONNX_AXIS_W], 1};
    v.ends[dimension++] = at;
    if (each > 1) v.atoms[at++] = (onnx_atom){ONNX_AXIS_C, each, 1};
    v.ends[dimension] = at;
    return v;
}

static bool same_view(const onnx_view *a, const onnx_view *b) {
    if (a->rank != b->rank) return false;
    for (int i = 0; i < a->rank; i++) {
        if (!onnx_view_same_dimension(a, b, i)) return false;
    }
    return true;
}

/* How many heads the value is of, with its last two dimensions exchanged (turned) or not; 0: it is
 * of none. */
static int64_t heads_of(onnx_import *m, const onnx_value *v, bool turned) {
    const int64_t *size = onnx_size_of(m, v);
    onnx_view view = v->view;
    if (view.rank != 3 && view.rank != 4) return 0;
    if (turned && !onnx_view_transpose(&v->view, exchanged[view.rank - 3], &view)) return 0;
    const int64_t heads = view.rank == 4 ? onnx_view_size(&view, 1) : 1;
    if (heads < 1 || size[ONNX_AXIS_C] % heads != 0) return 0;
    const onnx_view expected = view_of(size, heads, view.rank);
    return same_view(&view, &expected) ? heads : 0;
}

/* The layer below steps that multiply by numbers; *number becomes their product with it. */
static int below(const onnx_import *m, int place, double *number) {
    const onnx_layer *l = onnx_layer_at(m, place);
    while (l != NULL && !isnan(l->number) && !l->number_first &&
           (onnx_is_step(l, "Mul") || onnx_is_step(l, "Div"))) {
        *number = onnx_is_step(l, "Mul") ? *number * l->number : *number / l->number;
        place = l->inputs[0];
        l = onnx_layer_at(m, place);
    }
    return place;
}

static bool are_scores(const onnx_layer *l) {
    return onnx_is_step(l, "MatMul") && l->heads > 0;
}

bool onnx_are_scores(const onnx_import *m, const onnx_value *v) {
    double number = 1;
    return v->kind == ONNX_PICTURE && are_scores(onnx_layer_at(m, below(m, v->layer, &number)));
}

/* The scores that a softmax is of, below a mask and numbers. */
static const onnx_layer *scores_below(const onnx_import *m, int place, double *number,
                                      bool *causal) {
    const onnx_layer *l = onnx_layer_at(m, place);
    *causal = l != NULL && l->causal;
    if (*causal) place = l->inputs[0];
    return onnx_layer_at(m, below(m, place, number));
}

/* ---- q k^T */

/* (N, heads, queries, keys): the last one is no axis of a sample. */
static onnx_view scores_of(const int64_t *size, int64_t heads, int rank, int64_t keys) {
    onnx_view v = view_of(size, heads, rank);
    onnx_view_drop_atoms(&v, rank - 1);
    if (keys > 1) v.atoms[v.ends[rank - 1]++] = (onnx_atom){ONNX_AXIS_N, keys, 1};
    return v;
}

static int64_t tokens_of(onnx_import *m, const onnx_value *v) {
    const int64_t *size = onnx_size_of(m, v);
    return size[ONNX_AXIS_H] * size[ONNX_AXIS_W];
}

static bool give_scores(onnx_import *m, onnx_call *c) {
    onnx_value *q = c->in[0], *k = c->in[1];
    const int64_t heads = heads_of(m, q, false);
    const int64_t *x = onnx_size_of(m, q), *y = onnx_size_of(m, k);
    if (heads == 0 || heads_of(m, k, true) != heads || x[ONNX_AXIS_C] != y[ONNX_AXIS_C] ||
        q->view.rank != k->view.rank)
        return false;
    const onnx_view view = scores_of(x, heads, q->view.rank, tokens_of(m, k));
    onnx_layer *l = onnx_give_step(m, c, c->in, 2, NAN);
    if (l == NULL) return true;
    l->heads = heads;
    if (c->out[0] != NULL) c->out[0]->view = view;
    return true;
}

/* Scores that a parameter multiplies: as a number of the pattern it would not be trained. */
static bool are_learned_scores(const onnx_import *m, int place) {
    const onnx_layer *l = onnx_layer_at(m, place);
    while (onnx_is_step(l, "Mul") || onnx_is_step(l, "Div")) l = onnx_layer_at(m, l->inputs[0]);
    return are_scores(l);
}

bool onnx_attention_softmax(onnx_import *m, onnx_call *c) {
    double number = 1;
    bool causal;
    const onnx_value *v = c->in[0];
    const int64_t axis = onnx_integer(c->node, "axis", -1);
    const bool last = axis == -1 || axis == v->view.rank - 1;
    if (!last || !onnx_call_is(c, "Softmax") || m->opset < 13 || v->layer < 0) return false;
    if (are_scores(scores_below(m, v->layer, &number, &causal)))
        onnx_give_step(m, c, &c->in[0], 1, NAN);
    else if (are_learned_scores(m, v->layer))
        onnx_refuse(m, c,
                    "a parameter multiplies the scores of attention; multiply the queries "
                    "by it, which trains");
    else
        return false;
    return true;
}

/* ---- p v, or v^T p^T */

/* The softmax of scores as it was given, or with queries and keys exchanged. */
static bool is_of_scores(onnx_import *m, const onnx_value *p, const onnx_value *q,
                         const onnx_value *k, int64_t heads, bool turned) {
    onnx_view view = scores_of(onnx_size_of(m, q), heads, p->view.rank, tokens_of(m, k));
    const onnx_view straight = view;
    if (turned) onnx_view_transpose(&straight, exchanged[view.rank - 3], &view);
    return same_view(&p->view, &view);
}

static bool give_node(onnx_import *m, onnx_call *c) {
    double factor = 1;
    const bool turned = onnx_is_step(onnx_layer_of(m, c->in[1]), "Softmax");
    const onnx_value *p = c->in[turned ? 1 : 0];
    const onnx_layer *soft = onnx_layer_of(m, p);
    const int rank = p->view.rank;
    if (!onnx_is_step(soft, "Softmax") || rank < 3 || rank > 4) return false;
    bool causal;
    const onnx_layer *scores = scores_below(m, soft->inputs[0], &factor, &causal);
    onnx_value v = *c->in[turned ? 0 : 1];
    if (!are_scores(scores) || heads_of(m, &v, turned) != scores->heads || v.view.rank != rank)
        return false;
    const int64_t heads = scores->heads;
    onnx_chain n = {m, c, c->out[0] == NULL};
    onnx_value q = onnx_value_at(m, below(m, scores->inputs[0], &factor), &v);
    onnx_value k = onnx_value_at(m, below(m, scores->inputs[1], &factor), &v);
    onnx_value *list[3] = {&q, &k, &v};
    if (!is_of_scores(m, p, &q, &k, heads, turned)) return false;
    const int64_t *x = onnx_size_of(m, &q);
    onnx_view view = view_of(x, heads, rank);
    const onnx_view straight = view;
    if (turned) onnx_view_transpose(&straight, exchanged[rank - 3], &view);
    const double whole = factor * sqrt((double)(x[ONNX_AXIS_C] / heads));
    if (memcmp(&onnx_size_of(m, &k)[1], &onnx_size_of(m, &v)[1], 3 * sizeof *x) != 0) {
        onnx_refuse(m, c, "gyre's attention has values of as many channels and tokens as keys");
        return true;
    }
    if (!(fabs(whole) <= 1e30)) {
        onnx_refuse(m, c, "it multiplies scores by %g", factor);
        return true;
    }
    if (fabs(whole - 1) > 1e-5) q = onnx_chain_affine(&n, q, whole, 0);
    onnx_layer *l = n.failed ? NULL : onnx_give(m, c, "attention", list, 3);
    if (l == NULL) return true;
    onnx_option(&m->work, l, "heads", (double)heads);
    if (causal) onnx_option_flag(&m->work, l, "causal", true);
    c->out[0]->view = view;
    return true;
}

bool onnx_attention_product(onnx_import *m, onnx_call *c) {
    for (int i = 0; i < 2; i++) {
        if (c->in_count != 2 || c->in[i] == NULL || c->in[i]->kind != ONNX_PICTURE) return false;
    }
    if (give_node(m, c) || give_scores(m, c)) return true;
    onnx_refuse(
        m, c,
        "of two layers gyre multiplies the queries and keys of attention, (N, heads, tokens, "
        "d) and (N, heads, d, tokens), and the softmax of that and values, alone");
    return true;
}
