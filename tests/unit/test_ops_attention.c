/* Attention against loops in double, which themselves agree with finite differences: heads narrower
 * and wider than a vector, one token, more tokens than a block, causal and not, keys of another
 * number. */
#include "ops.h"

typedef gyre_attention_shape shape;

/* How often a kernel rounds beside its sums: the exponential (2 ulp), its argument, products and
 * quotients of a probability, sums of blocks. */
enum { STEPS = 24 };

typedef struct {
    shape s;
    size_t d, queries, keys, saved, pairs; /* elements of tensors; pairs: of scores */
    double *q, *k, *v, *dy;                /* inputs */
    double *y, *norm, *dq, *dk, *dv;
    double *p, *dp, *score, *score_size; /* (n, heads, queries, keys) */
    double *y_scale, *norm_scale, *dq_scale, *dk_scale, *dv_scale;
} problem;

/* The places of a token's first channel of a head. */
static size_t query_at(const problem *p, int i, int head, int row) {
    return ((size_t)i * (size_t)p->s.queries + (size_t)row) * (size_t)p->s.c + (size_t)head * p->d;
}
static size_t key_at(const problem *p, int i, int head, int row) {
    return ((size_t)i * (size_t)p->s.keys + (size_t)row) * (size_t)p->s.c + (size_t)head * p->d;
}
static size_t row_at(const problem *p, int i, int head, int row) {
    return ((size_t)i * (size_t)p->s.heads + (size_t)head) * (size_t)p->s.queries + (size_t)row;
}

static int seen_by(const problem *p, int row) {
    return p->s.causal ? row + 1 : p->s.keys;
}

/* The relative error of a probability: a score is a sum of d products, and it and the logarithm
 * of its row's sum are rounded. */
static double slip(const problem *p, size_t row) {
    const double *size = p->score_size + row * (size_t)p->s.keys;
    double most = 0;
    for (int j = 0; j < p->s.keys; j++) most = fmax(most, size[j]);
    return 2 * most * (sum_bound((double)p->d) + 4 * HALF_ULP) + 2 * sum_bound((double)p->s.keys) +
           STEPS * HALF_ULP;
}

/* Calls body for each row of each head of each sample. */
typedef void (*row_body)(problem *p, int i, int head, int row);
static void each_row(problem *p, row_body body) {
    for (int i = 0; i < p->s.n; i++) {
        for (int head = 0; head < p->s.heads; head++) {
            for (int row = 0; row < p->s.queries; row++) body(p, i, head, row);
        }
    }
}

static void softmax_row(problem *p, int i, int head, int row) {
    size_t at = row_at(p, i, head, row) * (size_t)p->s.keys, query = query_at(p, i, head, row);
    double top = -INFINITY, sum = 0;
    for (int j = 0; j < p->s.keys; j++) {
        size_t key = key_at(p, i, head, j);
        double *score = &p->score[at + (size_t)j], *size = &p->score_size[at + (size_t)j];
        *score = *size = 0;
        for (size_t c = 0; j < seen_by(p, row) && c < p->d; c++) {
            *score += (double)p->s.scale * p->q[query + c] * p->k[key + c];
            *size += fabs((double)p->s.scale * p->q[query + c] * p->k[key + c]);
        }
        if (j < seen_by(p, row)) top = fmax(top, *score);
    }
    for (int j = 0; j < seen_by(p, row); j++) sum += exp(p->score[at + (size_t)j] - top);
    for (int j = 0; j < p->s.keys; j++) {
        double e = exp(p->score[at + (size_t)j] - top);
        p->p[at + (size_t)j] = j < seen_by(p, row) ? e / sum : 0;
    }
    p->norm[row_at(p, i, head, row)] = top + log(sum);
    p->norm_scale[row_at(p, i, head, row)] =
        slip(p, row_at(p, i, head, row)) + 4 * HALF_ULP * fabs(top + log(sum));
}

static void forward_row(problem *p, int i, int head, int row) {
    size_t at = row_at(p, i, head, row) * (size_t)p->s.keys, y = query_at(p, i, head, row);
    double relative = slip(p, row_at(p, i, head, row));
    for (size_t c = 0; c < p->d; c++) {
        p->y[y + c] = p->y_scale[y + c] = 0;
        for (int j = 0; j < p->s.keys; j++) {
            double term = p->p[at + (size_t)j] * p->v[key_at(p, i, head, j) + c];
            p->y[y + c] += term;
            p->y_scale[y + c] += relative * fabs(term);
        }
    }
}

