/* An epoch is an exact permutation, every order is equally likely, and nothing but seed and epoch
 * decides which it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "../../src/data/permutation.h"
#include "gyre/sampler.h"
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static gyre_epochs epochs_of(int64_t n, int64_t batch, gyre_last_batch last) {
    gyre_epochs e;
    assert_int_equal(gyre_epochs_make(n, batch, last, &e), GYRE_OK);
    return e;
}

static gyre_sampler *sampler_of(gyre_epochs e, gyre_order order, uint64_t seed) {
    gyre_sampler *s = NULL;
    assert_int_equal(gyre_sampler_open(e, order, seed, &s), GYRE_OK);
    return s;
}

static void steps_of_an_epoch(void **state) {
    (void)state;
    gyre_epochs e;
    assert_int_equal(epochs_of(50000, 128, GYRE_LAST_DROP).steps_per_epoch, 390);
    assert_int_equal(epochs_of(50000, 128, GYRE_LAST_WRAP).steps_per_epoch, 391);
    assert_int_equal(epochs_of(100, 50, GYRE_LAST_WRAP).steps_per_epoch, 2);
    assert_int_equal(epochs_of(3, 8, GYRE_LAST_WRAP).steps_per_epoch, 1);
    assert_int_equal(gyre_epochs_make(99, 100, GYRE_LAST_DROP, &e), GYRE_EUSAGE);
    assert_non_null(strstr(gyre_error_text(), "100"));
    assert_non_null(strstr(gyre_error_text(), "99"));
    assert_int_equal(gyre_epochs_make(0, 1, GYRE_LAST_WRAP, &e), GYRE_EUSAGE);
}

/* How often each sample comes in an epoch. */
static void count_epoch(gyre_sampler *s, gyre_epochs e, int64_t epoch, int *counts) {
    memset(counts, 0, (size_t)e.samples * sizeof *counts);
    for (int64_t t = 0; t < e.steps_per_epoch; t++) {
        for (int64_t i = 0; i < e.batch; i++) {
            int64_t at = gyre_sampler_index(s, epoch * e.steps_per_epoch + t, i);
            assert_in_range(at, 0, e.samples - 1);
            counts[at]++;
        }
    }
}

static void an_epoch_is_a_permutation(void **state) {
    (void)state;
    int counts[100];
    for (int64_t n = 1; n <= 100; n++) {
        for (int64_t batch = 1; batch <= n; batch += 1 + n / 7) {
            gyre_epochs e = epochs_of(n, batch, GYRE_LAST_DROP);
            gyre_sampler *s = sampler_of(e, GYRE_ORDER_SHUFFLE, 5);
            for (int64_t epoch = 0; epoch < 2; epoch++) {
                int64_t seen = 0;
                count_epoch(s, e, epoch, counts);
                for (int64_t i = 0; i < n; i++) {
                    assert_in_range(counts[i], 0, 1);
                    seen += counts[i];
                }
                assert_int_equal(seen, n / batch * batch);
            }
            gyre_sampler_close(s);
        }
    }
}

/* The last batch continues at the beginning of the same permutation, more than once if need be. */
static void wrap_completes_the_last_batch(void **state) {
    (void)state;
    const int64_t sizes[][2] = {{10, 4}, {10, 7}, {3, 8}, {12, 4}};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        int64_t n = sizes[k][0], batch = sizes[k][1];
        gyre_epochs e = epochs_of(n, batch, GYRE_LAST_WRAP);
        gyre_sampler *s = sampler_of(e, GYRE_ORDER_SHUFFLE, 5);
        for (int64_t epoch = 0; epoch < 3; epoch++) {
            int64_t order[64], total = e.steps_per_epoch * batch, first = epoch * e.steps_per_epoch;
            for (int64_t p = 0; p < total; p++) {
                order[p] = gyre_sampler_index(s, first + p / batch, p % batch);
                if (p >= n) assert_int_equal(order[p], order[p - n]);
                for (int64_t q = 0; q < p && p < n; q++) assert_true(order[p] != order[q]);
            }
        }
        gyre_sampler_close(s);
    }
}

static void file_order_is_kept(void **state) {
    (void)state;
    gyre_sampler *s = sampler_of(epochs_of(10, 4, GYRE_LAST_WRAP), GYRE_ORDER_SEQUENTIAL, 5);
    const int64_t expected[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 0, 1, 2, 3};
    for (int64_t p = 0; p < 16; p++) {
        assert_int_equal(gyre_sampler_index(s, p / 4, p % 4), expected[p]);
    }
    gyre_sampler_close(s);
}

