/* What a study would have one do next: the verdict, the choice, and what another seed would tell.
 */
#include "words.h"

#include <math.h>
#include <stdio.h>

static const char *plural(int count) {
    return count == 1 ? "" : "s";
}

/* ---- the verdict of a group */

const gyre_comparison *gyre_words_main(const gyre_evidence *e, int group) {
    const gyre_study *s = e->study;
    if (s->planned_arm >= 0 && s->planned_control >= 0 && s->arms[s->planned_arm].group == group) {
        return gyre_evidence_comparison(e, s->planned_arm, s->planned_control);
    }
    int leader = gyre_evidence_leader(e, group);
    if (leader < 0 || e->main_control[group] < 0) return NULL;
    return gyre_evidence_comparison(e, leader, e->main_control[group]);
}

static void say_run(const gyre_evidence *e, char *out) {
    const gyre_evidence_cell *c = gyre_evidence_at(e, 0, 0);
    if (gyre_cell_counts(c)) {
        gyre_words_add(out, "%.2f %% %s accuracy at the last step.", 100 * c->result.accuracy,
                       gyre_words_part(e));
    } else {
        gyre_words_add(out, "No %s accuracy at the last step: the run is %s, with %lld steps done.",
                       gyre_words_part(e), gyre_words_state(c), (long long)c->result.steps);
    }
}

void gyre_words_verdict(const gyre_evidence *e, int group, char out[GYRE_SENTENCE_MAX]) {
    const gyre_comparison *c = gyre_words_main(e, group);
    const int leader = gyre_evidence_leader(e, group);
    *out = '\0';
    if (c != NULL && (leader >= 0 || c->final.count > 0)) {
        gyre_words_comparison(e, c, out);
        return;
    }
    if (e->single) {
        say_run(e, out);
        return;
    }
    if (leader < 0) {
        gyre_words_add(out,
                       "Nothing can be said yet: no arm but controls has a cell that is done.");
        return;
    }
    char name[GYRE_NAME_MAX];
    gyre_words_arm(e, leader, name);
    gyre_words_add(
        out,
        "%s: %.2f %% %s accuracy at the last step (%d seed%s). There is no control to compare "
        "with.",
        name, e->arms[leader].final.mean, gyre_words_part(e), e->arms[leader].done,
        plural(e->arms[leader].done));
}

/* ---- the choice */

/* With one pair nothing is excluded. */
static bool told_apart(const gyre_evidence_arm *a) {
    return a->below_leader.interval.low > 0;
}

static void say_rivals(const gyre_evidence *e, int leader, char *out) {
    const gyre_study *s = e->study;
    int rivals = 0, arms = 0;
    char names[GYRE_SENTENCE_MAX] = "", name[GYRE_NAME_MAX];
    for (int i = 0; i < s->arm_count; i++) {
        if (i == leader || s->arms[i].group != s->arms[leader].group || s->arms[i].control)
            continue;
        if (e->arms[i].done == 0) continue;
        arms++;
        if (told_apart(&e->arms[i])) continue;
        gyre_words_arm(e, i, name);
        gyre_words_add(names, "%s%s", rivals++ == 0 ? "" : ", ", name);
    }
    if (arms == 0) return;
    if (rivals == 0) {
        gyre_words_add(out,
                       " It lies above every other arm by more than its paired 95 %% interval.");
    } else {
        gyre_words_add(out, " Not told apart from it (paired 95 %% intervals hold 0): %s.", names);
    }
}

static void say_controls(const gyre_evidence *e, int leader, char *out) {
    const gyre_study *s = e->study;
    int controls = 0, beaten = 0, best = -1;
    for (int i = 0; i < s->arm_count; i++) {
        const gyre_comparison *c = gyre_evidence_comparison(e, leader, i);
        if (c == NULL || !s->arms[i].control || e->arms[i].done == 0) continue;
        controls++;
        beaten += c->finding == GYRE_FINDING_BETTER;
        if (e->arms[i].final.mean < e->arms[leader].final.mean) continue;
        if (best < 0 || e->arms[i].final.mean > e->arms[best].final.mean) best = i;
    }
    if (best >= 0) {
        char name[GYRE_NAME_MAX];
        gyre_words_arm(e, best, name);
        gyre_words_add(out, " But %s did as well or better: %.2f %%.", name,
                       e->arms[best].final.mean);
    } else if (controls > 0 && beaten == 0) {
        gyre_words_add(out,
                       " It was not shown to beat a control, so this rests on the mean alone.");
    } else if (controls > 0) {
        gyre_words_add(out, " It was shown to beat %d of %d control%s.", beaten, controls,
                       plural(controls));
    }
}

void gyre_words_choice(const gyre_evidence *e, int group, char out[GYRE_SENTENCE_MAX]) {
    char name[GYRE_NAME_MAX];
    int leader = gyre_evidence_leader(e, group);
    *out = '\0';
    if (leader < 0 || e->single) return;
    gyre_words_arm(e, leader, name);
    gyre_words_add(out, "Choice: %s, the highest mean of the arms (%.2f %%).", name,
                   e->arms[leader].final.mean);
    say_rivals(e, leader, out);
    say_controls(e, leader, out);
}

/* ---- what more seeds would tell */

void gyre_words_one_more(const gyre_evidence *e, const gyre_comparison *c,
                         char out[GYRE_SENTENCE_MAX]) {
    const int n = c->final.count;
    char arm[GYRE_NAME_MAX], control[GYRE_NAME_MAX];
    gyre_words_arm(e, c->arm, arm);
    gyre_words_arm(e, c->control, control);
    *out = '\0';
    gyre_words_add(
        out,
        "%s against %s: a seed more (%d instead of %d) lowers the smallest possible p from %.2g "
        "to %.2g",
        arm, control, n + 1, n, c->least, gyre_sign_flip_least(n + 1));
    if (n < 2) {
        gyre_words_add(out, ".");
        return;
    }
    double now = 0.5 * (c->final.interval.high - c->final.interval.low);
    double then = gyre_student_quantile(0.975, n) * c->final.sd / sqrt(n + 1);
    gyre_words_add(out,
                   " and, if the spread stays, narrows the interval from ±%.2f to ±%.2f points.",
                   now, then);
    int needed = gyre_seeds_needed(&c->final);
    if (c->finding == GYRE_FINDING_BETTER || c->finding == GYRE_FINDING_WORSE) {
        gyre_words_add(
            out, " The difference is shown already; more seeds would only measure it better.");
    } else if (needed == 0) {
        gyre_words_add(
            out, " At the difference found, more than 1000 seeds would be needed to show it.");
    } else if (needed > n) {
        gyre_words_add(
            out, " At the difference and spread found, about %d seeds would be needed to show it.",
            needed);
    } else {
        gyre_words_add(out, " Its interval leaves out 0 already; what is missing is a smaller p%s.",
                       c->planned
                           ? ""
                           : ", for which it would have to be the planned comparison or have more "
                             "seeds");
    }
}
