/* Metrics: values from sums, their order, and the words and units that people read. */
#include "gyre/metric.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const gyre_metric share = {
    "accuracy", "accuracies", "%",  "percent",        "points", 100,
    2,          true,         true, GYRE_METRIC_MEAN, 1,        false};
static const gyre_metric perplexity = {
    "perplexity", "perplexities", "", "", "", 1, 2, false, false, GYRE_METRIC_EXP_MEAN, 0, false};

static void values_follow_from_sums(void **state) {
    (void)state;
    assert_true(gyre_metric_value(&share, 3, 4) == 0.75);
    assert_true(gyre_metric_shown(&share, 0.75) == 75);
    /* a model that gives each of 8 tokens the same chance has a perplexity of 8 */
    assert_float_equal(gyre_metric_value(&perplexity, 20 * log(8), 20), 8, 1e-12);
}

static void the_better_one_is_known(void **state) {
    (void)state;
    assert_true(gyre_metric_better(&share, 0.8, 0.7) && !gyre_metric_better(&share, 0.7, 0.7));
    assert_true(gyre_metric_better(&perplexity, 7, 8) && !gyre_metric_better(&perplexity, 8, 7));
    assert_true(gyre_metric_best(&perplexity, NAN, 8) == 8);
    assert_true(gyre_metric_best(&perplexity, 8, NAN) == 8);
    assert_true(gyre_metric_better(&perplexity, 1e300, gyre_metric_worst(&perplexity)));
    assert_true(gyre_metric_better(&share, 0, gyre_metric_worst(&share)));
}

static void people_read_units(void **state) {
    (void)state;
    char text[64];
    assert_string_equal(gyre_metric_text(&share, 0.8125, text, sizeof text), "81.25 %");
    assert_string_equal(gyre_metric_text(&perplexity, 8.126, text, sizeof text), "8.13");
}

/* Files are known by these names, so two metrics of one name must be one metric. */
static void losses_name_their_metric(void **state) {
    (void)state;
    assert_true(gyre_metric_of_loss(NULL) == gyre_metric_of_loss("cross_entropy"));
    assert_null(gyre_metric_of_loss("conv"));
    assert_null(gyre_metric_of_loss("no_such_loss"));
    for (int i = 0; gyre_metric_at(i) != NULL; i++) {
        for (int k = 0; k < i; k++) {
            assert_false(gyre_metric_same(gyre_metric_at(i), gyre_metric_at(k)));
        }
    }
    assert_string_equal(gyre_loss_unit(NULL), "nats");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_follow_from_sums),
        cmocka_unit_test(the_better_one_is_known),
        cmocka_unit_test(people_read_units),
        cmocka_unit_test(losses_name_their_metric),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
