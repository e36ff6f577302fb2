/* Convolutions and fully connected layers against naive loops in double, which themselves agree
 * with finite differences. A fully connected layer is a 1x1 convolution of a 1x1 image. */
#include "ops.h"

typedef gyre_conv_shape shape;

typedef struct {
    size_t x, w, y, k;
    int oh, ow;
} sizes;

static int out(int size, int front, int back, int taps, int dilation, int stride) {
    return (size + front + back - (taps - 1) * dilation - 1) / stride + 1;
}

static sizes sizes_of(const shape *s) {
    int oh = out(s->h, s->pad_top, s->pad_bottom, s->r, s->dilation_h, s->stride_h);
    int ow = out(s->w, s->pad_left, s->pad_right, s->s, s->dilation_w, s->stride_w);
    return (sizes){(size_t)(s->n * s->h * s->w * s->c),
                   (size_t)(s->k * s->r * s->s * (s->c / s->groups)),
                   (size_t)(s->n * oh * ow * s->k),
                   (size_t)s->k,
                   oh,
                   ow};
}

/* BODY for each product x[xi] * w[wi] that belongs to y[yi]. */
#define FOR_PRODUCTS(s, z, BODY)                                                                   \
    for (int n = 0; n < (s)->n; n++)                                                               \
        for (int i = 0; i < (z).oh; i++)                                                           \
            for (int j = 0; j < (z).ow; j++)                                                       \
                for (int k = 0; k < (s)->k; k++)                                                   \
                    for (int p = 0; p < (s)->r; p++)                                               \
                        for (int q = 0; q < (s)->s; q++) {                                         \
                            int part = (s)->c / (s)->groups, group = k / ((s)->k / (s)->groups);   \
                            int row = i * (s)->stride_h + p * (s)->dilation_h - (s)->pad_top;      \
                            int col = j * (s)->stride_w + q * (s)->dilation_w - (s)->pad_left;     \
                            if (row < 0 || row >= (s)->h || col < 0 || col >= (s)->w) continue;    \
                            int xi = ((n * (s)->h + row) * (s)->w + col) * (s)->c + group * part;  \
                            int wi = ((k * (s)->r + p) * (s)->s + q) * part;                       \
                            int yi = ((n * (z).oh + i) * (z).ow + j) * (s)->k + k;                 \
                            for (int c = 0; c < part; c++, xi++, wi++) BODY;                       \
                        }

static void reference_forward(const shape *s, const double *x, const double *w, const double *bias,
                              double *y) {
    sizes z = sizes_of(s);
    for (size_t i = 0; i < z.y; i++) y[i] = s->bias ? bias[i % z.k] : 0;
    FOR_PRODUCTS(s, z, y[yi] += x[xi] * w[wi])
    for (size_t i = 0; s->relu && i < z.y; i++) y[i] = y[i] < 0 ? 0 : y[i];
}

static void reference_dx(const shape *s, const double *dy, const double *w, double *dx) {
    sizes z = sizes_of(s);
    memset(dx, 0, z.x * sizeof *dx);
    FOR_PRODUCTS(s, z, dx[xi] += dy[yi] * w[wi])
}

static void reference_dw(const shape *s, const double *x, const double *dy, double *dw,
                         double *db) {
    sizes z = sizes_of(s);
    memset(dw, 0, z.w * sizeof *dw);
    memset(db, 0, z.k * sizeof *db);
    FOR_PRODUCTS(s, z, dw[wi] += dy[yi] * x[xi])
    for (size_t i = 0; i < z.y; i++) db[i % z.k] += dy[i];
}

/* One shape's data, and what the references make of it; *_abs are sums of absolute terms. */
typedef struct {
    shape s;
    sizes z;
    double *x, *w, *bias, *dy, *y, *dx, *dw, *db, *y_abs, *dx_abs, *dw_abs, *db_abs;
} problem;

