/* Every error about a schedule, with its key path and a way out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "schedule_text.h"

static const struct {
    const char *schedule, *length, *words;
} errors[] = {
    {RATES, "{\"steps\": 100}", "schedule: triangular needs \"cycles\": 5"},
    {RATES ", \"cycles\": 2.3", "{\"steps\": 100}",
     "schedule.cycles: expected whole or half cycles, found 2.3; the nearest are 2 "
     "and 2.5"},
    {RATES ", \"cycles\": 1", "{\"steps\": 1}",
     "1 cycles need at least 3 steps after the warm-up, found 1; make the length that long"},
    {RATES ", \"cycles\": 0.7", "{\"steps\": 100}", "the nearest are 0.5 and 1"},
    {RATES ", \"cycles\": 50", "{\"steps\": 100}",
     "schedule.cycles: 50 cycles need at least 101 steps after the warm-up, found 100; make the "
     "length that long, or take at most 49.5 cycles"},
    {RATES ", \"cycles\": 49.5, \"end\": \"low\"", "{\"steps\": 100}",
     "50 cycles need at least 101 steps after the warm-up, found 100; make the length that long, "
     "or take at most 49 cycles"},
    {RATES ", \"cycles\": 1.5, \"end\": \"low\"", "{\"steps\": 4}", "or take at most 1 cycle"},
    {RATES ", \"cycles\": 45, \"warmup\": {\"steps\": 10}", "{\"steps\": 100}",
     "45 cycles need at least 91 steps after the warm-up, found 90"},
    {RATES ", \"cycles\": 40, \"up_fraction\": 0.1", "{\"steps\": 100}",
     "schedule.cycles: with up_fraction 0.1, 40 cycles in 100 steps leave less than a step to a "
     "rise or fall; "},
    {RATES ", \"cycles\": 1, \"up_fraction\": 0.001", "{\"steps\": 100}",
     "schedule.up_fraction: 0.001 leaves less than a step to the rise or the fall (100 steps after "
     "the warm-up); take a value nearer to 0.5"},
    {RATES ", \"cycles\": 2, \"stepsize\": {\"steps\": 10}", "{\"steps\": 100}",
     "schedule.cycles: 2 cycles and a stepsize of 10 steps exclude each other"},
    {RATES ", \"cycles\": 2", "{\"cycles\": 3}",
     "length: a length of 3 cycles and schedule.cycles 2 exclude each other"},
    {RATES, "{\"cycles\": 3}",
     "length: how long 3 cycles are is not known; give schedule.stepsize"},
    {RATES ", \"policy\": \"sgdr\"", "{\"cycles\": 3}", "give schedule.t0"},
    {RATES ", \"policy\": \"sgdr\"", "{\"steps\": 3}",
     "schedule.t0: sgdr needs its first period; add \"t0\""},
    {RATES ", \"policy\": \"hf_cosine\"", "{\"cycles\": 3}", "give schedule.decay_steps"},
    {RATES ", \"policy\": \"wsd\", \"decay_steps\": 41, \"warmup\": {\"steps\": 10}",
     "{\"steps\": 50}",
     "schedule.decay_steps: 41 steps of decay do not fit into the 40 steps after the warm-up"},
    {RATES ", \"policy\": \"constant\"", "{\"cycles\": 3}",
     "length: policy constant has no cycles of a known length; give it in steps or epochs, found "
     "3 cycles"},
    {RATES ", \"policy\": \"one_cycle\"", "{\"cycles\": 1}", "policy one_cycle has no cycles of"},
    {RATES ", \"cycles\": 2", "", "length: missing; add \"length\": {\"epochs\": 10}"},
    {RATES ", \"cycles\": 2", "{\"epochs\": 2}",
     "length: 2 epochs, but the steps of an epoch are not known; give it in steps"},
    {RATES ", \"stepsize\": {\"epochs\": 2}", "{\"steps\": 100}",
     "schedule.stepsize: 2 epochs, but the steps of an epoch are not known"},
    {RATES ", \"cycles\": 2, \"warmup\": {\"steps\": 100}", "{\"steps\": 100}",
     "schedule.warmup: expected less than the 100 steps of length, found 100"},
    {"\"base_lr\": 2, \"max_lr\": 1, \"cycles\": 2", "{\"steps\": 100}",
     "schedule.base_lr: 2 is above max_lr 1; exchange them"},
    {"\"cycles\": 2", "{\"steps\": 100}",
     "schedule.max_lr: expected a number above 0, found 0 or none; the rate of every step would be "
     "0"},
    {"\"policy\": \"constant\"", "{\"steps\": 100}", "schedule.base_lr: expected a number above 0"},
    {RATES ", \"policy\": \"multistep\"", "{\"steps\": 100}",
     "schedule.milestones: multistep needs them"},
    {RATES ", \"policy\": \"multistep\", \"milestones\": {\"steps\": [60, 80]}", "{\"steps\": 100}",
     "schedule.gamma: multistep needs a factor per milestone below 1, found 1 or none; add "
     "\"gamma\": 0.1, or take policy \"constant\""},
    {RATES ", \"policy\": \"exp\"", "{\"steps\": 100}",
     "schedule.gamma: exp needs a factor per step below 1, found 1 or none; add \"gamma\": "
     "0.977237 "
     "(1/10 at the end), or take policy \"constant\""},
    {RATES ", \"policy\": \"exp_range\", \"cycles\": 2", "{\"steps\": 1000}",
     "schedule.gamma: exp_range needs a factor per step below 1, found 1 or none; add \"gamma\": "
     "0.9977 (1/10 at the end), or take policy \"triangular\""},
    {RATES ", \"policy\": \"exp_range_amplitude\", \"cycles\": 2, \"gamma\": 1",
     "{\"steps\": 1000}", "schedule.gamma: exp_range_amplitude needs a factor per step below 1"},
    /* every stage needs a rate, also where bounds are given and no step reaches one */
    {RATES ", \"cycles\": 1, \"stages\": [{\"length\": {\"steps\": 10}}, {\"length\": "
           "{\"steps\": 9}, \"base_lr\": 0, \"max_lr\": 0}]",
     "",
     "schedule.stages[1].max_lr: expected a number above 0, found 0 or none; the rate of every "
     "step of this stage would be 0"},
    {RATES ", \"cycles\": 1, \"stages\": [{\"length\": {\"steps\": 10}, \"cut\": {\"steps\": 10}}]",
     "", "schedule.stages[0].cut: expected less than the stage's 10 steps, found 10; leave it out"},
    {RATES ", \"cycles\": 1, \"stages\": [{\"length\": {\"steps\": 10}, \"policy\": \"constant\", "
           "\"base_lr\": 0}, {\"length\": {\"steps\": 9}}]",
     "", "schedule.stages[0].base_lr: expected a number above 0, found 0 or none"},
    {"\"max_lr\": 1, \"stepsize\": {\"steps\": 5}", "{\"steps\": 1}",
     "length: the rate of all its 1 steps is 0; make it longer, or base_lr greater than 0"},
    {RATES ", \"policy\": \"hf_cosine\", \"hf_cycles\": 60, \"decay_steps\": 100",
     "{\"steps\": 100}",
     "schedule.hf_cycles: 60 cycles in 98 decay steps are shorter than 2 steps; take at most 49"},
    {"\"max_lr\": 1, \"policy\": \"one_cycle\", \"one_cycle\": {\"pct_start\": 0.1}",
     "{\"steps\": 10}", "schedule.one_cycle.pct_start: 0.1 of 10 steps is one step"},
    {"\"max_lr\": 1, \"policy\": \"one_cycle\", \"one_cycle\": {\"form\": \"pytorch3\", "
     "\"pct_start\": "
     "0.6}",
     "{\"steps\": 10}", "expected at most 0.5, found 0.6"},
    {"\"max_lr\": 1, \"policy\": \"one_cycle\", \"one_cycle\": {\"form\": \"paper\", "
     "\"pct_start\": 0.5}",
     "{\"steps\": 101}",
     "schedule.one_cycle.pct_start: form \"paper\" rises in that share of the "
     "steps, falls in as many and needs some for the tail; expected 0.01..0.49, "
     "found 0.5"},
    {"\"max_lr\": 1, \"policy\": \"one_cycle\", \"one_cycle\": {\"form\": \"paper\"}",
     "{\"steps\": 3}",
     "schedule.one_cycle: rise, fall and tail need at least 4 steps after the warm-up, found 3"},
    {RATES
     ", \"stages\": [{\"length\": {\"steps\": 10}, \"cycles\": 1}, {\"length\": {\"steps\": 10}, "
     "\"cycles\": 1.25}]",
     "", "schedule.stages[1].cycles: expected whole or half cycles, found 1.25"},
    {RATES
     ", \"stages\": [{\"length\": {\"steps\": 10}, \"cycles\": 1}, {\"length\": {\"steps\": 10}, "
     "\"cycles\": 1, \"warmup\": {\"steps\": 3}}]",
     "", "schedule.stages[1].warmup: only the first stage can have a warm-up, found 3 steps"},
    {RATES
     ", \"stages\": [{\"length\": {\"steps\": 10}, \"cycles\": 1}, {\"length\": {\"cycles\": 10}, "
     "\"cycles\": 1}]",
     "",
     "schedule.stages[1].length: a length of 10 cycles and schedule.stages[1].cycles 1 exclude"},
    {RATES
     ", \"cycles\": 1, \"stages\": [{\"length\": {\"steps\": 10}}, {\"length\": {\"steps\": 9}}]",
     "{\"steps\": 20}",
     "length: expected the 19 steps of the stages together, or none, found 20 steps"},
    {RATES
     ", \"cycles\": 1, \"stages\": [{\"length\": {\"steps\": 10}}, {\"length\": {\"steps\": 9}}]",
     "{\"cycles\": 2}",
     "length: expected the 19 steps of the stages together, or none, found 2 cycles"},
    {RATES ", \"stepsize\": {\"steps\": 4503599627370496}", "{\"cycles\": 2}",
     "length: expected at most 2^53 - 1 steps, found more"},
    {RATES
     ", \"cycles\": 1, \"stages\": [{\"length\": {\"steps\": 9007199254740000}}, {\"length\": "
     "{\"steps\": 9007199254740000}}]",
     "", "schedule.stages[1].length: the stages have more than 2^53 - 1 steps"},
};