/* A score's gradient and its error: p times the difference of two sums of d products. */
static void backward_row(problem *p, int i, int head, int row) {
    size_t at = row_at(p, i, head, row) * (size_t)p->s.keys, query = query_at(p, i, head, row);
    double mean = 0, mean_size = 0, relative = slip(p, row_at(p, i, head, row));
    for (size_t c = 0; c < p->d; c++) {
        mean += p->y[query + c] * p->dy[query + c];
        mean_size += fabs(p->y[query + c] * p->dy[query + c]);
    }
    for (int j = 0; j < p->s.keys; j++) {
        size_t key = key_at(p, i, head, j);
        double dp = 0, size = mean_size, prob = p->p[at + (size_t)j];
        for (size_t c = 0; c < p->d; c++) {
            double term = p->dy[query + c] * p->v[key + c];
            dp += term;
            size += fabs(term);
            p->dv[key + c] += prob * p->dy[query + c];
            p->dv_scale[key + c] +=
                (relative + sum_bound(p->s.queries)) * fabs(prob * p->dy[query + c]);
        }
        double scale = (double)p->s.scale, slope = prob * (dp - mean) * scale;
        double error = prob * size * scale * (relative + sum_bound((double)p->d));
        double terms = fabs(slope) * sum_bound(fmax(p->s.keys, p->s.queries));
        p->dp[at + (size_t)j] = slope;
        for (size_t c = 0; c < p->d; c++) {
            p->dq[query + c] += slope * p->k[key + c];
            p->dk[key + c] += slope * p->q[query + c];
            p->dq_scale[query + c] += (error + terms) * fabs(p->k[key + c]);
            p->dk_scale[key + c] += (error + terms) * fabs(p->q[query + c]);
        }
    }
}

static void reference_forward(problem *p) {
    each_row(p, softmax_row);
    each_row(p, forward_row);
}

static problem problem_new(shape s) {
    problem p = {.s = s, .d = (size_t)(s.c / s.heads)};
    p.queries = (size_t)s.n * (size_t)s.queries * (size_t)s.c;
    p.keys = (size_t)s.n * (size_t)s.keys * (size_t)s.c;
    p.saved = (size_t)s.n * (size_t)s.heads * (size_t)s.queries;
    p.pairs = p.saved * (size_t)s.keys;
    double **of_queries[] = {&p.y, &p.dq, &p.y_scale, &p.dq_scale};
    double **of_keys[] = {&p.dk, &p.dv, &p.dk_scale, &p.dv_scale};
    double **of_pairs[] = {&p.p, &p.dp, &p.score, &p.score_size};
    for (size_t i = 0; i < 4; i++) *of_queries[i] = zeros(p.queries);
    for (size_t i = 0; i < 4; i++) *of_keys[i] = zeros(p.keys);
    for (size_t i = 0; i < 4; i++) *of_pairs[i] = zeros(p.pairs);
    p.norm = zeros(p.saved);
    p.norm_scale = zeros(p.saved);
    p.q = randoms(1, p.queries);
    p.k = randoms(2, p.keys);
    p.v = randoms(3, p.keys);
    p.dy = randoms(4, p.queries);
    round_acts(p.q, p.queries);
    round_acts(p.k, p.keys);
    round_acts(p.v, p.keys);
    round_acts(p.dy, p.queries);
    reference_forward(&p);
    return p;
}

static void problem_free(problem *p) {
    double *all[] = {p->q,        p->k,        p->v,          p->dy,      p->y,
                     p->norm,     p->dq,       p->dk,         p->dv,      p->p,
                     p->dp,       p->score,    p->score_size, p->y_scale, p->dq_scale,
                     p->dk_scale, p->dv_scale, p->norm_scale};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) free(all[i]);
}

typedef struct {
    buffer q, k, v, dy, saved, y, dq, dk, dv;
} device;

