/* Which ranks and shards fit, and that the message names what would. */
#include "../../src/run/shards_check.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void check(gyre_reduce reduce, int batch, int shards, int ranks, const char *words) {
    gyre_status status = run_shards_check(reduce, batch, shards, ranks);
    assert_int_equal(status, words == NULL ? GYRE_OK : GYRE_EUSAGE);
    if (words != NULL && strstr(gyre_error_text(), words) == NULL) {
        fail_msg("no \"%s\" in \"%s\"", words, gyre_error_text());
    }
}

static void exact(void **state) {
    (void)state;
    for (int ranks = 1; ranks <= 8; ranks *= 2) check(GYRE_REDUCE_EXACT, 128, 8, ranks, NULL);
    check(GYRE_REDUCE_EXACT, 128, 4, 3, "2 or 4 ranks");
    check(GYRE_REDUCE_EXACT, 128, 4, 8, "at most 4 ranks");
    check(GYRE_REDUCE_EXACT, 128, 4, 8, "batch.shards to 8");
    check(GYRE_REDUCE_EXACT, 128, 4, 8, "of 16 samples");
    check(GYRE_REDUCE_EXACT, 96, 3, 1, "are 2 or 4");
    check(GYRE_REDUCE_EXACT, 100, 8, 1, "are 4");
    check(GYRE_REDUCE_EXACT, 12, 16, 1, "are 4");
}

static void fast(void **state) {
    (void)state;
    check(GYRE_REDUCE_FAST, 96, 6, 3, NULL);
    check(GYRE_REDUCE_FAST, 96, 6, 4, "3 or 6 ranks");
    check(GYRE_REDUCE_FAST, 96, 6, 4, "batch.shards to 4");
    check(GYRE_REDUCE_FAST, 96, 7, 1, "are 6 or 8");
}

/* Numbers near the greatest int end all the same, and soon. */
static void large(void **state) {
    (void)state;
    const int most = 2147483647; /* a prime */
    check(GYRE_REDUCE_EXACT, most, 1, 3, "3 ranks cannot share the 1 shard of a batch");
    check(GYRE_REDUCE_EXACT, most, 1, 3, "at most 1 rank");
    check(GYRE_REDUCE_FAST, most, 1, 3, "at most 1 rank");
    check(GYRE_REDUCE_FAST, most, 2, 1, "are 1 or 2147483647");
    check(GYRE_REDUCE_EXACT, 1 << 30, 3, 1, "are 2 or 4");
    check(GYRE_REDUCE_FAST, 2147483646, 2, 3, "set batch.shards to 3");
    assert_int_equal(run_shards_for(GYRE_REDUCE_FAST, most, 2), most);
}

static void idle_workers(void **state) {
    (void)state;
    assert_int_equal(run_shards_for(GYRE_REDUCE_EXACT, 128, 3), 4);
    assert_int_equal(run_shards_for(GYRE_REDUCE_FAST, 90, 4), 5);
    assert_int_equal(run_shards_for(GYRE_REDUCE_EXACT, 100, 5), 0);
}

static gyre_model *model_of(const char *name, int side, bool frozen) {
    gyre_model *m = NULL;
    char text[32];
    snprintf(text, sizeof text, "%s", name);
    const gyre_model_settings settings = {.name = text, .batch_norm_frozen = frozen};
    assert_int_equal(gyre_model_open(&settings, side, side, 3, 10, &m), GYRE_OK);
    return m;
}

static void refuses_norms(const gyre_model *m, int batch, int shards, const char *words) {
    gyre_status status = run_shards_check_norms(m, GYRE_REDUCE_EXACT, batch, shards);
    assert_int_equal(status, words == NULL ? GYRE_OK : GYRE_EUSAGE);
    if (words != NULL && strstr(gyre_error_text(), words) == NULL) {
        fail_msg("no \"%s\" in \"%s\"", words, gyre_error_text());
    }
}

/* resnet18 makes one pixel of 32 x 32, and four of 64 x 64. */
static void statistics_of_one_value(void **state) {
    (void)state;
    const char *layer = NULL;
    gyre_model *small = model_of("resnet18", 32, false), *large = model_of("resnet18", 64, false);
    gyre_model *frozen = model_of("resnet18", 32, true), *none = model_of("mlp", 32, false);
    refuses_norms(
        small, 8, 8,
        "batch norm layer4.0.downsample.1 of resnet18 would take its statistics from one value");
    refuses_norms(small, 8, 8, "batch.shards 2 (4 samples each)");
    refuses_norms(small, 2, 2, "batch.shards 1 (2 samples each)");
    refuses_norms(small, 1, 1, "take a larger batch.size or larger images");
    refuses_norms(small, 8, 4, NULL);
    refuses_norms(large, 8, 8, NULL);
    refuses_norms(frozen, 8, 8, NULL);
    refuses_norms(none, 8, 8, NULL);
    assert_int_equal(run_shards_norm_values(small, 2, &layer), 2);
    assert_int_equal(run_shards_norm_values(large, 2, &layer), 8);
    assert_int_equal(run_shards_norm_values(frozen, 2, &layer), 0);
    gyre_model *all[] = {small, large, frozen, none};
    for (int i = 0; i < 4; i++) gyre_model_close(all[i]);
}

/* A batch norm of one value is fine where it is frozen. */
static void frozen_nodes_take_no_statistics(void **state) {
    (void)state;
    const char *layer = NULL;
    char layers[] = "[{\"name\": \"a\", \"type\": \"batch_norm\"},"
                    " {\"name\": \"pool\", \"type\": \"average_pool\", \"global\": true},"
                    " {\"name\": \"b\", \"type\": \"batch_norm\", \"frozen\": true},"
                    " {\"name\": \"fc\", \"type\": \"linear\", \"out\": \"classes\"}]";
    const gyre_model_settings settings = {.layers = layers};
    gyre_model *m = NULL;
    assert_int_equal(gyre_model_open(&settings, 8, 8, 3, 10, &m), GYRE_OK);
    refuses_norms(m, 8, 8, NULL);
    assert_int_equal(run_shards_norm_values(m, 1, &layer), 64);
    assert_string_equal(layer, "a");
    gyre_model_close(m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(exact),
        cmocka_unit_test(fast),
        cmocka_unit_test(large),
        cmocka_unit_test(idle_workers),
        cmocka_unit_test(statistics_of_one_value),
        cmocka_unit_test(frozen_nodes_take_no_statistics),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
