/* The digest of a vector, against the sum of its shares: equal numbers from both backends and on
 * both sides, and other ones where a single bit or place is another. */
#include "ops.h"

#include "gyre/digest.h"

static uint64_t expected(const float *x, size_t n) {
    uint64_t sum = 0;
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &x[i], sizeof bits);
        uint64_t z = bits + (i + 1) * 0x9e3779b97f4a7c15u;
        z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
        z = (z ^ z >> 27) * 0x94d049bb133111ebu;
        sum += z ^ z >> 31;
    }
    return sum;
}

/* Of the numbers from `first` on, whose memory then begins anywhere in 16 bytes. */
static uint64_t digest(gyre_backend *b, buffer x, size_t first, size_t n) {
    buffer out = buffer_new(b, 3);
    float words[2];
    uint64_t got;
    OK(b->ops->digest(b->main, n, gyre_f32_at(F(x), first), gyre_f32_at(F(out), 1)));
    OK(b->ops->download(b->main, words, gyre_f32_at(F(out), 1), 2));
    memcpy(&got, words, sizeof got);
    buffer_free(out);
    return got;
}

static float *values(size_t n) {
    double *x = randoms(1, n);
    float *out = calloc(n + 1, sizeof *out);
    for (size_t i = 0; i < n; i++) out[i] = i % 13 == 5 ? NAN : i % 17 == 3 ? -0.0f : (float)x[i];
    free(x);
    return out;
}

static void sums_are_those_of_shares(void **state) {
    static const size_t sizes[] = {0, 1, 2, 3, 4, 5, 63, 1024, 8191, 8192, 8193, 100003};
    gyre_backend *b = *state;
    for (size_t k = 0; k < sizeof sizes / sizeof sizes[0]; k++) {
        for (size_t first = 0; first < 4; first++) {
            size_t n = sizes[k];
            float *x = values(n + first);
            buffer dev = buffer_from(b, x, n + first, sizeof *x);
            assert_int_equal(digest(b, dev, first, n), expected(x + first, n));
            buffer_free(dev);
            free(x);
        }
    }
}

/* 0 and -0, two NaNs, and two places that change their numbers. */
static void each_bit_counts(void **state) {
    gyre_backend *b = *state;
    enum { N = 5000 };
    float *x = values(N);
    const uint64_t before = expected(x, N);
    for (size_t at = 0; at < N; at += 619) {
        for (int bit = 0; bit < 32; bit += 31) {
            uint32_t bits, changed;
            memcpy(&bits, &x[at], sizeof bits);
            changed = bits ^ 1U << bit;
            memcpy(&x[at], &changed, sizeof changed);
            buffer dev = buffer_from(b, x, N, sizeof *x);
            assert_int_not_equal(digest(b, dev, 0, N), before);
            buffer_free(dev);
            memcpy(&x[at], &bits, sizeof bits);
        }
    }
    float first = x[0];
    x[0] = x[N - 1];
    x[N - 1] = first;
    buffer dev = buffer_from(b, x, N, sizeof *x);
    assert_int_not_equal(digest(b, dev, 0, N), before);
    buffer_free(dev);
    free(x);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_those_of_shares),
        cmocka_unit_test(each_bit_counts),
    };
    return cmocka_run_group_tests(tests, set_up_backend, tear_down_backend);
}