static device device_new(gyre_backend *b, const problem *p) {
    return (device){
        acts_of(b, p->q, p->queries),  acts_of(b, p->k, p->keys), acts_of(b, p->v, p->keys),
        acts_of(b, p->dy, p->queries), buffer_new(b, p->saved),   acts_new(b, p->queries),
        acts_new(b, p->queries),       acts_new(b, p->keys),      acts_new(b, p->keys)};
}

static void device_free(device *d) {
    buffer all[] = {d->q, d->k, d->v, d->dy, d->saved, d->y, d->dq, d->dk, d->dv};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) buffer_free(all[i]);
}

static void forward(gyre_backend *b, const shape *s, const device *d) {
    OK(b->ops->attention(b->main, s, A(d->q), A(d->k), A(d->v), F(d->saved), A(d->y)));
}

static void backward(gyre_backend *b, const shape *s, const device *d, buffer dq, buffer dk,
                     buffer dv) {
    OK(b->ops->attention_dx(b->main, s, A(d->q), A(d->k), A(d->v), F(d->saved), A(d->y), A(d->dy),
                            A(dq), A(dk), A(dv)));
}

static void check_same(buffer a, buffer b) {
    void *first = buffer_raw(a), *second = buffer_raw(b);
    assert_memory_equal(first, second, a.n * a.size);
    free(first);
    free(second);
}

/* Each gradient alone has the bits that it has among the three. */
static void check_gradients_alone(gyre_backend *b, const shape *s, const device *d) {
    const buffer none = {0};
    buffer dq = acts_new(b, d->dq.n), dk = acts_new(b, d->dk.n), dv = acts_new(b, d->dv.n);
    backward(b, s, d, dq, none, none);
    backward(b, s, d, none, dk, none);
    backward(b, s, d, none, none, dv);
    check_same(dq, d->dq);
    check_same(dk, d->dk);
    check_same(dv, d->dv);
    buffer_free(dq);
    buffer_free(dk);
    buffer_free(dv);
}

/* Backward reads y as forward rounded it, and so does its reference. y without keeping the
 * logarithms are the same bits. */
static void check_attention(gyre_backend *b, shape s) {
    problem p = problem_new(s);
    device d = device_new(b, &p);
    buffer y = acts_new(b, p.queries);
    forward(b, &s, &d);
    check_close("y", d.y, p.y, p.y_scale, 1);
    check_close("logarithm", d.saved, p.norm, p.norm_scale, 1);
    OK(b->ops->attention(b->main, &s, A(d.q), A(d.k), A(d.v), NULL, A(y)));
    check_same(y, d.y);
    float *rounded = buffer_read(d.y);
    for (size_t i = 0; i < p.queries; i++) p.y[i] = (double)rounded[i];
    free(rounded);
    each_row(&p, backward_row);
    backward(b, &s, &d, d.dq, d.dk, d.dv);
    check_close("dq", d.dq, p.dq, p.dq_scale, 1);
    check_close("dk", d.dk, p.dk, p.dk_scale, 1);
    check_close("dv", d.dv, p.dv, p.dv_scale, 1);
    check_gradients_alone(b, &s, &d);
    buffer_free(y);
    device_free(&d);
    problem_free(&p);
}

/* The thread sanitizer has a thread for each of a GPU's: every shape would take minutes. */
#ifdef __SANITIZE_THREAD__
enum { EVERY = 9 };
#else
enum { EVERY = 1 };
#endif

static void shapes_match(void **state) {
    size_t count = 0;
    static const int tokens[][2] = {{1, 1},   {1, 7},   {5, 1},   {7, 7},     {16, 16},
                                    {33, 17}, {64, 64}, {65, 77}, {100, 100}, {31, 130}};
    static const int heads[][2] = {{1, 1}, {1, 5}, {3, 6}, {2, 32}, {2, 34}, {1, 64}, {2, 140}};
    for (size_t i = 0; i < sizeof tokens / sizeof tokens[0]; i++) {
        for (size_t k = 0; k < sizeof heads / sizeof heads[0]; k++) {
            const int *t = tokens[i], *h = heads[k];
            if (count++ % EVERY != 0) continue;
            const float scale = (float)(1 / sqrt(h[1] / h[0]));
            check_attention(*state, (shape){2, t[0], t[1], h[0], h[1], scale, false});
            if (t[0] != t[1]) continue;
            check_attention(*state, (shape){2, t[0], t[1], h[0], h[1], scale, true});
        }
    }
    if (EVERY > 1) return;
    check_attention(*state, (shape){1, 300, 1100, 2, 16, 0.5f, false});
    check_attention(*state, (shape){1, 700, 700, 1, 8, 1, true});
}