static void every_error(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof errors / sizeof errors[0]; i++) {
        gyre_settings *set = read_schedule(errors[i].schedule, errors[i].length);
        gyre_schedule *s = NULL;
        gyre_status status = gyre_schedule_open(&set->schedule, &set->length, 0.9, 0, &s);
        if (status != GYRE_EUSAGE) fail_msg("%s: no error", errors[i].schedule);
        if (strstr(gyre_error_text(), errors[i].words) == NULL) {
            fail_msg("no \"%s\" in \"%s\"", errors[i].words, gyre_error_text());
        }
        gyre_schedule_settings before = set->schedule;
        assert_int_equal(gyre_schedule_resolve(&set->schedule, &set->length, 0), GYRE_EUSAGE);
        assert_memory_equal(&before, &set->schedule, sizeof before);
        gyre_config_close(set);
    }
}

/* Epochs that are too many, or so few that two milestones meet. */
static void epochs_that_do_not_fit(void **state) {
    (void)state;
    static const struct {
        const char *schedule, *length, *words;
    } wrong[] = {
        {RATES ", \"cycles\": 2", "{\"epochs\": 1e12}", "length: expected at most 2^53 - 1 steps"},
        {RATES ", \"stepsize\": {\"epochs\": 1e12}", "{\"steps\": 10}",
         "schedule.stepsize: expected at most 2^53 - 1 steps, found more"},
        {RATES ", \"policy\": \"multistep\", \"milestones\": {\"epochs\": [0.00001, 0.00002]}",
         "{\"steps\": 10}",
         "schedule.milestones: expected rising ones, found 2e-05 after one in the same step 1"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        gyre_settings *set = read_schedule(wrong[i].schedule, wrong[i].length);
        gyre_schedule *s = NULL;
        assert_true(gyre_schedule_needs_epochs(&set->schedule, &set->length));
        assert_int_equal(gyre_schedule_open(&set->schedule, &set->length, 0.9, 10009, &s),
                         GYRE_EUSAGE);
        if (strstr(gyre_error_text(), wrong[i].words) == NULL) {
            fail_msg("no \"%s\" in \"%s\"", wrong[i].words, gyre_error_text());
        }
        gyre_config_close(set);
    }
    assert_true(gyre_steps_of_epochs(2.5, 391) == 978 && gyre_steps_of_epochs(0.001, 391) == 1);
}

/* A suggested number of cycles must be possible itself. */
static void advice_can_be_followed(void **state) {
    (void)state;
    for (int percent = 2; percent < 100; percent += 3) {
        char text[200], length[] = "{\"steps\": 1000}";
        snprintf(text, sizeof text, RATES ", \"cycles\": 499, \"up_fraction\": %g",
                 percent / 100.0);
        gyre_settings *set = read_schedule(text, length);
        gyre_schedule *s = NULL;
        if (gyre_schedule_open(&set->schedule, &set->length, 0.9, 0, &s) != GYRE_OK) {
            const char *words = strstr(gyre_error_text(), "a rise or fall; ");
            assert_non_null(words);
            set->schedule.cycles = strtod(words + strlen("a rise or fall; "), NULL);
            assert_int_equal(gyre_schedule_open(&set->schedule, &set->length, 0.9, 0, &s), GYRE_OK);
        }
        gyre_schedule_close(s);
        gyre_config_close(set);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error),
        cmocka_unit_test(epochs_that_do_not_fit),
        cmocka_unit_test(advice_can_be_followed),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
