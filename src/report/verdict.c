/* What a study would have one do next: the verdict, and the choice. */
#include "verdict.h"

#include "sentences.h"
#include <math.h>
#include <stdio.h>

static const char *plural(int count) {
    return count == 1 ? "" : "s";
}

/* ---- the verdict of a group */

const gyre_comparison *report_main(const gyre_results *e, int group) {
    const gyre_study *s = e->study;
    if (s->planned_arm >= 0 && s->planned_control >= 0 && s->arms[s->planned_arm].group == group) {
        return gyre_results_comparison(e, s->planned_arm, s->planned_control);
    }
    const int leader = e->rankings[group].leader;
    if (leader < 0 || e->main_control[group] < 0) return NULL;
    return gyre_results_comparison(e, leader, e->main_control[group]);
}

static void say_run(const gyre_results *e, char *out) {
    const gyre_results_cell *c = gyre_results_at(e, 0, 0);
    char value[REPORT_UNIT_MAX];
    if (gyre_cell_counts(c)) {
        report_add(out, "%s %s %s at the last step.",
                   gyre_metric_text(e->metric, c->result.metric, value, sizeof value),
                   report_part(e), gyre_metric_prose(e->metric).text);
    } else {
        report_add(out, "No %s %s at the last step: the run is %s, with %lld steps done.",
                   report_part(e), gyre_metric_prose(e->metric).text, report_state(c),
                   (long long)c->result.steps);
    }
}

/* Cells that are done, those that diverged, and those without a result, of a group's arms or of its
 * controls. */
typedef struct {
    int done, diverged, open;
} tally;

static tally count_cells(const gyre_results *e, int group, bool controls) {
    tally t = {0, 0, 0};
    for (int i = 0; i < e->study->arm_count; i++) {
        const gyre_study_arm *arm = &e->study->arms[i];
        if (arm->group != group || arm->control != controls) continue;
        t.done += e->arms[i].done;
        t.diverged += e->arms[i].diverged;
        t.open += e->arms[i].open;
    }
    return t;
}

static void say_nothing_done(const gyre_results *e, int group, char *out) {
    const tally arms = count_cells(e, group, false), controls = count_cells(e, group, true);
    if (arms.open > 0) {
        report_add(out, "Nothing can be said yet: no arm but controls has a cell that is done.");
        if (arms.diverged > 0) {
            report_add(out, " %d of %d cells diverged.", arms.diverged, arms.diverged + arms.open);
        }
        return;
    }
    report_add(out, "Every arm diverged with all seeds (%d cells): no %s to compare.",
               arms.diverged, gyre_metric_prose(e->metric).text);
    if (controls.done > 0) {
        report_add(out, " Controls finished with %d of %d cells.", controls.done,
                   controls.done + controls.diverged + controls.open);
    } else if (controls.diverged > 0 && controls.open == 0) {
        report_add(out, " So did every control.");
    }
}

static void say_mean(const gyre_results *e, int leader, char *out) {
    const gyre_ranking *r = &e->rankings[e->study->arms[leader].group];
    char name[REPORT_NAME_MAX], mean[REPORT_UNIT_MAX];
    report_arm(e, leader, name);
    report_add(out, "%s: %s %s %s at the last step (%d seed%s", name,
               report_value(e->metric, r->mean, mean), report_part(e),
               gyre_metric_prose(e->metric).text, r->seeds, plural(r->seeds));
    if (r->diverged > 0) {
        report_add(out, "; it diverged with %d of %d", r->diverged, e->study->seed_count);
    }
    report_add(out, "). There is no control to compare with.");
}

void report_verdict(const gyre_results *e, int group, char out[REPORT_SENTENCE_MAX]) {
    const gyre_comparison *c = report_main(e, group);
    const int leader = e->rankings[group].leader;
    const tally arms = count_cells(e, group, false);
    *out = '\0';
    if (c != NULL && (arms.done > 0 || c->final.count > 0)) {
        report_comparison(e, c, out);
    } else if (e->single) {
        say_run(e, out);
    } else if (arms.done == 0) {
        say_nothing_done(e, group, out);
    } else if (leader >= 0) {
        say_mean(e, leader, out);
    } else if (arms.open > 0) {
        report_add(out, "No verdict yet: no arm has its results with all seeds.");
    } else {
        report_add(out, "No verdict: every arm diverged with some seeds, and no seed is done "
                        "with all arms that did so least.");
    }
}

/* ---- the choice */

/* Shares of few samples are coarse: two seeds with the same difference have no spread, and an
 * interval without width excludes 0 whatever is true. The sign flips tell from how many on. */
static bool lacks_spread(const gyre_results *e, const gyre_summary *s) {
    return s->count > 1 && report_is_nothing(e->metric, s->sd) &&
           gyre_sign_flip_least(s->count) > GYRE_SIGNIFICANT;
}

/* With one pair nothing is excluded. */
static bool told_apart(const gyre_results *e, const gyre_results_arm *a) {
    return a->behind_leader.interval.low > 0 && !lacks_spread(e, &a->behind_leader);
}

/* The next arm of a group after `i` that is no control; -1: no more. Begin with -1. */
static int next_arm(const gyre_study *s, int group, int i) {
    for (i++; i < s->arm_count; i++) {
        if (s->arms[i].group == group && !s->arms[i].control) return i;
    }
    return -1;
}

