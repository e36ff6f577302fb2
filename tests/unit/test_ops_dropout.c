/* Dropout: what is drawn for each element, channel or sample, that it does not depend on how a
 * batch is cut, and how often it drops. */
#include "gyre/dropout.h"

#include "ops.h"

static const uint32_t KEY[GYRE_DRAW_WORDS] = {0x12345678, 0x9abcdef0, 1000};

static gyre_dropout_shape shape(int n, size_t pixels, size_t c, gyre_drop unit, double p) {
    return (gyre_dropout_shape){.n = n,
                                .pixels = pixels,
                                .c = c,
                                .unit = unit,
                                .name = {7, 8},
                                .threshold = (uint32_t)(p * 0x1p32),
                                .factor = (float)(1 / (1 - p))};
}

/* The factor of element i: one word of the block that it lies in. */
static double factor_at(const gyre_dropout_shape *s, size_t i) {
    size_t one = s->pixels * s->c, sample = KEY[GYRE_DRAW_FIRST] + s->first + i / one;
    size_t place = s->unit == GYRE_DROP_ELEMENTS   ? i % one
                   : s->unit == GYRE_DROP_CHANNELS ? i % s->c
                                                   : 0;
    gyre_philox_block words =
        gyre_dropout_words(s, KEY[0], KEY[1], (uint32_t)sample, (uint32_t)(place / 4));
    return words.w[place % 4] < s->threshold ? 0 : (double)s->factor;
}

static void check(gyre_backend *b, gyre_dropout_shape s) {
    size_t n = (size_t)s.n * s.pixels * s.c;
    double *x = randoms(1, n), *y = zeros(n);
    round_acts(x, n);
    for (size_t i = 0; i < n; i++) y[i] = (double)(float)(x[i] * factor_at(&s, i));
    buffer draws = buffer_from(b, KEY, GYRE_DRAW_WORDS, sizeof *KEY);
    buffer dev_x = acts_of(b, x, n), dev_y = acts_new(b, n);
    OK(b->ops->dropout(b->main, &s, I(draws), A(dev_x), A(dev_y)));
    check_close("y", dev_y, y, NULL, 0);
    OK(b->ops->dropout(b->main, &s, I(draws), A(dev_x), A(dev_x))); /* over x */
    check_close("y", dev_x, y, NULL, 0);
    buffer_free(draws);
    buffer_free(dev_x);
    buffer_free(dev_y);
    free(x), free(y);
}

static void factors_are_those_that_are_drawn(void **state) {
    static const size_t sizes[][2] = {{1, 1}, {35, 3}, {64, 16}, {54, 12}, {6, 520}, {7, 5}};
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        for (int unit = GYRE_DROP_ELEMENTS; unit <= GYRE_DROP_SAMPLES; unit++) {
            gyre_dropout_shape s = shape(5, sizes[i][0], sizes[i][1], (gyre_drop)unit, 0.25);
            check(*state, s);
            s.first = 64; /* of another shard */
            check(*state, s);
        }
    }
}

/* Kept ones of `count` draws, of the first sample on. */
static int kept(const gyre_dropout_shape *s, size_t count, size_t step) {
    int kept_ones = 0;
    for (size_t i = 0; i < count; i++) kept_ones += factor_at(s, i * step) != 0;
    return kept_ones;
}

/* Within 6 standard deviations, and other names, keys and samples draw others. */
static void draws_are_fair(void **state) {
    enum { COUNT = 40000 };
    static const double ps[] = {0, 0.1, 0.5, 0.9};
    (void)state;
    for (size_t i = 0; i < sizeof ps / sizeof ps[0]; i++) {
        gyre_dropout_shape elements = shape(1, COUNT, 1, GYRE_DROP_ELEMENTS, ps[i]);
        gyre_dropout_shape samples = shape(COUNT, 1, 3, GYRE_DROP_SAMPLES, ps[i]);
        double limit = 6 * sqrt(COUNT * ps[i] * (1 - ps[i])), mean = COUNT * (1 - ps[i]);
        assert_true(fabs(kept(&elements, COUNT, 1) - mean) <= limit);
        assert_true(fabs(kept(&samples, COUNT, 3) - mean) <= limit);
    }
    gyre_dropout_shape a = shape(2, COUNT, 1, GYRE_DROP_ELEMENTS, 0.5), b = a;
    int other_name = 0, other_sample = 0;
    b.name[1]++;
    for (size_t i = 0; i < COUNT; i++) {
        other_name += factor_at(&a, i) != factor_at(&b, i);
        other_sample += factor_at(&a, i) != factor_at(&a, COUNT + i);
    }
    assert_true(abs(other_name - COUNT / 2) <= 600 && abs(other_sample - COUNT / 2) <= 600);
}

/* The same words as the library's, whose streams count blocks in the lower half. */
static void words_are_philox(void **state) {
    gyre_random r = gyre_random_open(5, GYRE_RANDOM_TEST, 6, 7);
    (void)state;
    for (uint32_t i = 0; i < 100; i++) {
        gyre_philox_block counter = {{i, 0, r.counter[2], r.counter[3]}};
        gyre_philox_block words = gyre_philox(counter, r.key[0], r.key[1]);
        for (int j = 0; j < 4; j++) assert_true(words.w[j] == gyre_random_u32(&r));
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(words_are_philox),
                                       cmocka_unit_test(draws_are_fair),
                                       cmocka_unit_test(factors_are_those_that_are_drawn)};
    return RUN_IN_BOTH(tests, set_up_backend, tear_down_backend);
}
