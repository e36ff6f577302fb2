/* Layer norm: a pixel's channels are its row.
 *
 * A row is read three times forward and twice backward; only the first read is from memory, the
 * others are from the cache. The order of every sum is that of the source: the lanes of a group
 * have sums of their own, which a fixed tree adds; a column is added row by row. */
#include "act.h"
#include "cpu.h"

#include <math.h>

enum {
    RUN = 256 /* groups of a row, and rows of a column, that are added in f32 before the sum goes to
                 double: as in batch norm, an error of at most about 256 * 2^-24 of the sum of
                 absolute terms */
};

/* Numbers for each channel in the places of a row's elements, by groups; 0 behind the last. */
typedef struct {
    size_t c;
    group *gamma, *beta;
    group *inside; /* of the last group: 1 where there is a channel */
} channels;

static size_t groups_of(size_t c) {
    return (c + GROUP - 1) / GROUP;
}

/* NaN is the plain one, as round_lanes takes it. */
static void by_groups(bool bf16, const float *from, size_t c, group *out) {
    for (size_t i = 0; i < c; i += GROUP) {
        float list[GROUP] = {0};
        for (size_t j = 0; j < GROUP && i + j < c; j++) {
            list[j] = from[i + j] == from[i + j] ? from[i + j] : NAN;
        }
        group_of(bf16, list, &out[i / GROUP]);
    }
}

/* The sum of a group's lanes. */
ACT_LOOP float lanes_sum(const group *x) {
    lanes both = x->a + x->b;
    float list[LANES];
    memcpy(list, &both, sizeof list);
    for (int width = LANES / 2; width > 0; width /= 2) {
        for (int j = 0; j < width; j++) list[j] += list[j + width];
    }
    return list[0];
}

/* A row's whole groups in runs, then the part of a group at its end: loop(bf16, width, begin, end,
 * ...) of the row's elements. */
#define FOR_SPANS(bf16, c, loop, ...)                                                              \
    do {                                                                                           \
        size_t all_ = (c), rest_ = all_ % GROUP, full_ = all_ - rest_, run_ = RUN * GROUP;         \
        for (size_t i_ = 0; i_ < full_; i_ += run_) {                                              \
            loop(bf16, GROUP, i_, i_ + run_ < full_ ? i_ + run_ : full_, __VA_ARGS__);             \
        }                                                                                          \
        if (rest_ > 0) loop(bf16, rest_, full_, all_, __VA_ARGS__);                                \
    } while (0)

/* ---- forward */

typedef struct {
    double first, second;
} two_sums;

/* Sums of x - from and (x - from)^2. */
ACT_LOOP void add_moments(bool bf16, size_t width, size_t begin, size_t end, const void *x,
                          size_t at, float from, const group *inside, two_sums *sums) {
    group s = {0}, q = {0}, d;
    for (size_t i = begin; i < end; i += GROUP) {
        group_get(bf16, width, x, at + i, &d);
        d.a -= from;
        d.b -= from;
        if (width < GROUP) {
            d.a *= inside->a;
            d.b *= inside->b;
        }
        s.a += d.a;
        s.b += d.b;
        q.a += d.a * d.a;
        q.b += d.b * d.b;
    }
    sums->first += (double)lanes_sum(&s);
    sums->second += (double)lanes_sum(&q);
}

ACT_LOOP void normalise_span(bool bf16, size_t width, size_t begin, size_t end, const void *x,
                             size_t at, float mean, float inverse, const channels *k, void *y) {
    group v;
    for (size_t i = begin; i < end; i += GROUP) {
        const group *gamma = &k->gamma[i / GROUP], *beta = &k->beta[i / GROUP];
        group_get(bf16, width, x, at + i, &v);
        v.a = (v.a - mean) * inverse * gamma->a + beta->a;
        v.b = (v.b - mean) * inverse * gamma->b + beta->b;
        group_put(bf16, width, &v, y, at + i);
    }
}

