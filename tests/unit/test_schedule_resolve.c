/* The resolved config of a run, written out and read again, is the same schedule to the bit. */
#include "config_text.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gyre/schedule.h"

enum { PER_EPOCH = 391 };

static config_file file;

static const char *const configs[] = {
    "{\"schedule\": {\"max_lr\": 0.1, \"cycles\": 5.5, \"end\": \"low\"}, \"length\": {\"epochs\": "
    "3.7}}",
    "{\"schedule\": {\"max_lr\": 0.1, \"stepsize\": {\"epochs\": 0.3}, \"up_fraction\": 0.3, "
    "\"warmup\": "
    "{\"epochs\": 0.1, \"from\": 0.01}}, \"length\": {\"cycles\": 2.25}}",
    "{\"schedule\": {\"policy\": \"sgdr\", \"max_lr\": 0.1, \"t0\": {\"epochs\": 0.25}, "
    "\"t_mult\": 2}, "
    "\"length\": {\"cycles\": 3}}",
    "{\"schedule\": {\"policy\": \"multistep\", \"base_lr\": 0.1, \"gamma\": 0.2, \"milestones\": "
    "{\"epochs\": "
    "[0.5, 0.8]}}, \"length\": {\"epochs\": 1}}",
    "{\"schedule\": {\"policy\": \"hf_cosine\", \"max_lr\": 0.1}, \"length\": {\"epochs\": 2}}",
    "{\"schedule\": {\"policy\": \"hf_cosine\", \"max_lr\": 0.1, \"decay_steps\": 60, \"warmup\": "
    "{\"steps\": "
    "0}}, \"length\": {\"cycles\": 5.5}}",
    /* a default that only the first stage has, an inherited length, a warm-up of the outer schedule
     */
    "{\"schedule\": {\"policy\": \"hf_cosine\", \"max_lr\": 0.1, \"stages\": [{\"length\": "
    "{\"epochs\": 1}}, "
    "{\"length\": {\"epochs\": 1}, \"max_lr\": 0.05}]}}",
    "{\"schedule\": {\"max_lr\": 0.1, \"stepsize\": {\"epochs\": 0.3}, \"warmup\": {\"epochs\": "
    "0.2}, "
    "\"momentum\": {\"min\": 0.8, \"max\": 0.95}, \"stages\": [{\"length\": {\"cycles\": 2}}, "
    "{\"length\": "
    "{\"epochs\": 1}, \"cycles\": 2.5, \"max_lr\": 0.05}, {\"length\": {\"steps\": 77}, "
    "\"policy\": "
    "\"linear\"}]}}",
};

static gyre_settings *read_text(const char *text) {
    gyre_settings *set;
    if (config_open_bytes(&file, text, strlen(text), NULL, &set) != GYRE_OK) {
        fail_msg("%s: %s", text, gyre_error_text());
    }
    return set;
}

static gyre_schedule *open_settings(const gyre_settings *set, int64_t per_epoch) {
    gyre_schedule *s = NULL;
    if (gyre_schedule_open(&set->schedule, &set->length, 0.9, per_epoch, &s) != GYRE_OK) {
        fail_msg("%s", gyre_error_text());
    }
    return s;
}

static void written_and_read_again(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof configs / sizeof configs[0]; i++) {
        gyre_settings *set = read_text(configs[i]);
        gyre_schedule *first = open_settings(set, PER_EPOCH);
        assert_int_equal(gyre_schedule_resolve(&set->schedule, &set->length, PER_EPOCH), GYRE_OK);
        assert_false(gyre_schedule_needs_epochs(&set->schedule, &set->length));
        char *text;
        assert_int_equal(gyre_config_print(set, &text), GYRE_OK);
        gyre_settings *again = read_text(text);
        assert_true(config_hash(set) == config_hash(again));
        gyre_schedule *second = open_settings(again, 0);
        assert_int_equal(gyre_schedule_steps(first), gyre_schedule_steps(second));
        for (int64_t t = 0; t < gyre_schedule_steps(first); t++) {
            gyre_rate a = gyre_schedule_at(first, t), b = gyre_schedule_at(second, t);
            if (a.lr != b.lr || a.momentum != b.momentum || a.cycle != b.cycle) {
                fail_msg("%s\n%s\nstep %lld: %a, then %a", configs[i], text, (long long)t, a.lr,
                         b.lr);
            }
        }
        free(text);
        gyre_schedule_close(first);
        gyre_schedule_close(second);
        gyre_config_close(set);
        gyre_config_close(again);
    }
}