/* Asked forwards, backwards, by parts of ranks, after a resume: always the same sample. */
static void an_index_is_a_pure_function(void **state) {
    (void)state;
    gyre_epochs e = epochs_of(97, 8, GYRE_LAST_DROP);
    gyre_sampler *a = sampler_of(e, GYRE_ORDER_SHUFFLE, 11);
    gyre_sampler *b = sampler_of(e, GYRE_ORDER_SHUFFLE, 11);
    int64_t whole[36][8];
    for (int64_t t = 0; t < 36; t++) {
        for (int64_t i = 0; i < 8; i++) whole[t][i] = gyre_sampler_index(a, t, i);
    }
    for (int64_t t = 35; t >= 0; t--) {
        for (int64_t i = 4; i < 8; i++) assert_int_equal(gyre_sampler_index(b, t, i), whole[t][i]);
    }
    for (int64_t t = 0; t < 36; t += 5) {
        for (int64_t i = 3; i >= 0; i--) assert_int_equal(gyre_sampler_index(b, t, i), whole[t][i]);
    }
    gyre_sampler_close(a);
    gyre_sampler_close(b);
}

static int same_places(uint64_t seed_a, int64_t epoch_a, uint64_t seed_b, int64_t epoch_b) {
    uint32_t a[1000], b[1000];
    int same = 0;
    data_shuffle(a, 1000, seed_a, epoch_a);
    data_shuffle(b, 1000, seed_b, epoch_b);
    for (int i = 0; i < 1000; i++) same += a[i] == b[i];
    return same;
}

/* Two independent orders agree in one place on average (Poisson); 10 or more: 1e-7. */
static void orders_are_keyed_by_seed_and_epoch(void **state) {
    (void)state;
    assert_int_equal(same_places(1, 2, 1, 2), 1000);
    assert_in_range(same_places(1, 0, 1, 1), 0, 9);
    assert_in_range(same_places(1, 0, 2, 0), 0, 9);
    assert_in_range(same_places(1, 2, 2, 1), 0, 9);
    assert_in_range(same_places(1, (int64_t)1 << 32, 1, 0), 0, 9);
    assert_in_range(same_places((uint64_t)1 << 32, 0, 0, 0), 0, 9);
}

/* Chi-square over the 24 orders of 4 samples in 24,000 epochs: 23 degrees of freedom, and 64 is
 * passed once in 100,000 trials; the seed is fixed, so it passes always or never. */
static void every_order_is_equally_likely(void **state) {
    (void)state;
    int counts[256] = {0}, orders = 0;
    double chi = 0;
    for (int64_t epoch = 0; epoch < 24000; epoch++) {
        uint32_t p[4];
        data_shuffle(p, 4, 1, epoch);
        counts[p[0] << 6 | p[1] << 4 | p[2] << 2 | p[3]]++;
    }
    for (int i = 0; i < 256; i++) {
        orders += counts[i] > 0;
        if (counts[i] > 0) chi += pow(counts[i] - 1000.0, 2) / 1000;
    }
    assert_int_equal(orders, 24);
    assert_true(chi < 64);
}

/* ---- the order of very large datasets */

static void feistel_is_a_permutation(void **state) {
    (void)state;
    static bool seen[70000];
    const uint64_t sizes[] = {1, 2, 3, 5, 64, 65, 1000, 1023, 1025, 65536, 69999};
    for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
        data_feistel f = data_feistel_make(sizes[k], 3, 4);
        memset(seen, 0, sizeof seen);
        for (uint64_t i = 0; i < sizes[k]; i++) {
            uint64_t at = data_feistel_at(&f, i);
            assert_true(at < sizes[k] && !seen[at]);
            seen[at] = true;
        }
    }
}

/* Where one sample, and where its neighbour after it, falls, in 100 cells, over 100,000 epochs of
 * 1000 samples: 99 degrees of freedom; 170 is passed once in 80,000 trials, for fixed seeds. A
 * network of 4 rounds on small halves fails this. */
static void feistel_puts_samples_anywhere(void **state) {
    (void)state;
    int place[100] = {0}, distance[100] = {0};
    double chi_place = 0, chi_distance = 0;
    for (int64_t epoch = 0; epoch < 100000; epoch++) {
        data_feistel f = data_feistel_make(1000, 9, epoch);
        uint64_t a = data_feistel_at(&f, 500), b = data_feistel_at(&f, 501);
        place[a / 10]++;
        distance[(b + 1000 - a) % 1000 / 10]++; /* 0 is not possible */
    }
    for (int i = 0; i < 100; i++) {
        double expected = 100000.0 * (i == 0 ? 9 : 10) / 999;
        chi_place += pow(place[i] - 1000.0, 2) / 1000;
        chi_distance += pow(distance[i] - expected, 2) / expected;
    }
    assert_true(chi_place < 170);
    assert_true(chi_distance < 170);
}