static problem problem_new(shape s) {
    sizes z = sizes_of(&s);
    problem p = {.s = s, .z = z, .x = randoms(1, z.x), .w = randoms(2, z.w)};
    p.bias = randoms(3, z.k);
    p.dy = randoms(4, z.y);
    round_acts(p.x, z.x);
    round_acts(p.w, z.w);
    round_acts(p.dy, z.y);
    p.y = zeros(z.y);
    p.dx = zeros(z.x);
    p.dw = zeros(z.w);
    p.db = zeros(z.k);
    p.y_abs = zeros(z.y);
    p.dx_abs = zeros(z.x);
    p.dw_abs = zeros(z.w);
    p.db_abs = zeros(z.k);
    double *x = absolutes(p.x, z.x), *w = absolutes(p.w, z.w), *bias = absolutes(p.bias, z.k);
    double *dy = absolutes(p.dy, z.y);
    reference_forward(&s, p.x, p.w, p.bias, p.y);
    reference_dx(&s, p.dy, p.w, p.dx);
    reference_dw(&s, p.x, p.dy, p.dw, p.db);
    reference_forward(&s, x, w, bias, p.y_abs);
    reference_dx(&s, dy, w, p.dx_abs);
    reference_dw(&s, x, dy, p.dw_abs, p.db_abs);
    free(x);
    free(w);
    free(bias);
    free(dy);
    return p;
}

static void problem_free(problem *p) {
    double *all[] = {p->x,  p->w,  p->bias,  p->dy,     p->y,      p->dx,
                     p->dw, p->db, p->y_abs, p->dx_abs, p->dw_abs, p->db_abs};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) free(all[i]);
}

/* The operations of either kind of layer under one face. */
typedef struct {
    buffer x, w, bias, dy, packed, y, dx, dw, db;
} device;

static void run_conv(gyre_queue *q, const problem *p, device *d) {
    const gyre_backend_ops *ops = q->backend->ops;
    const shape *s = &p->s;
    shape other = *s; /* one packed copy must serve every batch size, with and without relu */
    other.n = s->n + 3;
    other.relu = !s->relu;
    assert_int_equal(ops->conv_pack_size(q->backend, &other), ops->conv_pack_size(q->backend, s));
    OK(ops->conv_pack(q, &other, F(d->w), R(d->packed)));
    OK(ops->conv(q, s, A(d->x), R(d->packed), s->bias ? F(d->bias) : NULL, A(d->y)));
    OK(ops->conv_dx(q, s, A(d->dy), R(d->packed), A(d->dx)));
    OK(ops->conv_dw(q, s, A(d->x), A(d->dy), F(d->dw), s->bias ? F(d->db) : NULL));
}

static gyre_linear_shape linear_of(const shape *s) {
    return (gyre_linear_shape){s->n, s->c, s->k, s->bias, s->relu};
}

static void run_linear(gyre_queue *q, const problem *p, device *d) {
    const gyre_backend_ops *ops = q->backend->ops;
    gyre_linear_shape s = linear_of(&p->s);
    OK(ops->linear_pack(q, &s, F(d->w), R(d->packed)));
    OK(ops->linear(q, &s, A(d->x), R(d->packed), s.bias ? F(d->bias) : NULL, A(d->y)));
    OK(ops->linear_dx(q, &s, A(d->dy), R(d->packed), A(d->dx)));
    OK(ops->linear_dw(q, &s, A(d->x), A(d->dy), F(d->dw), s.bias ? F(d->db) : NULL));
}

static void check_layer(gyre_backend *b, shape s, bool linear) {
    problem p = problem_new(s);
    gyre_linear_shape l = linear_of(&s);
    sizes z = p.z;
    size_t packed = linear ? b->ops->linear_pack_size(b, &l) : b->ops->conv_pack_size(b, &s);
    assert_true(packed > 0);
    device d = {acts_of(b, p.x, z.x),  buffer_of(b, p.w, z.w),  buffer_of(b, p.bias, z.k),
                acts_of(b, p.dy, z.y), buffer_bytes(b, packed), acts_new(b, z.y),
                acts_new(b, z.x),      buffer_new(b, z.w),      buffer_new(b, z.k)};
    for (int round = 0; round < 2; round++) { /* the second time from the cache */
        if (linear)
            run_linear(b->main, &p, &d);
        else
            run_conv(b->main, &p, &d);
        double window = s.r * s.s, pixels = (double)s.n * z.oh * z.ow;
        check_close("y", d.y, p.y, p.y_abs, sum_bound(window * s.c / s.groups));
        check_close("dx", d.dx, p.dx, p.dx_abs, sum_bound(window * s.k / s.groups));
        check_rounded("dw", d.dw, p.dw, p.dw_abs, sum_bound(pixels));
        if (s.bias) check_close("db", d.db, p.db, p.db_abs, sum_bound(pixels));
    }
    buffer all[] = {d.x, d.w, d.bias, d.dy, d.packed, d.y, d.dx, d.dw, d.db};
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) buffer_free(all[i]);
    problem_free(&p);
}

