/* Attention: for each sample and head, blocks of query rows, whose scores against all keys stay in
 * the cache.
 *
 * Matrix products are oneDNN's, on the heads where they lie in a token's channels. They are f32 for
 * both types: bf16 is widened once for each sample, and results are rounded once. Backward computes
 * the probabilities anew from what forward kept of each row. A row's sums over keys are taken in
 * lanes of their own, up to 256 terms in f32, then in double. Blocks follow from the sizes of one
 * sample, so that its bits do not depend on the batch. */
#include "act.h"
#include "cpu.h"
#include "gyre/realmath.h"
#include "gyre/realmath_f32.h"
#include "gyre/size.h"

#include <math.h>

enum { BLOCK_SCORES = 1 << 14, ROWS_LEAST = 32, RUN = 256 * LANES };

/* Sizes of a sample. A row of scores has `room` places: the keys, then some up to whole lanes. */
typedef struct {
    size_t queries, keys, heads, c, d, rows, room; /* rows: of a block */
    float scale;
    bool causal;
} sizes;

/* A block of rows of one head: its scores reach over the first `seen` keys, places up to `span`. */
typedef struct {
    size_t begin, rows, seen, span;
} block;

static sizes sizes_of(const gyre_attention_shape *s) {
    sizes z = {.queries = (size_t)s->queries,
               .keys = (size_t)s->keys,
               .heads = (size_t)s->heads,
               .c = (size_t)s->c,
               .d = (size_t)(s->c / s->heads),
               .scale = s->scale,
               .causal = s->causal};
    z.room = gyre_size_align(z.keys, LANES);
    z.rows = BLOCK_SCORES / z.room < ROWS_LEAST ? ROWS_LEAST : BLOCK_SCORES / z.room;
    if (z.rows > z.queries) z.rows = z.queries;
    return z;
}

static block block_at(const sizes *z, size_t begin) {
    block b = {.begin = begin, .rows = z->queries - begin, .seen = z->keys};
    if (b.rows > z->rows) b.rows = z->rows;
    if (z->causal) b.seen = begin + b.rows;
    b.span = gyre_size_align(b.seen, LANES);
    return b;
}

/* The keys that a row of the block sees. */
static inline size_t seen_by(const sizes *z, const block *b, size_t row) {
    return z->causal ? b->begin + row + 1 : z->keys;
}

/* ---- rows of whole lanes */

ACT_LOOP float lanes_top(const float *top) {
    float list[LANES];
    memcpy(list, top, sizeof list);
    for (int width = LANES / 2; width > 0; width /= 2) {
        for (int j = 0; j < width; j++) {
            list[j] = list[j + width] > list[j] ? list[j + width] : list[j];
        }
    }
    return list[0];
}

ACT_LOOP float row_top(const float *x, size_t n) {
    float top[LANES];
    memcpy(top, x, sizeof top);
    for (size_t i = LANES; i < n; i += LANES) {
        for (int j = 0; j < LANES; j++)
            top[j] = x[i + (size_t)j] > top[j] ? x[i + (size_t)j] : top[j];
    }
    return lanes_top(top);
}

ACT_LOOP float lanes_sum(const lanes *x) {
    float list[LANES];
    memcpy(list, x, sizeof list);
    for (int width = LANES / 2; width > 0; width /= 2) {
        for (int j = 0; j < width; j++) list[j] += list[j + width];
    }
    return list[0];
}

ACT_LOOP double row_sum(const float *x, size_t n) {
    double sum = 0;
    for (size_t begin = 0; begin < n; begin += RUN) {
        lanes part = {0};
        size_t end = begin + RUN < n ? begin + RUN : n;
        for (size_t i = begin; i < end; i += LANES) {
            lanes v;
            memcpy(&v, x + i, sizeof v);
            part += v;
        }
        sum += (double)lanes_sum(&part);
    }
    return sum;
}

static void fill(float *x, size_t begin, size_t end, float value) {
    for (size_t i = begin; i < end; i++) x[i] = value;
}

/* ---- forward */

/* Scores become exp(scale * (score - the row's largest)); each row's largest and sum. */
CPU_CLONES
static void softmax_rows(const sizes *z, const block *b, float *scores, float *tops, double *sums) {
    const float scale = z->scale;
    for (size_t i = 0; i < b->rows; i++) {
        float *x = scores + i * z->room;
        fill(x, seen_by(z, b, i), b->span, -INFINITY);
        const float top = row_top(x, b->span);
        CPU_SAME_INDEX
        for (size_t j = 0; j < b->span; j++) x[j] = gyre_exp_f32((x[j] - top) * scale, 0.0f);
        tops[i] = top;
        sums[i] = row_sum(x, b->span);
    }
}

CPU_CLONES
static void divide_rows(const sizes *z, size_t rows, const double *sums, float *y) {
    for (size_t i = 0; i < rows; i++) {
        const float inverse = (float)(1 / sums[i]);
        CPU_SAME_INDEX
        for (size_t j = 0; j < z->d; j++) y[i * z->c + j] *= inverse;
    }
}

