/* A small training step gives the same bits on any number of threads, allocates nothing once it has
 * run, and stops at the first NaN. */
#include "ops.h"

int64_t cpu_allocations(const gyre_backend *b);

/* ---- conv, norm, max pool, conv, norm + shortcut, average pool, linear, loss */

enum { S = 4, B = 5, SIDE = 9, HALF = 4, K1 = 8, K2 = 20, CLASSES = 7 };
enum {
    W1 = 0,
    G1 = W1 + K1 * 27,
    W2 = G1 + 2 * K1,
    G2 = W2 + K2 * K1 * 9,
    W3 = G2 + 2 * K2,
    PARAMETERS = W3 + CLASSES * K2 + CLASSES,
    MOMENTS = 2 * K1 + 2 * K2
};

static const gyre_conv_shape CONV1 = SQUARE_CONV(B, SIDE, SIDE, 3, K1, 3, 1, 1, false, false);
static const gyre_batch_norm_shape NORM1 = {B, SIDE, SIDE, K1, 1e-5f, true, false, false};
static const gyre_pool_shape POOL1 = {B, SIDE, SIDE, K1, 3, 3, 2, 2, 0, 0, true, false, false};
static const gyre_conv_shape CONV2 = SQUARE_CONV(B, HALF, HALF, K1, K2, 3, 1, 1, false, false);
static const gyre_shortcut_shape CUT = {B, HALF, HALF, K1, K2, 1};
static const gyre_batch_norm_shape NORM2 = {B, HALF, HALF, K2, 1e-5f, true, true, false};
static const gyre_pool_shape POOL2 = {B, HALF, HALF, K2,    HALF,  HALF, 1,
                                      1, 0,    0,    false, false, false};
static const gyre_linear_shape LINEAR = {B, K2, CLASSES, true, false};
static const gyre_loss_shape LOSS = {B, CLASSES, 0.1f, 1.0f / (S * B), 1, false};

enum { BIG = B * SIDE * SIDE * K1, SMALL = B * HALF * HALF * K2 }; /* activations */

typedef struct {
    buffer x, labels, a1, n1, p1, s1, a2, cut, n2, p2, z, da, db, dc, saved1, saved2;
    buffer gradient, moments, stats;
} shard;

typedef struct {
    gyre_backend *b;
    shard shards[S];
    buffer w, velocity, running, scalars, pack1, pack2, pack3, mean, scale;
    uint8_t images[S * B * SIDE * SIDE * 3];
    int32_t labels[S * B];
} net;

static shard shard_new(gyre_backend *b) {
    return (shard){.x = acts_new(b, B * SIDE * SIDE * 3),
                   .labels = buffer_new(b, B),
                   .a1 = acts_new(b, BIG),
                   .n1 = acts_new(b, BIG),
                   .p1 = acts_new(b, SMALL),
                   .s1 = buffer_bytes(b, b->ops->pool_saved_size(b, &POOL1)),
                   .a2 = acts_new(b, SMALL),
                   .cut = acts_new(b, SMALL),
                   .n2 = acts_new(b, SMALL),
                   .p2 = acts_new(b, B * K2),
                   .z = acts_new(b, B * CLASSES),
                   .da = acts_new(b, BIG),
                   .db = acts_new(b, BIG),
                   .dc = acts_new(b, SMALL),
                   .saved1 = buffer_new(b, 2 * K1),
                   .saved2 = buffer_new(b, 2 * K2),
                   .gradient = buffer_new(b, PARAMETERS),
                   .moments = buffer_new(b, MOMENTS),
                   .stats = buffer_new(b, 2)};
}

