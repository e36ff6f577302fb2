/* Every warning about a schedule, and silence where all is well. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "schedule_text.h"

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

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_warning),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