static void convolutions_match(void **state) {
    static const shape shapes[] = {/* n, h, w, c, k, r, stride, pad, bias, relu */
                                   SQUARE_CONV(1, 5, 5, 3, 10, 3, 1, 1, true, false),
                                   SQUARE_CONV(2, 32, 32, 3, 16, 3, 1, 1, false, false),
                                   SQUARE_CONV(3, 16, 16, 16, 32, 3, 2, 1, false, false),
                                   SQUARE_CONV(2, 8, 8, 32, 64, 3, 1, 1, false, true),
                                   SQUARE_CONV(2, 28, 28, 1, 20, 5, 1, 0, true, false),
                                   SQUARE_CONV(1, 32, 32, 3, 32, 5, 1, 2, true, true),
                                   SQUARE_CONV(2, 12, 12, 20, 50, 5, 1, 0, true, true),
                                   SQUARE_CONV(1, 1, 1, 7, 3, 1, 1, 0, true, false),
                                   /* packed weights that no fast kernel of one sample takes */
                                   SQUARE_CONV(1, 7, 7, 128, 64, 3, 1, 1, true, false),
                                   SQUARE_CONV(1, 7, 7, 32, 64, 5, 1, 2, false, true),
                                   SQUARE_CONV(2, 7, 5, 17, 9, 3, 2, 1, true, true),
                                   SQUARE_CONV(1, 9, 9, 8, 8, 1, 2, 0, false, false),
                                   SQUARE_CONV(5, 4, 4, 64, 64, 3, 1, 1, true, false),
                                   SQUARE_CONV(1, 11, 6, 5, 1, 3, 3, 0, true, false),
                                   SQUARE_CONV(2, 6, 6, 24, 12, 5, 2, 2, false, false),
                                   SQUARE_CONV(33, 3, 3, 2, 5, 3, 1, 1, true, true),
                                   SQUARE_CONV(1, 1, 13, 16, 16, 3, 1, 1, false, false),
                                   SQUARE_CONV(4, 7, 7, 48, 31, 2, 1, 0, true, false)};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        check_layer(*state, shapes[i], false);
    }
}

/* Everything that need not be square or equal, and channels in groups; what the columns mean stands
 * in gyre/ops.h. */
static void unequal_and_grouped_match(void **state) {
    static const shape shapes[] = {
        /* n, h, w, c, k, r, s, strides, pads, dilations, groups, bias, relu */
        {2, 9, 7, 5, 6, 3, 5, 1, 1, 1, 2, 1, 2, 1, 1, 1, true, false},    /* oblong */
        {1, 8, 11, 3, 4, 1, 7, 1, 1, 0, 3, 0, 3, 1, 1, 1, false, true},   /* a row */
        {2, 11, 8, 16, 8, 7, 1, 2, 1, 3, 0, 3, 0, 1, 1, 1, false, false}, /* a column */
        {2, 9, 12, 4, 8, 3, 3, 2, 3, 1, 1, 1, 1, 1, 1, 1, true, true},    /* strides */
        {2, 7, 8, 6, 5, 3, 3, 1, 1, 2, 0, 1, 1, 1, 1, 1, true, false},    /* pads */
        {1, 6, 6, 16, 16, 4, 4, 1, 1, 1, 1, 2, 2, 1, 1, 1, false, false}, /* "same" */
        {2, 10, 9, 8, 16, 3, 3, 2, 2, 0, 0, 1, 1, 1, 1, 1, false, false},
        {1, 12, 13, 5, 7, 3, 3, 1, 1, 2, 2, 2, 2, 2, 2, 1, true, false}, /* dilations */
        {2, 13, 11, 16, 16, 3, 3, 1, 2, 0, 4, 3, 2, 3, 2, 1, false, false},
        {1, 9, 9, 1, 3, 2, 3, 1, 1, 0, 0, 0, 0, 4, 4, 1, true, true},
        {2, 6, 5, 8, 12, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 2, true, false}, /* groups */
        {2, 6, 6, 64, 64, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 4, false, true},
        {1, 5, 7, 6, 9, 1, 1, 1, 1, 0, 0, 0, 0, 1, 1, 3, true, false},
        {2, 7, 7, 8, 4, 3, 2, 1, 2, 2, 0, 1, 1, 2, 1, 4, false, false},
        {3, 4, 4, 128, 128, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 32, false, false},
        {2, 4, 5, 3, 12, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 3, true, true}, /* each channel to four */
    };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        check_layer(*state, shapes[i], false);
    }
}