static net *net_new(gyre_backend *b) {
    net *t = calloc(1, sizeof *t);
    gyre_random r = gyre_random_open(7, GYRE_RANDOM_TEST, 0, 0);
    double *w = randoms(1, PARAMETERS), *zero = zeros(PARAMETERS), mean[SIDE * SIDE * 3];
    double scalars[GYRE_SCALAR_COUNT] = {
        [GYRE_SCALAR_LR] = 0.05, [GYRE_SCALAR_MOMENTUM] = 0.9, [GYRE_SCALAR_FINITE] = 1};
    const double scale[3] = {1.0 / 64, 1.0 / 64, 1.0 / 64};
    for (int i = 0; i < PARAMETERS; i++) w[i] *= 0.2;
    for (int i = 0; i < SIDE * SIDE * 3; i++) mean[i] = 128;
    for (size_t i = 0; i < sizeof t->images; i++)
        t->images[i] = (uint8_t)gyre_random_below(&r, 256);
    for (int i = 0; i < S * B; i++) t->labels[i] = (int32_t)gyre_random_below(&r, CLASSES);
    t->b = b;
    for (int i = 0; i < S; i++) t->shards[i] = shard_new(b);
    t->w = buffer_of(b, w, PARAMETERS);
    t->velocity = buffer_of(b, zero, PARAMETERS);
    t->running = buffer_of(b, zero, MOMENTS);
    t->scalars = buffer_of(b, scalars, GYRE_SCALAR_COUNT);
    t->pack1 = buffer_bytes(b, b->ops->conv_pack_size(b, &CONV1));
    t->pack2 = buffer_bytes(b, b->ops->conv_pack_size(b, &CONV2));
    t->pack3 = buffer_bytes(b, b->ops->linear_pack_size(b, &LINEAR));
    t->mean = buffer_of(b, mean, SIDE * SIDE * 3);
    t->scale = buffer_of(b, scale, 3);
    free(w);
    free(zero);
    return t;
}

static void net_free(net *t) {
    for (int i = 0; i < S; i++) {
        shard *s = &t->shards[i];
        buffer all[] = {s->x,      s->labels, s->a1,       s->n1,      s->p1,   s->s1, s->a2,
                        s->cut,    s->n2,     s->p2,       s->z,       s->da,   s->db, s->dc,
                        s->saved1, s->saved2, s->gradient, s->moments, s->stats};
        for (size_t k = 0; k < sizeof all / sizeof all[0]; k++) buffer_free(all[k]);
    }
    buffer all[] = {t->w,     t->velocity, t->running, t->scalars, t->pack1,
                    t->pack2, t->pack3,    t->mean,    t->scale};
    for (size_t k = 0; k < sizeof all / sizeof all[0]; k++) buffer_free(all[k]);
    free(t);
}

static gyre_f32 at(buffer x, size_t i) {
    return gyre_f32_at(F(x), i);
}

static gyre_status forward(net *t, gyre_queue *q, shard *s, const gyre_batch *batch) {
    const gyre_backend_ops *o = t->b->ops;
    gyre_image_shape image = {B, SIDE, SIDE, 3};
    GYRE_TRY(o->batch_load(q, &image, batch, F(t->mean), F(t->scale), A(s->x), I(s->labels)));
    GYRE_TRY(o->conv(q, &CONV1, A(s->x), R(t->pack1), NULL, A(s->a1)));
    GYRE_TRY(o->batch_norm_train(q, &NORM1, A(s->a1), NULL, at(t->w, G1), at(t->w, G1 + K1),
                                 F(s->saved1), F(s->moments), A(s->n1)));
    GYRE_TRY(o->pool(q, &POOL1, A(s->n1), R(s->s1), A(s->p1)));
    GYRE_TRY(o->conv(q, &CONV2, A(s->p1), R(t->pack2), NULL, A(s->a2)));
    GYRE_TRY(o->shortcut(q, &CUT, A(s->p1), A(s->cut)));
    GYRE_TRY(o->batch_norm_train(q, &NORM2, A(s->a2), A(s->cut), at(t->w, G2), at(t->w, G2 + K2),
                                 F(s->saved2), at(s->moments, 2 * K1), A(s->n2)));
    GYRE_TRY(o->pool(q, &POOL2, A(s->n2), NULL, A(s->p2)));
    return o->linear(q, &LINEAR, A(s->p2), R(t->pack3), at(t->w, W3 + CLASSES * K2), A(s->z));
}