/* The tensors of one sample in f32, and scratch of a block. */
typedef struct {
    const float *query, *key, *value, *y, *dy;
    float *result, *dquery, *dkey, *dvalue; /* result: forward's y */
    float *saved;                           /* (heads, queries), or NULL */
    float *scores, *slopes, *numbers, *products;
    double *sums;
} sample;

static gyre_status forward_block(const sizes *z, const sample *t, size_t head, const block *b) {
    const size_t at = head * z->d, c = z->c;
    float *y = t->result + b->begin * c + at;
    GYRE_TRY(dnn_gemm(b->rows, b->seen, z->d, (dnn_matrix){t->query + b->begin * c + at, c, false},
                      (dnn_matrix){t->key + at, c, true}, 0, t->scores, z->room));
    softmax_rows(z, b, t->scores, t->numbers, t->sums);
    GYRE_TRY(dnn_gemm(b->rows, z->d, b->seen, (dnn_matrix){t->scores, z->room, false},
                      (dnn_matrix){t->value + at, c, false}, 0, y, c));
    divide_rows(z, b->rows, t->sums, y);
    for (size_t i = 0; t->saved != NULL && i < b->rows; i++) {
        double top = (double)t->numbers[i] * (double)z->scale;
        t->saved[head * z->queries + b->begin + i] = (float)(top + gyre_log(t->sums[i]));
    }
    return GYRE_OK;
}

/* ---- backward */

/* Scores become probabilities; 0 where a row does not see a key. */
CPU_CLONES
static void probabilities(const sizes *z, const block *b, const float *saved, float *scores) {
    const float scale = z->scale;
    for (size_t i = 0; i < b->rows; i++) {
        float *x = scores + i * z->room;
        const float norm = saved[i];
        const size_t seen = seen_by(z, b, i);
        CPU_SAME_INDEX
        for (size_t j = 0; j < seen; j++) x[j] = gyre_exp_f32(x[j] * scale - norm, 0.0f);
        fill(x, seen, b->span, 0);
    }
}

/* Each row's sum of y dy, which is its sum of probabilities times their gradients. */
CPU_CLONES
static void row_products(const sizes *z, size_t rows, const float *y, const float *dy,
                         float *products, float *out) {
    const size_t whole = gyre_size_align(z->d, LANES);
    fill(products, z->d, whole, 0);
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < z->d; j++) products[j] = y[i * z->c + j] * dy[i * z->c + j];
        out[i] = (float)row_sum(products, whole);
    }
}

/* Gradients of probabilities become those of scores before their scale. */
CPU_CLONES
static void score_slopes(const sizes *z, const block *b, const float *p, const float *products,
                         float *d) {
    const float scale = z->scale;
    for (size_t i = 0; i < b->rows; i++) {
        const float mean = products[i], *of = p + i * z->room;
        float *to = d + i * z->room;
        for (size_t j = 0; j < b->seen; j++) to[j] = of[j] * (to[j] - mean) * scale;
    }
}

static gyre_status backward_block(const sizes *z, const sample *t, size_t head, const block *b) {
    const size_t at = head * z->d, c = z->c, first = b->begin * c + at;
    const dnn_matrix query = {t->query + first, c, false}, dy = {t->dy + first, c, false};
    const dnn_matrix key = {t->key + at, c, false}, key_turned = {t->key + at, c, true};
    const dnn_matrix value_turned = {t->value + at, c, true};
    const dnn_matrix p_turned = {t->scores, z->room, true};
    const dnn_matrix slopes = {t->slopes, z->room, false},
                     slopes_turned = {t->slopes, z->room, true};
    GYRE_TRY(dnn_gemm(b->rows, b->seen, z->d, query, key_turned, 0, t->scores, z->room));
    probabilities(z, b, t->saved + head * z->queries + b->begin, t->scores);
    if (t->dvalue != NULL)
        GYRE_TRY(dnn_gemm(b->seen, z->d, b->rows, p_turned, dy, 1, t->dvalue + at, c));
    if (t->dquery == NULL && t->dkey == NULL) return GYRE_OK;
    row_products(z, b->rows, t->y + first, t->dy + first, t->products, t->numbers);
    GYRE_TRY(dnn_gemm(b->rows, b->seen, z->d, dy, value_turned, 0, t->slopes, z->room));
    score_slopes(z, b, t->scores, t->numbers, t->slopes);
    if (t->dquery != NULL)
        GYRE_TRY(dnn_gemm(b->rows, z->d, b->seen, slopes, key, 0, t->dquery + first, c));
    if (t->dkey == NULL) return GYRE_OK;
    return dnn_gemm(b->seen, z->d, b->rows, slopes_turned, query, 1, t->dkey + at, c);
}

/* ---- samples */

typedef gyre_status (*block_body)(const sizes *z, const sample *t, size_t head, const block *b);

static gyre_status each_block(const sizes *z, const sample *t, block_body body) {
    for (size_t head = 0; head < z->heads; head++) {
        for (size_t begin = 0; begin < z->queries; begin += z->rows) {
            block b = block_at(z, begin);
            GYRE_TRY(body(z, t, head, &b));
        }
    }
    return GYRE_OK;
}

