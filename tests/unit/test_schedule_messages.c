/* What gyre says about a schedule: every error with its key path and a way out, every warning, and
 * silence where all is well. */
#include "config_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gyre/schedule.h"

static config_file file;

static gyre_settings *read_schedule(const char *schedule, const char *length) {
    char text[2048];
    gyre_settings *set;
    snprintf(text, sizeof text, "{\"schedule\": {%s}%s%s}", schedule,
             length[0] != '\0' ? ", \"length\": " : "", length);
    if (config_open_bytes(&file, text, strlen(text), NULL, &set) != GYRE_OK) {
        fail_msg("%s: %s", text, gyre_error_text());
    }
    return set;
}

/* ---- errors */

#define RATES "\"base_lr\": 0.1, \"max_lr\": 1"

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

/* ---- warnings */

typedef struct {
    char text[4096];
    int count;
} heard;

static void listen(void *context, const char *text) {
    heard *h = context;
    h->count++;
    strncat(h->text, text, sizeof h->text - strlen(h->text) - 2);
    strcat(h->text, "\n");
}

static const struct {
    const char *schedule, *length;
    int64_t interval;
    const char *words; /* NULL: silence */
} warnings[] = {
    {RATES ", \"cycles\": 5", "{\"steps\": 1001}", 25, NULL},
    {RATES ", \"cycles\": 4.5, \"start\": \"high\"", "{\"steps\": 1001}", 0, NULL},
    {RATES ", \"stepsize\": {\"steps\": 100}", "{\"steps\": 1000}", 0, NULL},
    {RATES ", \"stepsize\": {\"steps\": 100}", "{\"steps\": 1001}", 0, NULL}, /* a = 0 */
    {RATES ", \"stepsize\": {\"steps\": 100}", "{\"steps\": 1002}", 0, NULL}, /* a = 1 / D */
    {RATES ", \"stepsize\": {\"steps\": 100}", "{\"steps\": 1003}", 0,
     "the run ends inside cycle 6, with rate 0.118: a length of 1000 or 1200 steps would end at a "
     "minimum"},
    {RATES ", \"stepsize\": {\"steps\": 100}, \"warmup\": {\"steps\": 7}", "{\"steps\": 1006}", 0,
     "inside cycle 5, with rate 0.118: a length of 807 or 1007 steps"},
    {RATES ", \"stepsize\": {\"steps\": 100}", "{\"steps\": 150}", 0,
     "the run ends inside its first cycle, with rate 0.559: a length of 200 steps would end at the "
     "minimum"},
    {RATES ", \"stepsize\": {\"steps\": 100}, \"start\": \"high\"", "{\"cycles\": 2}", 0,
     "inside cycle 3, with rate 0.991: a length of 300 or 500 steps"},
    {RATES ", \"cycles\": 2.5", "{\"steps\": 1001}", 0,
     "the run ends at a peak, with rate 1: take schedule.cycles 2 or 3, or \"end\": \"low\""},
    {RATES ", \"cycles\": 2, \"start\": \"high\"", "{\"steps\": 1001}", 0,
     "the run ends at a peak, with rate 1: take schedule.cycles 1.5 or 2.5"},
    {RATES ", \"cycles\": 0.5", "{\"steps\": 1001}", 0,
     "the run ends at its peak, with rate 1: take schedule.cycles 1"},
    {RATES ", \"cycles\": 5.5, \"end\": \"low\"", "{\"steps\": 1001}", 0,
     "schedule.cycles: 5.5 cycles would end at the peak; half a cycle is added (5.5 cycles asked, "
     "6 "
     "run)"},
    {RATES ", \"cycles\": 5, \"end\": \"low\"", "{\"steps\": 1001}", 0, NULL},
    {RATES ", \"cycles\": 30", "{\"steps\": 91}", 0,
     "schedule: a cycle has only 3 steps; with fewer than 4 its form is lost"},
    {RATES ", \"policy\": \"sgdr\", \"t0\": {\"steps\": 30}, \"t_mult\": 2", "{\"steps\": 210}", 0,
     NULL},
    {RATES ", \"policy\": \"sgdr\", \"t0\": {\"steps\": 30}, \"t_mult\": 2", "{\"steps\": 209}", 0,
     "inside cycle 3, with rate 0.100617: a length of 90 or 210 steps"},
    {RATES ", \"policy\": \"hf_cosine\", \"decay_steps\": 40", "{\"steps\": 441}", 0, NULL},
    {RATES ", \"policy\": \"hf_cosine\", \"decay_steps\": 40", "{\"steps\": 800}", 0,
     "inside cycle 11, with rate 0.998613: a length of 761 or 841 steps"},
    {"\"max_lr\": 1, \"policy\": \"one_cycle\", \"one_cycle\": {\"pct_start\": 1}",
     "{\"steps\": 100}", 0, "the run ends with rate 1, near its peak"},
    {"\"max_lr\": 1, \"policy\": \"one_cycle\"", "{\"steps\": 100}", 80, NULL},
    /* evaluation: too seldom; at the minima of a stepsize and of fitted cycles; beside them */
    {RATES ", \"cycles\": 20", "{\"steps\": 1001}", 40,
     "evaluate.every: 40 steps against cycles of 50 (schedule) show waves that are not there; take "
     "at most 12 steps"},
    {RATES ", \"stepsize\": {\"steps\": 25}", "{\"steps\": 1000}", 100, NULL},
    {RATES ", \"cycles\": 2", "{\"steps\": 100}", 25, NULL},
    {RATES ", \"cycles\": 2", "{\"steps\": 100}", 26,
     "evaluate.every: 26 steps against cycles of 49.5 (schedule)"},
    {RATES ", \"cycles\": 20", "{\"steps\": 1001}", 50, NULL},
    {RATES ", \"stepsize\": {\"steps\": 25}, \"warmup\": {\"steps\": 25}", "{\"steps\": 1025}", 50,
     "evaluate.every: 50 steps against cycles of 50"},
    {RATES
     ", \"policy\": \"constant\", \"gamma\": 0.9, \"shape\": \"welch\", \"momentum\": {\"min\": "
     "0.8, \"max\": 0.9}",
     "{\"steps\": 10}", 0,
     "without effect with this policy: schedule.gamma, schedule.shape, "
     "schedule.momentum"},
    {RATES
     ", \"stepsize\": {\"steps\": 5}, \"end\": \"low\", \"t0\": {\"steps\": 3}, \"t_mult\": 2, "
     "\"closed\": true, \"milestones\": {\"steps\": [3]}, \"decay_steps\": 4, \"hf_cycles\": 2, "
     "\"one_cycle\": {\"form\": \"paper\"}",
     "{\"steps\": 10}", 0,
     "schedule.end, schedule.t0, schedule.t_mult, schedule.closed, schedule.milestones, "
     "schedule.decay_steps, schedule.hf_cycles, schedule.one_cycle\n"},
    {"\"base_lr\": 1, \"policy\": \"exp\", \"gamma\": 0.5, \"stepsize\": {\"steps\": 5}, "
     "\"cycles\": 3, \"start\": "
     "\"high\", \"up_fraction\": 0.2, \"peak_decay\": 0.9",
     "{\"steps\": 10}", 0,
     "schedule.stepsize, schedule.cycles, schedule.start, schedule.up_fraction, "
     "schedule.peak_decay\n"},
    {RATES ", \"policy\": \"one_cycle\"", "{\"steps\": 10}", 0,
     "without effect with this policy: schedule.base_lr"},
    {RATES
     ", \"stages\": [{\"length\": {\"steps\": 30}, \"cycles\": 1}, {\"length\": {\"steps\": 10}, "
     "\"policy\": \"constant\", \"gamma\": 0.5}]",
     "", 0, "without effect in every stage: schedule.gamma"},
    {"\"base_lr\": 1, \"policy\": \"multistep\", \"gamma\": 0.1, \"milestones\": {\"steps\": [3, "
     "10]}",
     "{\"steps\": 10}", 0, "schedule.milestones: 10 lies beyond the 10 steps of length"},
    /* rates that do not do what was meant */
    {"\"base_lr\": 0.1, \"policy\": \"exp\", \"gamma\": 0.95", "{\"steps\": 2000}", 0,
     "schedule: from step 180 of 2000 on the rate is below 0.0001 of its highest, 0.1; gamma is "
     "per step: 1/10 in all takes 0.9988494"},
    {RATES ", \"policy\": \"exp_range\", \"gamma\": 0.95, \"stepsize\": {\"steps\": 200}",
     "{\"steps\": 200000}", 0, "on the rate is below 0.0001 of its highest, 0.1"},
    {"\"base_lr\": 1, \"policy\": \"multistep\", \"gamma\": 0.01, \"milestones\": {\"steps\": [10, "
     "20, "
     "30]}",
     "{\"steps\": 100}", 0,
     "from step 30 of 100 on the rate is below 0.0001 of its highest, 1; gamma is per "
     "milestone; take one nearer to 1 than 0.01"},
    {"\"max_lr\": 1, \"policy\": \"triangular2\", \"cycles\": 40", "{\"steps\": 4001}", 0,
     "take a peak_decay nearer to 1 than 0.5, or a base_lr above 0"},
    {"\"base_lr\": 0, \"policy\": \"constant\", \"warmup\": {\"steps\": 10, \"from\": 1}",
     "{\"steps\": 100}", 0, "schedule: after the warm-up every rate is 0"},
    {"\"base_lr\": 0.001, \"max_lr\": 0.1, \"policy\": \"triangular2\", \"cycles\": 40",
     "{\"steps\": 2000}", 0,
     "schedule: from cycle 8 of 40 on the height is below 1 % of the first's; a peak_decay nearer "
     "to 1 than 0.5 keeps it"},
    {RATES ", \"policy\": \"triangular2\", \"cycles\": 7", "{\"steps\": 1001}", 0, NULL},
    {RATES ", \"cycles\": 100000, \"peak_decay\": 0.9999", "{\"steps\": 1000001}", 0,
     "from cycle 46051 of 100000 on"},
    {RATES ", \"policy\": \"exp_range_amplitude\", \"gamma\": 0.99, \"cycles\": 10",
     "{\"steps\": 1001}", 0, "a gamma nearer to 1 than 0.99 keeps it"},
    {"\"base_lr\": 0.1, \"max_lr\": 0.1, \"cycles\": 2", "{\"steps\": 101}", 0,
     "schedule: base_lr and max_lr are both 0.1, so the rate never moves"},
    {RATES ", \"policy\": \"hf_cosine\", \"hf_cycles\": 0", "{\"steps\": 100}", 0,
     "schedule: the rate never moves (1 to 1), which policy \"hf_cosine\" is for"},
    {"\"base_lr\": 0.1, \"policy\": \"exp\", \"gamma\": 0.9999999", "{\"steps\": 1000}", 0,
     "schedule: gamma 0.9999999, the factor of a step, leaves 99.99 % after 1000; 1/10 takes "
     "0.9977001"},
    {RATES ", \"policy\": \"exp_range\", \"gamma\": 0.9999999, \"cycles\": 2", "{\"steps\": 1001}",
     0, "leaves 99.99 % after 1001"},
    {"\"base_lr\": 1, \"policy\": \"multistep\", \"gamma\": 0.1, \"milestones\": {\"steps\": [60]}",
     "{\"steps\": 50}", 0, "schedule.milestones: 60 lies beyond the 50 steps of length\n"},
    {RATES ", \"policy\": \"exp_range\", \"gamma\": 0.999, \"cycles\": 1", "{\"steps\": 10001}", 0,
     "schedule: the highest rate is 0.1"},
    {RATES ", \"stages\": [{\"length\": {\"steps\": 30}, \"stepsize\": {\"steps\": 1000}}, "
           "{\"length\": {\"steps\": 11}, \"cycles\": 1}]",
     "", 0, "schedule.stages[0]: the highest rate is 0.126, not max_lr 1: its 30 steps end before"},
    {"\"max_lr\": 0.02, \"cycles\": 2, \"warmup\": {\"steps\": 20}", "{\"steps\": 2000}", 0,
     "schedule.warmup: 20 steps from rate 0 to 0, where the schedule begins (its highest is 0.02), "
     "train nothing; leave the warm-up out, or give a base_lr"},
    {RATES ", \"cycles\": 1, \"warmup\": {\"steps\": 60}", "{\"steps\": 100}", 0,
     "schedule.warmup takes 60 of the 100 steps"},
    {"\"base_lr\": 1e-12, \"policy\": \"constant\"", "{\"steps\": 100}", 0,
     "schedule: the highest rate is 1e-12; 32-bit weights do not move by so little"},
    /* and low rates that are meant */
    {"\"max_lr\": 1, \"policy\": \"linear\"", "{\"steps\": 1000}", 0, NULL},
    {"\"max_lr\": 1, \"policy\": \"linear\", \"warmup\": {\"steps\": 50}", "{\"steps\": 1000}", 0,
     NULL},
    {"\"max_lr\": 1, \"cycles\": 4", "{\"steps\": 100001}", 0, NULL},
    {"\"max_lr\": 1, \"policy\": \"sgdr\", \"t0\": {\"steps\": 500}", "{\"cycles\": 4}", 0, NULL},
    {"\"max_lr\": 1, \"policy\": \"one_cycle\", \"warmup\": {\"steps\": 50}", "{\"steps\": 100000}",
     0, NULL},
    {"\"max_lr\": 1, \"policy\": \"one_cycle\", \"one_cycle\": {\"form\": \"paper\", "
     "\"pct_start\": 0.45, "
     "\"anneal\": \"linear\"}",
     "{\"steps\": 1000}", 0, NULL},
    {"\"max_lr\": 1, \"policy\": \"hf_cosine\"", "{\"steps\": 1000}", 0, NULL},
    {"\"base_lr\": 1, \"policy\": \"exp\", \"gamma\": 0.999", "{\"steps\": 5000}", 0, NULL},
    {"\"base_lr\": 1, \"policy\": \"multistep\", \"gamma\": 0.1, \"milestones\": {\"steps\": [50, "
     "75, "
     "90]}",
     "{\"steps\": 100}", 0, NULL},
};

static void every_warning(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof warnings / sizeof warnings[0]; i++) {
        gyre_settings *set = read_schedule(warnings[i].schedule, warnings[i].length);
        gyre_schedule *s = NULL;
        heard h = {0};
        if (gyre_schedule_open(&set->schedule, &set->length, 0.9, 0, &s) != GYRE_OK) {
            fail_msg("%s: %s", warnings[i].schedule, gyre_error_text());
        }
        gyre_schedule_warnings(s, warnings[i].interval, listen, &h);
        const char *words = warnings[i].words;
        if (h.count != (words != NULL) || (words != NULL && strstr(h.text, words) == NULL)) {
            fail_msg("%s: expected \"%s\", heard \"%s\"", warnings[i].schedule,
                     words == NULL ? "nothing" : words, h.text);
        }
        gyre_schedule_close(s);
        gyre_config_close(set);
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_error),
        cmocka_unit_test(epochs_that_do_not_fit),
        cmocka_unit_test(advice_can_be_followed),
        cmocka_unit_test(every_warning),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