static gyre_status backward(net *t, gyre_queue *q, shard *s) {
    const gyre_backend_ops *o = t->b->ops;
    buffer g = s->gradient;
    GYRE_TRY(o->softmax_loss(q, &LOSS, A(s->z), I(s->labels), NULL, A(s->da), F(s->stats)));
    GYRE_TRY(o->linear_dw(q, &LINEAR, A(s->p2), A(s->da), at(g, W3), at(g, W3 + CLASSES * K2)));
    GYRE_TRY(o->linear_dx(q, &LINEAR, A(s->da), R(t->pack3), A(s->db)));
    GYRE_TRY(o->pool_dx(q, &POOL2, A(s->db), NULL, A(s->da)));
    GYRE_TRY(o->batch_norm_dx(q, &NORM2, A(s->a2), A(s->n2), A(s->da), at(t->w, G2), F(s->saved2),
                              A(s->da), A(s->dc), at(g, G2), at(g, G2 + K2)));
    GYRE_TRY(o->conv_dw(q, &CONV2, A(s->p1), A(s->da), at(g, W2), NULL));
    GYRE_TRY(o->conv_dx(q, &CONV2, A(s->da), R(t->pack2), A(s->db)));
    GYRE_TRY(o->shortcut_dx(q, &CUT, A(s->dc), A(s->da)));
    GYRE_TRY(o->accumulate(q, B * HALF * HALF * K1, A(s->da), A(s->db)));
    GYRE_TRY(o->pool_dx(q, &POOL1, A(s->db), R(s->s1), A(s->da)));
    GYRE_TRY(o->batch_norm_dx(q, &NORM1, A(s->a1), A(s->n1), A(s->da), at(t->w, G1), F(s->saved1),
                              A(s->da), NULL, at(g, G1), at(g, G1 + K1)));
    return o->conv_dw(q, &CONV1, A(s->x), A(s->da), at(g, W1), NULL);
}

static gyre_status shard_task(void *context, gyre_queue *q, int i) {
    net *t = context;
    gyre_augment augments[B] = {{1, -1, 1, 0}};
    gyre_batch batch = {.count = B,
                        .images = t->images + (size_t)i * B * SIDE * SIDE * 3,
                        .targets = t->labels + (size_t)i * B,
                        .target_values = 1,
                        .augment = augments};
    GYRE_TRY(forward(t, q, &t->shards[i], &batch));
    return backward(t, q, &t->shards[i]);
}

static void add_into(net *t, int to, int from) {
    shard *a = &t->shards[to], *c = &t->shards[from];
    const gyre_backend_ops *o = t->b->ops;
    OK(o->add(t->b->main, PARAMETERS, F(a->gradient), F(c->gradient), F(a->gradient)));
    OK(o->add(t->b->main, MOMENTS, F(a->moments), F(c->moments), F(a->moments)));
    OK(o->add(t->b->main, 2, F(a->stats), F(c->stats), F(a->stats)));
}

static void step(net *t) {
    const gyre_backend_ops *o = t->b->ops;
    gyre_queue *q = t->b->main;
    gyre_update_shape sgd = {.lr_mult = 1, .weight_decay = 1e-4f};
    OK(o->conv_pack(q, &CONV1, at(t->w, W1), R(t->pack1)));
    OK(o->conv_pack(q, &CONV2, at(t->w, W2), R(t->pack2)));
    OK(o->linear_pack(q, &LINEAR, at(t->w, W3), R(t->pack3)));
    OK(o->parallel(t->b, S, shard_task, t));
    add_into(t, 0, 1);
    add_into(t, 2, 3);
    add_into(t, 0, 2);
    shard *sum = &t->shards[0];
    OK(o->reduce_begin(t->b, F(sum->gradient), PARAMETERS));
    OK(o->reduce_end(t->b));
    OK(o->check_step(q, PARAMETERS, F(sum->gradient), F(sum->stats), 1, F(t->scalars)));
    OK(o->update_statistics(q, MOMENTS, 1.0f / S, 0.1f, F(sum->moments), F(t->scalars),
                            F(t->running)));
    OK(o->update(q, &sgd, PARAMETERS, F(sum->gradient), F(t->velocity), NULL, F(t->w),
                 F(t->scalars)));
}

