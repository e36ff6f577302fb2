/* The resolved config of a run, written out and read again, is the same schedule to the bit. */
#include "config_text.h"

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

static int set_up(void **state) {
    (void)state;
    return config_file_make(&file);
}
static int tear_down(void **state) {
    (void)state;
    return unlink(file.path);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(written_and_read_again)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
