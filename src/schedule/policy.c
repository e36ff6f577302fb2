/* What several policies have in common. */
#include "policy.h"

#include "gyre/realmath.h"
#include <string.h>

void schedule_no_defaults(schedule_stage *s, int64_t steps) {
    (void)s;
    (void)steps;
}

double schedule_no_steps(const schedule_stage *s, double cycles) {
    (void)s;
    (void)cycles;
    return 0;
}

gyre_status schedule_check_gamma(const schedule_stage *s, const char *by, const char *plain) {
    if (s->set.gamma < 1) return GYRE_OK;
    bool step = strcmp(by, "step") == 0;
    double tenth = gyre_exp(gyre_log(0.1) / (double)s->n);
    return gyre_fail(GYRE_EUSAGE,
                     "%s.gamma: %s needs a factor per %s below 1, found 1 or none; add \"gamma\": "
                     "%.6g%s, or take policy \"%s\"",
                     s->where, s->policy->name, by, step ? tenth : 0.1,
                     step ? " (1/10 at the end)" : "", plain);
}