static void large_datasets_use_feistel(void **state) {
    (void)state;
    const int64_t n = DATA_SHUFFLE_MAX + 5;
    gyre_sampler *s = sampler_of(epochs_of(n, 1000, GYRE_LAST_DROP), GYRE_ORDER_SHUFFLE, 8);
    int64_t spe = n / 1000;
    for (int64_t epoch = 0; epoch < 2; epoch++) {
        data_feistel f = data_feistel_make((uint64_t)n, 8, epoch);
        for (int64_t t = 0; t < spe; t += 4001) {
            uint64_t expected = data_feistel_at(&f, (uint64_t)(t * 1000 + 17));
            assert_int_equal(gyre_sampler_index(s, epoch * spe + t, 17), expected);
        }
    }
    gyre_sampler_close(s);
}

/* ---- augmentation */

/* 81 places and the mirror, 162,000 samples of one epoch, and one sample in 162,000 epochs: 161
 * degrees of freedom; 250 is passed once in 100,000 trials, for fixed seeds. */
static void augmentation_is_uniform(void **state) {
    (void)state;
    const gyre_data_settings settings = {.mirror = true, .crop = 4};
    for (int way = 0; way < 2; way++) {
        int counts[2][9][9] = {{{0}}};
        double chi = 0;
        for (int64_t i = 0; i < 162000; i++) {
            gyre_augment a = gyre_augment_draw(&settings, 6, way ? i : 3, way ? 3 : i);
            assert_in_range(a.dy + 4, 0, 8);
            assert_in_range(a.dx + 4, 0, 8);
            assert_in_range(a.mirror, 0, 1);
            counts[a.mirror][a.dy + 4][a.dx + 4]++;
        }
        for (int i = 0; i < 162; i++) chi += pow((&counts[0][0][0])[i] - 1000.0, 2) / 1000;
        assert_true(chi < 250);
    }
}

static void augmentation_is_keyed_and_separate(void **state) {
    (void)state;
    gyre_data_settings both = {.mirror = true, .crop = 127},
                       crop = {.crop = 127, .crop_reflect = true},
                       mirror = {.mirror = true}, none = {0};
    int low = 0, high = 0;
    for (int64_t i = 0; i < 2000; i++) {
        gyre_augment a = gyre_augment_draw(&both, 1, 2, i), b = gyre_augment_draw(&crop, 1, 2, i);
        gyre_augment again = gyre_augment_draw(&both, 1, 2, i);
        gyre_augment c = gyre_augment_draw(&mirror, 1, 2, i), d = gyre_augment_draw(&none, 1, 2, i);
        assert_memory_equal(&a, &again, sizeof a);
        assert_true(a.dy == b.dy && a.dx == b.dx && b.mirror == 0);
        assert_true(a.reflect == 0 && b.reflect == 1);
        assert_true(a.mirror == c.mirror && c.dy == 0 && c.dx == 0);
        assert_true(d.dy == 0 && d.dx == 0 && d.mirror == 0);
        if (a.dy < low) low = a.dy;
        if (a.dy > high) high = a.dy;
    }
    assert_true(low == -127 && high == 127); /* each missed once in 2,500 trials of 2000 */
}

/* Of 2000 images half are mirrored in epoch 0, within 4.5 deviations of 22.4; in each later epoch
 * the other half than in the epoch before. Places are those of an independent mirror. */
static void a_mirror_may_alternate(void **state) {
    (void)state;
    const gyre_data_settings alternate = {.mirror = GYRE_MIRROR_ALTERNATE, .crop = 3},
                             random = {.mirror = GYRE_MIRROR_RANDOM, .crop = 3};
    int mirrored = 0;
    for (int64_t i = 0; i < 2000; i++) {
        const gyre_augment first = gyre_augment_draw(&alternate, 8, 0, i);
        mirrored += first.mirror;
        for (int64_t epoch = 0; epoch < 4; epoch++) {
            gyre_augment a = gyre_augment_draw(&alternate, 8, epoch, i);
            gyre_augment b = gyre_augment_draw(&random, 8, epoch, i);
            assert_int_equal(a.mirror, epoch % 2 ? !first.mirror : first.mirror);
            assert_true(a.dy == b.dy && a.dx == b.dx);
            if (epoch == 0) assert_int_equal(a.mirror, b.mirror);
        }
    }
    assert_in_range(mirrored, 900, 1100);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(steps_of_an_epoch),
        cmocka_unit_test(an_epoch_is_a_permutation),
        cmocka_unit_test(wrap_completes_the_last_batch),
        cmocka_unit_test(file_order_is_kept),
        cmocka_unit_test(an_index_is_a_pure_function),
        cmocka_unit_test(orders_are_keyed_by_seed_and_epoch),
        cmocka_unit_test(every_order_is_equally_likely),
        cmocka_unit_test(feistel_is_a_permutation),
        cmocka_unit_test(feistel_puts_samples_anywhere),
        cmocka_unit_test(large_datasets_use_feistel),
        cmocka_unit_test(augmentation_is_uniform),
        cmocka_unit_test(augmentation_is_keyed_and_separate),
        cmocka_unit_test(a_mirror_may_alternate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
