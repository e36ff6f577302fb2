/* Attention in double by plain loops, for naive.h. */
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

#endif