/* Each channel by itself: what the backend may compute in kernels of its own. */
static void depthwise_match(void **state) {
    static const shape shapes[] = {
        {2, 16, 16, 32, 32, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 32, false, false},
        {3, 16, 16, 96, 96, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 96, false, false},
        {2, 8, 8, 144, 144, 3, 3, 2, 2, 1, 1, 1, 1, 1, 1, 144, false, true},
        {9, 1, 1, 40, 40, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 40, true, false},
        {9, 1, 1, 33, 33, 5, 5, 1, 1, 2, 2, 2, 2, 1, 1, 33, true, true},
        {3, 2, 2, 70, 70, 5, 5, 2, 2, 2, 2, 2, 2, 1, 1, 70, false, false},
        {2, 7, 5, 1, 1, 7, 7, 1, 1, 3, 3, 3, 3, 1, 1, 1, true, false}, /* one channel: both */
        {1, 9, 14, 31, 31, 7, 7, 1, 1, 3, 3, 3, 3, 1, 1, 31, true, false},
        {2, 11, 9, 17, 17, 3, 5, 2, 1, 0, 3, 2, 1, 1, 1, 17, true, true}, /* nothing equal */
        {1, 13, 12, 48, 48, 3, 3, 3, 2, 2, 1, 3, 4, 2, 3, 48, false, false},
        {2, 5, 6, 3, 3, 2, 1, 1, 1, 0, 0, 0, 0, 1, 1, 3, true, false},
        {1, 1, 300, 16, 16, 1, 3, 1, 1, 0, 1, 0, 1, 1, 1, 16, true, false}, /* a long row */
        {1, 40, 41, 64, 64, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 64, true, true},
        {1, 6, 300, 8, 8, 3, 3, 1, 2, 1, 1, 1, 0, 1, 1, 8, true, true},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        check_layer(*state, shapes[i], false);
    }
}

/* The CPU computes these as matrix products: filters of one pixel, and few pixels. */
static void small_images_match(void **state) {
    static const shape shapes[] = {
        SQUARE_CONV(3, 8, 8, 24, 144, 1, 1, 0, false, false), /* the most pixels */
        SQUARE_CONV(2, 5, 13, 24, 40, 1, 1, 0, true, true),   /* one more */
        SQUARE_CONV(33, 2, 2, 96, 33, 1, 1, 0, true, true),
        SQUARE_CONV(2, 3, 2, 1, 1, 1, 1, 0, true, false),
        SQUARE_CONV(32, 1, 1, 64, 48, 3, 1, 1, false, false), /* one tap of nine */
        SQUARE_CONV(5, 1, 1, 7, 9, 3, 1, 1, true, true),
        SQUARE_CONV(9, 2, 2, 32, 16, 3, 1, 1, true, true), /* all pairs have a tap */
        SQUARE_CONV(7, 2, 2, 48, 40, 3, 2, 1, false, false),
        SQUARE_CONV(7, 2, 2, 5, 6, 1, 2, 0, true, false),
        SQUARE_CONV(4, 4, 4, 3, 5, 4, 1, 0, true, false),
        {3, 4, 1, 6, 5, 3, 3, 1, 1, 2, 1, 0, 1, 1, 1, 1, true, false},
        {2, 3, 1, 17, 8, 3, 1, 1, 1, 2, 0, 2, 0, 2, 1, 1, true, true}, /* dilation, pads */
        {4, 1, 4, 4, 3, 2, 3, 2, 2, 1, 2, 0, 1, 1, 2, 1, false, true},
        {2, 1, 1, 8, 8, 3, 3, 1, 1, 2, 2, 2, 2, 1, 1, 1, true, false}, /* more come out */
        /* as products of patches */
        SQUARE_CONV(35, 4, 4, 16, 24, 3, 2, 1, true, true),
        SQUARE_CONV(3, 5, 5, 33, 17, 4, 1, 0, false, false),
        SQUARE_CONV(2, 3, 4, 340, 343, 3, 1, 1, true, false),         /* many weights */
        {3, 5, 9, 6, 5, 3, 2, 2, 5, 2, 0, 1, 1, 2, 3, 1, true, true}, /* nothing equal */
    };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        check_layer(*state, shapes[i], false);
    }
}