/* The mean is that of the distances from the first element, the variance that of those from the
 * rounded mean: neither cancels when the mean is large. */
ACT_LOOP void normalise_rows(bool bf16, size_t rows, const channels *k, float eps, const void *x,
                             float *saved, void *y) {
    double n = (double)k->c;
    for (size_t row = 0; row < rows; row++) {
        size_t at = row * k->c;
        float first = act_get(bf16, x, at);
        two_sums shifted = {0}, sums = {0};
        FOR_SPANS(bf16, k->c, add_moments, x, at, first, k->inside, &shifted);
        float mean = (float)((double)first + shifted.first / n);
        FOR_SPANS(bf16, k->c, add_moments, x, at, mean, k->inside, &sums);
        double d = sums.first / n, variance = sums.second / n - d * d;
        if (variance < 0) variance = 0;
        float inverse = (float)(1.0 / sqrt(variance + (double)eps));
        FOR_SPANS(bf16, k->c, normalise_span, x, at, mean, inverse, k, y);
        if (saved == NULL) continue;
        saved[row] = mean;
        saved[rows + row] = inverse;
    }
}

CPU_CLONES
static void normalise(bool bf16, size_t rows, const channels *k, float eps, const void *x,
                      float *saved, void *y) {
    if (bf16)
        normalise_rows(true, rows, k, eps, x, saved, y);
    else
        normalise_rows(false, rows, k, eps, x, saved, y);
}

static size_t rows_of(const gyre_layer_norm_shape *s) {
    return (size_t)s->n * (size_t)s->h * (size_t)s->w;
}

gyre_status cpu_layer_norm(gyre_queue *q, const gyre_layer_norm_shape *s, gyre_act x,
                           gyre_f32 gamma, gyre_f32 beta, gyre_f32 saved, gyre_act y) {
    size_t c = (size_t)s->c, groups = groups_of(c);
    void *work;
    GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, (2 * groups + 1) * sizeof(group), &work));
    group *first = work;
    channels k = {c, first, first + groups, first + 2 * groups};
    by_groups(cpu_bf16(q), cpu_f32(gamma), c, k.gamma);
    by_groups(cpu_bf16(q), cpu_f32(beta), c, k.beta);
    float ones[GROUP];
    for (size_t j = 0; j < GROUP; j++) ones[j] = 1;
    by_groups(cpu_bf16(q), ones, c % GROUP, k.inside);
    normalise(cpu_bf16(q), rows_of(s), &k, s->eps, x, cpu_f32(saved), y);
    return GYRE_OK;
}

/* ---- backward */

/* Sums over rows for each channel: of up to RUN rows in f32, in the places of a row's elements; of
 * all before them in double. */
typedef struct {
    group *run;
    double *total;
} column_sums;

static void add_run(bool bf16, size_t groups, column_sums sums) {
    for (size_t i = 0; i < groups; i++) {
        float list[GROUP];
        group_list(bf16, &sums.run[i], list);
        for (size_t j = 0; j < GROUP; j++) sums.total[i * GROUP + j] += (double)list[j];
    }
    memset(sums.run, 0, groups * sizeof *sums.run);
}

typedef struct {
    size_t rows;
    const void *x, *dy;
    const float *mean, *inverse;
    column_sums dgamma, dbeta;
} backward;

/* With dy' = dy * gamma and x' = (x - mean) * inverse: sums of dy' and dy' * x' over the row, and
 * of dy * x' and dy over the columns. */
