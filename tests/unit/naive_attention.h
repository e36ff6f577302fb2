/* The nodes of transformers in double by plain loops: attention, gated GELU, learned positions.
 * Included by naive.h. */
#ifndef GYRE_TESTS_NAIVE_ATTENTION_H
#define GYRE_TESTS_NAIVE_ATTENTION_H

#include <math.h>

/* y(d) of one query and one head; tokens are `stride` numbers apart, `keys` of them are seen. */
static inline void naive_attention_row(int d, int stride, int keys, const double *query,
                                       const double *key, const double *value, double *y) {
    double top = -INFINITY, sum = 0;
    for (int c = 0; c < d; c++) y[c] = 0;
    for (int pass = 0; pass < 2; pass++) {
        for (int j = 0; j < keys; j++) {
            double score = 0;
            for (int c = 0; c < d; c++) score += query[c] * key[j * stride + c] / sqrt(d);
            if (pass == 0) {
                top = fmax(top, score);
                continue;
            }
            sum += exp(score - top);
            for (int c = 0; c < d; c++) y[c] += exp(score - top) * value[j * stride + c];
        }
    }
    for (int c = 0; c < d; c++) y[c] /= sum;
}

static void naive_attention(const naive *t, const gyre_node *l, naive_input in, double *y) {
    naive_input k = naive_input_of(t, l->inputs[1]), v = naive_input_of(t, l->inputs[2]);
    int heads = naive_int(l, "heads"), d = l->c / heads, queries = in.h * in.w, keys = k.h * k.w;
    for (int i = 0; i < t->n * queries * heads; i++) {
        int token = i / heads, from = i % heads * d, sample = token / queries * keys * l->c + from;
        int seen = naive_int(l, "causal") ? token % queries + 1 : keys;
        naive_attention_row(d, l->c, seen, in.x + token * l->c + from, k.x + sample, v.x + sample,
                            y + token * l->c + from);
    }
}

static void naive_geglu(const naive *t, const gyre_node *l, naive_input in, double *y) {
    for (int i = 0; i < t->n * l->h * l->w * l->c; i++) {
        const double *x = in.x + i / l->c * in.c + i % l->c;
        y[i] = x[0] * naive_activated("gelu", 0, x[l->c]);
    }
}

static void naive_positions(const naive *t, const gyre_node *l, naive_input in, double *y) {
    const double *weight = naive_param(t, l->params[0]);
    int size = l->h * l->w * l->c;
    for (int i = 0; i < t->n * size; i++) y[i] = in.x[i] + weight[i % size];
}

#endif