static void fully_connected_match(void **state) {
    static const shape shapes[] = {SQUARE_CONV(1, 1, 1, 1, 1, 1, 1, 0, true, false),
                                   SQUARE_CONV(1, 1, 1, 7, 10, 1, 1, 0, true, false),
                                   SQUARE_CONV(32, 1, 1, 64, 10, 1, 1, 0, true, false),
                                   SQUARE_CONV(5, 1, 1, 800, 500, 1, 1, 0, true, true),
                                   SQUARE_CONV(17, 1, 1, 33, 100, 1, 1, 0, false, true),
                                   SQUARE_CONV(3, 1, 1, 1021, 1030, 1, 1, 0, true, true),
                                   SQUARE_CONV(33, 1, 1, 1024, 1024, 1, 1, 0, false, false),
                                   SQUARE_CONV(128, 1, 1, 3, 2, 1, 1, 0, true, false)};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        check_layer(*state, shapes[i], true);
    }
}

static double weighted_output(void *context) {
    problem *p = context;
    reference_forward(&p->s, p->x, p->w, p->bias, p->y);
    return dot(p->y, p->dy, p->z.y);
}

static void references_agree_with_finite_differences(void **state) {
    static const shape shapes[] = {SQUARE_CONV(2, 5, 4, 3, 4, 3, 2, 1, true, false),
                                   SQUARE_CONV(1, 6, 6, 2, 3, 5, 1, 2, false, false),
                                   SQUARE_CONV(3, 1, 1, 7, 5, 1, 1, 0, true, false),
                                   {2, 6, 5, 4, 6, 3, 2, 1, 2, 2, 0, 1, 1, 2, 1, 2, true, false}};
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        problem p = problem_new(shapes[i]);
        check_gradient("dx", weighted_output, &p, p.x, p.z.x, p.dx);
        check_gradient("dw", weighted_output, &p, p.w, p.z.w, p.dw);
        if (p.s.bias) check_gradient("db", weighted_output, &p, p.bias, p.z.k, p.db);
        problem_free(&p);
    }
}

/* A NaN or Inf that meets a fused ReLU must not become 0: a diverged step would look healthy. */
static void nan_passes_through_fused_relu(void **state) {
    gyre_backend *b = *state;
    static const shape shapes[] = {SQUARE_CONV(2, 8, 8, 16, 16, 3, 1, 1, true, true),
                                   SQUARE_CONV(1, 5, 5, 3, 10, 3, 1, 1, false, true),
                                   {1, 5, 5, 40, 40, 3, 3, 1, 1, 1, 1, 1, 1, 1, 1, 40, true, true},
                                   SQUARE_CONV(4, 1, 1, 40, 17, 1, 1, 0, true, true)};
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        for (int linear = 0; linear <= (shapes[i].h == 1 ? 1 : 0); linear++) {
            problem p = problem_new(shapes[i]);
            p.x[0] = NAN;
            gyre_linear_shape l = linear_of(&p.s);
            buffer x = acts_of(b, p.x, p.z.x), w = buffer_of(b, p.w, p.z.w);
            buffer bias = buffer_of(b, p.bias, p.z.k), y = acts_new(b, p.z.y);
            buffer packed = buffer_bytes(b, linear ? b->ops->linear_pack_size(b, &l)
                                                   : b->ops->conv_pack_size(b, &p.s));
            if (linear) {
                OK(b->ops->linear_pack(b->main, &l, F(w), R(packed)));
                OK(b->ops->linear(b->main, &l, A(x), R(packed), F(bias), A(y)));
            } else {
                OK(b->ops->conv_pack(b->main, &p.s, F(w), R(packed)));
                OK(b->ops->conv(b->main, &p.s, A(x), R(packed), F(bias), A(y)));
            }
            float *have = buffer_read(y);
            for (size_t k = 0; k < p.z.k; k++) { /* in the first group, and in no other */
                assert_int_equal(isnan(have[k]) != 0, k < p.z.k / (size_t)p.s.groups);
            }
            free(have);
            buffer all[] = {x, w, bias, y, packed};
            for (size_t k = 0; k < 5; k++) buffer_free(all[k]);
            problem_free(&p);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(references_agree_with_finite_differences),
        cmocka_unit_test(convolutions_match),
        cmocka_unit_test(unequal_and_grouped_match),
        cmocka_unit_test(depthwise_match),
        cmocka_unit_test(small_images_match),
        cmocka_unit_test(fully_connected_match),
        cmocka_unit_test(nan_passes_through_fused_relu),
    };
    return RUN_IN_BOTH(tests, set_up_backend, tear_down_backend);
}