static void threads_change_no_bit(void **state) {
    (void)state;
    float *first[3] = {0};
    for (int threads = 1; threads <= 5; threads++) {
        gyre_backend *b = open_backend(threads);
        net *t = net_new(b);
        for (int i = 0; i < 4; i++) step(t);
        buffer results[3] = {t->w, t->running, t->scalars};
        for (int i = 0; i < 3; i++) {
            float *have = buffer_read(results[i]);
            for (size_t k = 0; k < results[i].n; k++) assert_true(isfinite(have[k]) == 1);
            if (first[i] == NULL) {
                first[i] = have;
                continue;
            }
            assert_memory_equal(have, first[i], results[i].n * sizeof(float));
            free(have);
        }
        net_free(t);
        b->ops->close(b);
    }
    for (int i = 0; i < 3; i++) free(first[i]);
}

static void steps_overfit_one_batch(void **state) {
    (void)state;
    gyre_backend *b = open_backend(2);
    net *t = net_new(b);
    float before = 0, after = 0;
    for (int i = 0; i < 300; i++) {
        step(t);
        float *scalars = buffer_read(t->scalars);
        if (i == 0) before = scalars[GYRE_SCALAR_LOSS];
        after = scalars[GYRE_SCALAR_LOSS];
        free(scalars);
    }
    assert_true(before > 1.5f && after < 0.6f); /* floor: the smoothed targets' entropy, 0.446 */
    net_free(t);
    b->ops->close(b);
}

static void steady_steps_do_not_allocate(void **state) {
    (void)state;
    gyre_backend *b = open_backend(3);
    net *t = net_new(b);
    step(t);
    step(t);
    int64_t before = cpu_allocations(b);
    for (int i = 0; i < 30; i++) step(t);
    assert_int_equal(cpu_allocations(b), before);
    net_free(t);
    b->ops->close(b);
}

/* A bad weight anywhere reaches the verdict of that step, and nothing moves any more. */
static void a_bad_weight_stops_the_run(void **state) {
    (void)state;
    static const size_t places[] = {W1 + 5, G1 + 2, G1 + K1 + 1, W2 + 700, G2 + 3, W3 + 9};
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        gyre_backend *b = open_backend(2);
        net *t = net_new(b);
        const float bad[] = {NAN, INFINITY};
        step(t);
        OK(b->ops->upload(b->main, at(t->w, places[i]), &bad[i % 2], 1));
        float *w = buffer_read(t->w), *running = buffer_read(t->running);
        for (int k = 0; k < 2; k++) step(t);
        float *w_after = buffer_read(t->w), *running_after = buffer_read(t->running);
        float *scalars = buffer_read(t->scalars);
        assert_true(scalars[GYRE_SCALAR_FINITE] == 0);
        assert_memory_equal(w, w_after, PARAMETERS * sizeof *w);
        assert_memory_equal(running, running_after, MOMENTS * sizeof *w);
        float *all[] = {w, running, w_after, running_after, scalars};
        for (int k = 0; k < 5; k++) free(all[k]);
        net_free(t);
        b->ops->close(b);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_change_no_bit),
        cmocka_unit_test(steps_overfit_one_batch),
        cmocka_unit_test(steady_steps_do_not_allocate),
        cmocka_unit_test(a_bad_weight_stops_the_run),
    };
    return RUN_IN_BOTH(tests, NULL, NULL);
}