ACT_LOOP void add_gradients(bool bf16, size_t width, size_t begin, size_t end, const backward *f,
                            size_t row, const channels *k, two_sums *sums) {
    float mean = f->mean[row], inverse = f->inverse[row];
    group s = {0}, q = {0}, x, d;
    for (size_t i = begin; i < end; i += GROUP) {
        group *dgamma = &f->dgamma.run[i / GROUP], *dbeta = &f->dbeta.run[i / GROUP];
        group_get(bf16, width, f->x, row * k->c + i, &x);
        group_get(bf16, width, f->dy, row * k->c + i, &d);
        x.a = (x.a - mean) * inverse;
        x.b = (x.b - mean) * inverse;
        dgamma->a += d.a * x.a;
        dgamma->b += d.b * x.b;
        dbeta->a += d.a;
        dbeta->b += d.b;
        d.a *= k->gamma[i / GROUP].a;
        d.b *= k->gamma[i / GROUP].b;
        s.a += d.a;
        s.b += d.b;
        q.a += d.a * x.a;
        q.b += d.b * x.b;
    }
    sums->first += (double)lanes_sum(&s);
    sums->second += (double)lanes_sum(&q);
}

/* dx = (dy' - (mean of dy' + x' * mean of dy' x')) * inverse */
ACT_LOOP void gradient_to_span(bool bf16, size_t width, size_t begin, size_t end, const backward *f,
                               size_t row, const channels *k, float first, float second, void *dx) {
    float mean = f->mean[row], inverse = f->inverse[row];
    group x, d;
    for (size_t i = begin; i < end; i += GROUP) {
        const group *gamma = &k->gamma[i / GROUP];
        group_get(bf16, width, f->x, row * k->c + i, &x);
        group_get(bf16, width, f->dy, row * k->c + i, &d);
        x.a = (x.a - mean) * inverse;
        x.b = (x.b - mean) * inverse;
        d.a = (d.a * gamma->a - (first + x.a * second)) * inverse;
        d.b = (d.b * gamma->b - (first + x.b * second)) * inverse;
        group_put(bf16, width, &d, dx, row * k->c + i);
    }
}

ACT_LOOP void gradients_of_rows(bool bf16, const backward *f, const channels *k, void *dx) {
    double n = (double)k->c;
    for (size_t row = 0; row < f->rows; row++) {
        two_sums sums = {0};
        FOR_SPANS(bf16, k->c, add_gradients, f, row, k, &sums);
        float first = (float)(sums.first / n), second = (float)(sums.second / n);
        FOR_SPANS(bf16, k->c, gradient_to_span, f, row, k, first, second, dx);
        if ((row + 1) % RUN > 0 && row + 1 < f->rows) continue;
        add_run(bf16, groups_of(k->c), f->dgamma);
        add_run(bf16, groups_of(k->c), f->dbeta);
    }
}

CPU_CLONES
static void gradients(bool bf16, const backward *f, const channels *k, void *dx) {
    if (bf16)
        gradients_of_rows(true, f, k, dx);
    else
        gradients_of_rows(false, f, k, dx);
}

gyre_status cpu_layer_norm_dx(gyre_queue *q, const gyre_layer_norm_shape *s, gyre_act x,
                              gyre_act dy, gyre_f32 gamma, gyre_f32 saved, gyre_act dx,
                              gyre_f32 dgamma, gyre_f32 dbeta) {
    size_t c = (size_t)s->c, groups = groups_of(c), rows = rows_of(s);
    size_t sums = 2 * groups * (sizeof(group) + GROUP * sizeof(double));
    void *work;
    GYRE_TRY(cpu_scratch((cpu_queue *)(void *)q, groups * sizeof(group) + sums, &work));
    group *first = work;
    double *totals = (double *)(void *)(first + 3 * groups);
    channels k = {.c = c, .gamma = first};
    backward f = {rows,
                  x,
                  dy,
                  cpu_f32(saved),
                  cpu_f32(saved) + rows,
                  {first + groups, totals},
                  {first + 2 * groups, totals + groups * GROUP}};
    memset(first + groups, 0, sums);
    by_groups(cpu_bf16(q), cpu_f32(gamma), c, k.gamma);
    gradients(cpu_bf16(q), &f, &k, dx);
    for (size_t j = 0; j < c; j++) {
        cpu_f32(dgamma)[j] = (float)f.dgamma.total[j];
        cpu_f32(dbeta)[j] = (float)f.dbeta.total[j];
    }
    return GYRE_OK;
}