/* Those that cannot be chosen, and why; with " (…)" after each. */
static void say_unranked(const gyre_results *e, int group, char *out) {
    const int seeds = e->study->seed_count;
    int said = 0;
    for (int i = next_arm(e->study, group, -1); i >= 0; i = next_arm(e->study, group, i)) {
        const gyre_results_arm *a = &e->arms[i];
        char name[REPORT_NAME_MAX];
        if (a->ranked) continue;
        report_arm(e, i, name);
        report_add(out, "%s%s (", said++ == 0 ? " Not ranked: " : ", ", name);
        if (a->diverged > 0) report_add(out, "diverged with %d of %d seeds", a->diverged, seeds);
        if (a->diverged > 0 && a->open > 0) report_add(out, "; ");
        if (a->open > 0) report_add(out, "%d of %d cells without a result yet", a->open, seeds);
        report_add(out, ")");
    }
    if (said > 0) report_add(out, ".");
}

static void say_rivals(const gyre_results *e, int leader, char *out) {
    const gyre_study *s = e->study;
    const int group = s->arms[leader].group;
    int rivals = 0;
    bool equal = false;
    char names[REPORT_SENTENCE_MAX] = "", name[REPORT_NAME_MAX];
    for (int i = next_arm(s, group, -1); i >= 0; i = next_arm(s, group, i)) {
        if (i == leader || !e->arms[i].ranked || told_apart(e, &e->arms[i])) continue;
        report_arm(e, i, name);
        report_add(names, "%s%s", rivals++ == 0 ? "" : ", ", name);
        equal = equal || lacks_spread(e, &e->arms[i].behind_leader);
    }
    if (e->rankings[group].ranked < 2) return;
    if (rivals == 0) {
        report_add(out,
                   " The choice lies %s every other ranked arm by more than its paired 95 %% "
                   "interval.",
                   report_above(e->metric));
    } else {
        report_add(out, " Perhaps as good as the choice (paired 95 %% intervals hold 0%s): %s.",
                   equal ? ", or have no width, since few seeds gave equal differences" : "",
                   names);
    }
}

/* The leader's comparison with a control, planned either way round; `sign` makes its mean how much
 * better the leader is. */
static const gyre_comparison *with_control(const gyre_results *e, int leader, int control,
                                           double *sign) {
    const gyre_comparison *c = gyre_results_comparison(e, leader, control);
    *sign = (c == NULL) == e->metric->greater_is_better ? -1 : 1;
    return c == NULL ? gyre_results_comparison(e, control, leader) : c;
}

static void say_controls(const gyre_results *e, int leader, char *out) {
    const gyre_study *s = e->study;
    int controls = 0, beaten = 0, best = -1, pairs = 0;
    double most = 0;
    for (int i = 0; i < s->arm_count; i++) {
        double sign = 1;
        const gyre_comparison *c = with_control(e, leader, i, &sign);
        if (c == NULL || !s->arms[i].control || c->final.count == 0) continue;
        controls++;
        beaten += c->finding == (c->arm == leader ? GYRE_FINDING_BETTER : GYRE_FINDING_WORSE);
        double behind = -sign * c->final.mean;
        if (behind < 0 || (best >= 0 && behind <= most)) continue;
        best = i;
        most = fabs(behind);
        pairs = c->final.count;
    }
    if (best >= 0) {
        char name[REPORT_NAME_MAX], by[REPORT_UNIT_MAX];
        report_arm(e, best, name);
        report_add(out, " But %s did as well", name);
        if (!report_is_nothing(e->metric, most)) {
            report_add(out, " or better: by %s", report_difference(e->metric, most, false, by));
        }
        report_add(out, " over %d seed%s.", pairs, plural(pairs));
    } else if (controls > 0 && beaten == 0) {
        report_add(out,
                   " The choice was not shown to beat a control, so it rests on the mean alone.");
    } else if (controls > 0) {
        report_add(out, " The choice was shown to beat %d of %d control%s.", beaten, controls,
                   plural(controls));
    }
}

/* "Choice: 5 cycles, the highest mean of the arms (81.25 %)." */
static void say_leader(const gyre_results *e, int group, char *out) {
    const gyre_ranking *r = &e->rankings[group];
    int arms = 0, equal = 0; /* the leader too */
    char name[REPORT_NAME_MAX], mean[REPORT_UNIT_MAX];
    for (int i = next_arm(e->study, group, -1); i >= 0; i = next_arm(e->study, group, i)) {
        arms++;
        equal += e->arms[i].ranked && report_is_nothing(e->metric, e->arms[i].behind_leader.mean);
    }
    report_arm(e, r->leader, name);
    report_add(out, "Choice: %s, ", name);
    if (r->ranked > 1 && equal > 1) {
        report_add(out, "the first of %d arms with the same %s mean, of the ", equal,
                   report_best(e->metric));
    } else if (r->ranked > 1) {
        report_add(out, "the %s mean of the ", report_best(e->metric));
    }
    if (r->ranked == 1) report_add(out, "the only ");
    report_add(out, r->ranked == 1 ? "arm" : "arms");
    if (r->diverged > 0) {
        report_add(out,
                   " that diverged least (%s over %d seed%s): it diverged with %d of %d "
                   "seeds, and no arm finished with all.",
                   report_value(e->metric, r->mean, mean), r->seeds, plural(r->seeds), r->diverged,
                   e->study->seed_count);
        return;
    }
    if (r->ranked < arms) report_add(out, " that finished with all seeds");
    report_add(out, " (%s).", report_value(e->metric, r->mean, mean));
}

void report_choice(const gyre_results *e, int group, char out[REPORT_SENTENCE_MAX]) {
    const gyre_ranking *r = &e->rankings[group];
    *out = '\0';
    if (e->single || count_cells(e, group, false).done == 0) return;
    if (r->leader >= 0) {
        say_leader(e, group, out);
    } else {
        report_add(out, count_cells(e, group, false).open > 0 ? "No choice yet." : "No choice.");
    }
    say_unranked(e, group, out);
    if (r->leader < 0) return;
    say_rivals(e, r->leader, out);
    say_controls(e, r->leader, out);
}