/* Scores of hundreds: probabilities that are 0, or all of a row. */
static void large_scores_stay_finite(void **state) {
    check_attention(*state, (shape){2, 40, 40, 2, 32, 20, false});
    check_attention(*state, (shape){2, 40, 40, 2, 32, 20, true});
}

/* What becomes of a sample does not depend on the others, nor on how many there are. */
static void samples_stand_alone(void **state) {
    gyre_backend *b = *state;
    const shape s = {3, 70, 70, 2, 24, 0.3f, false};
    problem p = problem_new(s);
    device d = device_new(b, &p);
    shape one = s;
    one.n = 1;
    forward(b, &s, &d);
    backward(b, &s, &d, d.dq, d.dk, d.dv);
    const buffer results[] = {d.y, d.dq, d.dk, d.dv};
    for (size_t i = 0; i < (size_t)s.n; i++) {
        problem alone = problem_new(one);
        const size_t n = alone.queries;
        memcpy(alone.q, p.q + i * n, n * sizeof *p.q);
        memcpy(alone.k, p.k + i * n, n * sizeof *p.k);
        memcpy(alone.v, p.v + i * n, n * sizeof *p.v);
        memcpy(alone.dy, p.dy + i * n, n * sizeof *p.dy);
        device e = device_new(b, &alone);
        forward(b, &one, &e);
        backward(b, &one, &e, e.dq, e.dk, e.dv);
        const buffer of_one[] = {e.y, e.dq, e.dk, e.dv};
        for (size_t k = 0; k < 4; k++) {
            char *all = buffer_raw(results[k]), *own = buffer_raw(of_one[k]);
            assert_memory_equal(own, all + i * n * e.y.size, n * e.y.size);
            free(all), free(own);
        }
        device_free(&e);
        problem_free(&alone);
    }
    device_free(&d);
    problem_free(&p);
}

static double weighted_output(void *context) {
    problem *p = context;
    reference_forward(p);
    return dot(p->y, p->dy, p->queries);
}

static void reference_agrees_with_finite_differences(void **state) {
    (void)state;
    static const shape shapes[] = {{2, 5, 3, 2, 6, 0.7f, false}, {2, 4, 4, 2, 6, 0.7f, true}};
    for (size_t i = 0; i < 2; i++) {
        problem p = problem_new(shapes[i]);
        each_row(&p, backward_row);
        check_gradient("dq", weighted_output, &p, p.q, p.queries, p.dq);
        check_gradient("dk", weighted_output, &p, p.k, p.keys, p.dk);
        check_gradient("dv", weighted_output, &p, p.v, p.keys, p.dv);
        problem_free(&p);
    }
}

/* A query's NaN reaches its own result alone, a key's every row of its head and sample. */
static void nan_spreads_over_its_rows(void **state) {
    gyre_backend *b = *state;
    enum { C = 12, TOKENS = 40, SAMPLE = TOKENS * C, ROW = 17, CHANNEL = 7, D = 6 };
    for (int of_key = 0; of_key < 2; of_key++) {
        problem p = problem_new((shape){2, TOKENS, TOKENS, 2, C, 0.4f, false});
        (of_key ? p.k : p.q)[SAMPLE + ROW * C + CHANNEL] = NAN;
        device d = device_new(b, &p);
        forward(b, &p.s, &d);
        float *y = buffer_read(d.y);
        for (size_t i = 0; i < p.queries; i++) {
            bool head = i / SAMPLE == 1 && i % C / D == CHANNEL / D;
            bool row = of_key || i % SAMPLE / C == ROW;
            assert_int_equal(isnan(y[i]) != 0, head && row);
        }
        free(y);
        device_free(&d);
        problem_free(&p);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reference_agrees_with_finite_differences),
        cmocka_unit_test(shapes_match),
        cmocka_unit_test(large_scores_stay_finite),
        cmocka_unit_test(samples_stand_alone),
        cmocka_unit_test(nan_spreads_over_its_rows),
    };
    return RUN_IN_BOTH(tests, set_up_backend, tear_down_backend);
}