/* Half a cycle (or a period) of x epochs, and a run of so many of them: whatever x comes to in
 * steps, the last cycle is whole, and boundaries lie where their sums do. */
static void no_cycle_is_lost_to_rounding(void **state) {
    (void)state;
    static const int per_epoch[] = {391, 25, 97, 1000};
    for (int i = 0; i < 4 * 40 * 2 * 5; i++) {
        int spe = per_epoch[i % 4], cycles = 1 + i / 320 % 5;
        bool sgdr = i / 160 % 2 != 0;
        double epochs = 0.1 * (1 + i / 4 % 40), period = (sgdr ? 1 : 2) * epochs;
        char text[256];
        snprintf(
            text, sizeof text,
            "{\"schedule\": {\"policy\": \"%s\", \"max_lr\": 0.1, \"%s\": {\"epochs\": %.1f}}, "
            "\"length\": {\"epochs\": %.1f}}",
            sgdr ? "sgdr" : "triangular", sgdr ? "t0" : "stepsize", epochs, cycles * period);
        gyre_settings *set = read_text(text);
        gyre_schedule *s = open_settings(set, spe);
        int64_t steps = gyre_schedule_steps(s);
        if (gyre_schedule_cycle_count(s) != (size_t)cycles) fail_msg("%s: a cycle more", text);
        for (int k = 0; k < cycles; k++) {
            gyre_cycle c = gyre_schedule_cycle(s, (size_t)k);
            double end = (k + 1) * period * spe;
            if (!c.complete) fail_msg("%s, %d an epoch: cycle %d is not whole", text, spe, k);
            if (fabs((double)(c.last + 1) - end) > 0.5 + 1e-6)
                fail_msg("%s: an end at %lld", text, (long long)c.last);
            assert_true(gyre_schedule_is_minimum(s, c.last + 1));
            assert_true(c.first == 0 || c.first == gyre_schedule_cycle(s, (size_t)k - 1).last + 1);
            if (!sgdr) assert_true(gyre_schedule_at(s, c.peak).lr == 0.1);
        }
        assert_true(gyre_schedule_is_minimum(s, steps));
        gyre_schedule_close(s);
        gyre_config_close(set);
    }
}

/* 2.5 epochs of 391 steps are 977.5: cycles of 1955. */
static void half_steps_make_whole_cycles(void **state) {
    (void)state;
    gyre_settings *set = read_text("{\"schedule\": {\"max_lr\": 0.1, \"stepsize\": {\"epochs\": "
                                   "2.5}}, \"length\": {\"epochs\": 10}}");
    gyre_schedule *s = open_settings(set, PER_EPOCH);
    assert_int_equal(gyre_schedule_steps(s), 3910);
    assert_int_equal(gyre_schedule_cycle(s, 0).peak, 978);
    assert_int_equal(gyre_schedule_cycle(s, 0).last, 1954);
    assert_int_equal(gyre_schedule_cycle(s, 1).peak, 2933);
    assert_int_equal(gyre_schedule_cycle(s, 1).last, 3909);
    gyre_schedule_close(s);
    set->schedule.start_high = true;
    set->length = (gyre_length){GYRE_UNIT_CYCLES, 1.5};
    s = open_settings(set, PER_EPOCH);
    assert_int_equal(gyre_schedule_steps(s), 2933);
    assert_true(gyre_schedule_at(s, 0).lr == 0.1 && gyre_schedule_at(s, 977).lr == 0);
    gyre_schedule_close(s);
    assert_int_equal(gyre_schedule_resolve(&set->schedule, &set->length, PER_EPOCH), GYRE_OK);
    assert_true(set->schedule.stepsize.value == 977.5);
    gyre_config_close(set);
}

static int set_up(void **state) {
    (void)state;
    return config_file_make(&file);
}
static int tear_down(void **state) {
    (void)state;
    return unlink(file.path);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(written_and_read_again),
                                       cmocka_unit_test(no_cycle_is_lost_to_rounding),
                                       cmocka_unit_test(half_steps_make_whole_cycles)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