/* Scratch of a block, then of bf16 places for `tensors` tensors of a sample in f32. */
static gyre_status open_scratch(gyre_queue *q, const sizes *z, size_t tensors, sample *t,
                                float **places) {
    size_t block_floats = 2 * z->rows * z->room + z->rows + gyre_size_align(z->d, LANES);
    size_t longest = z->queries > z->keys ? z->queries : z->keys;
    size_t floats = block_floats + (cpu_bf16(q) ? tensors * longest * z->c : 0);
    void *work;
    GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, z->rows * sizeof(double) + floats * sizeof(float),
                         &work));
    t->sums = work;
    t->scores = (float *)(void *)(t->sums + z->rows);
    t->slopes = t->scores + z->rows * z->room;
    t->numbers = t->slopes + z->rows * z->room;
    t->products = t->numbers + z->rows;
    *places = t->scores + block_floats;
    return GYRE_OK;
}

/* The place of one more tensor of a sample. */
static float *next_place(const sizes *z, float **places) {
    float *place = *places;
    *places += (z->queries > z->keys ? z->queries : z->keys) * z->c;
    return place;
}

gyre_status cpu_attention(gyre_queue *q, const gyre_attention_shape *s, gyre_act query,
                          gyre_act key, gyre_act value, gyre_f32 saved, gyre_act y) {
    const sizes z = sizes_of(s);
    const size_t of_queries = z.queries * z.c, of_keys = z.keys * z.c;
    sample t = {0};
    float *places;
    GYRE_TRY(open_scratch(q, &z, 4, &t, &places));
    float *work[] = {next_place(&z, &places), next_place(&z, &places), next_place(&z, &places)};
    float *results = next_place(&z, &places);
    for (size_t i = 0; i < (size_t)s->n; i++) {
        void *to = cpu_act_at(q, y, i * of_queries);
        t.query = cpu_widened(q, cpu_act_at(q, query, i * of_queries), of_queries, work[0]);
        t.key = cpu_widened(q, cpu_act_at(q, key, i * of_keys), of_keys, work[1]);
        t.value = cpu_widened(q, cpu_act_at(q, value, i * of_keys), of_keys, work[2]);
        t.result = cpu_results(q, to, results);
        t.saved = saved == NULL ? NULL : cpu_f32(saved) + i * z.heads * z.queries;
        GYRE_TRY(each_block(&z, &t, forward_block));
        cpu_finish(q, t.result, of_queries, to);
    }
    return GYRE_OK;
}

/* Where sample i of a gradient that somebody needs is written, or NULL. */
static void *gradient_at(gyre_queue *q, gyre_act d, size_t i, size_t elements) {
    return d == NULL ? NULL : cpu_act_at(q, d, i * elements);
}

gyre_status cpu_attention_dx(gyre_queue *q, const gyre_attention_shape *s, gyre_act query,
                             gyre_act key, gyre_act value, gyre_f32 saved, gyre_act y, gyre_act dy,
                             gyre_act dquery, gyre_act dkey, gyre_act dvalue) {
    const sizes z = sizes_of(s);
    const size_t of_queries = z.queries * z.c, of_keys = z.keys * z.c;
    sample t = {0};
    float *places, *work[8];
    GYRE_TRY(open_scratch(q, &z, 8, &t, &places));
    for (int k = 0; k < 8; k++) work[k] = next_place(&z, &places);
    for (size_t i = 0; i < (size_t)s->n; i++) {
        void *to[] = {gradient_at(q, dquery, i, of_queries), gradient_at(q, dkey, i, of_keys),
                      gradient_at(q, dvalue, i, of_keys)};
        t.query = cpu_widened(q, cpu_act_at(q, query, i * of_queries), of_queries, work[0]);
        t.key = cpu_widened(q, cpu_act_at(q, key, i * of_keys), of_keys, work[1]);
        t.value = cpu_widened(q, cpu_act_at(q, value, i * of_keys), of_keys, work[2]);
        t.y = cpu_widened(q, cpu_act_at(q, y, i * of_queries), of_queries, work[3]);
        t.dy = cpu_widened(q, cpu_act_at(q, dy, i * of_queries), of_queries, work[4]);
        t.dquery = cpu_results(q, to[0], work[5]);
        t.dkey = cpu_results(q, to[1], work[6]);
        t.dvalue = cpu_results(q, to[2], work[7]);
        t.saved = cpu_f32(saved) + i * z.heads * z.queries;
        if (t.dkey != NULL) memset(t.dkey, 0, of_keys * sizeof(float));
        if (t.dvalue != NULL) memset(t.dvalue, 0, of_keys * sizeof(float));
        GYRE_TRY(each_block(&z, &t, backward_block));
        cpu_finish(q, t.dquery, of_queries, to[0]);
        cpu_finish(q, t.dkey, of_keys, to[1]);
        cpu_finish(q, t.dvalue, of_keys, to[2]);
    }
    return GYRE_OK;
}
