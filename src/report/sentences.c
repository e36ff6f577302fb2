/* Sentences of a report. A difference is called one only when its p, corrected unless it was
 * planned, is at most 0.05; what so few seeds cannot show is said to be that, and not "no effect".
 */
#include "sentences.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- one comparison */

static void say_numbers(const gyre_results *e, const gyre_comparison *c, double sign, char *out) {
    const int digits = e->metric->decimals;
    char p[REPORT_NAME_MAX];
    double low = sign < 0 ? -c->final.interval.high : c->final.interval.low;
    double high = sign < 0 ? -c->final.interval.low : c->final.interval.high;
    report_p(c->planned ? "" : "corrected ", c->corrected, p);
    report_add(out, " (95 %% interval %.*f to %.*f, %d seeds, %s)", digits, low, digits, high,
               c->final.count, p);
}

static void say_too_few(const gyre_results *e, const gyre_comparison *c, char *out) {
    const int digits = e->metric->decimals;
    char difference[REPORT_UNIT_MAX];
    report_add(out, "no difference that %d seeds could show", c->final.count);
    if (c->least > GYRE_SIGNIFICANT) {
        report_add(out, " (smallest possible p is %.2g)", c->least);
    } else {
        report_add(out, " among %d comparisons (smallest possible corrected p is %.2g)",
                   e->corrected_count, c->corrected_least);
    }
    report_add(out, "; on average %s (95 %% interval %.*f to %.*f).",
               report_difference_of(e->metric, c->final.mean, true, difference), digits,
               c->final.interval.low, digits, c->final.interval.high);
}

/* First of all: whatever follows is about the seeds with which neither did. */
static void say_diverged(const gyre_results *e, const gyre_comparison *c, char *out) {
    const int arm = e->arms[c->arm].diverged, control = e->arms[c->control].diverged;
    char name[REPORT_NAME_MAX];
    if (arm == 0 && control == 0) return;
    if (arm > 0) {
        report_arm(e, c->arm, name);
        report_add(out, "%s diverged with %d", name, arm);
    }
    if (control > 0) {
        report_arm(e, c->control, name);
        report_add(out, arm > 0 ? ", %s with %d" : "%s diverged with %d", name, control);
    }
    report_add(out, " of %d seeds. ", e->study->seed_count);
    if (c->final.count > 1) report_add(out, "Where both finished, ");
}

void report_comparison(const gyre_results *e, const gyre_comparison *c,
                       char out[REPORT_SENTENCE_MAX]) {
    const gyre_metric *m = e->metric;
    const double better = m->greater_is_better ? 1 : -1; /* the sign of what favours the arm */
    char arm[REPORT_NAME_MAX], control[REPORT_NAME_MAX], by[REPORT_UNIT_MAX];
    report_arm(e, c->arm, arm);
    report_arm(e, c->control, control);
    *out = '\0';
    say_diverged(e, c, out);
    switch (c->finding) {
    case GYRE_FINDING_NOTHING:
        report_add(out, "%s against %s: no comparison, since both have finished with %s.", arm,
                   control, c->final.count == 0 ? "no seed" : "one seed alone, and two are needed");
        return;
    case GYRE_FINDING_TOO_FEW:
        report_add(out, "%s against %s: ", arm, control);
        say_too_few(e, c, out);
        return;
    case GYRE_FINDING_NONE:
        report_add(out, "%s against %s: no difference was shown, on average %s", arm, control,
                   report_difference_of(m, c->final.mean, true, by));
        say_numbers(e, c, 1, out);
        break;
    case GYRE_FINDING_BETTER:
        report_add(out, "%s beat %s by %s", arm, control,
                   report_difference_of(m, better * c->final.mean, false, by));
        say_numbers(e, c, better, out);
        break;
    case GYRE_FINDING_WORSE:
        report_add(out, "%s fell short of %s by %s", arm, control,
                   report_difference_of(m, -better * c->final.mean, false, by));
        say_numbers(e, c, -better, out);
        break;
    }
    report_add(out, ".");
}

/* ---- all comparisons */

/* The greatest number of pairs of a comparison that is less than `below`; 0: there is none. */
static int pairs_below(const gyre_results *e, int below) {
    int most = 0;
    for (int i = 0; i < e->comparison_count; i++) {
        int count = e->comparisons[i].final.count;
        if (count < below && count > most) most = count;
    }
    return most;
}

/* What n pairs can show. All corrected comparisons of n pairs have the same least p. */
static void say_pairs(const gyre_results *e, int n, char *out) {
    const double least = gyre_sign_flip_least(n);
    const gyre_comparison *other = NULL;
    bool planned = false;
    for (int i = 0; i < e->comparison_count; i++) {
        const gyre_comparison *c = &e->comparisons[i];
        if (c->final.count != n) continue;
        planned |= c->planned;
        if (!c->planned) other = c;
    }
    report_add(out, " With %d seeds the smallest possible p is %.2g", n, least);
    if (other != NULL && least <= GYRE_SIGNIFICANT) {
        report_add(out, ", corrected %.2g", other->corrected_least);
    }
    if (least > GYRE_SIGNIFICANT) {
        report_add(out, ": no comparison at all can be shown; 6 seeds are the least that can.");
    } else if (other == NULL) {
        report_add(out, ": the planned comparison can be shown.");
    } else if (other->corrected_least <= GYRE_SIGNIFICANT) {
        report_add(out, ": each of them can be shown.");
    } else if (planned) {
        report_add(out, ": only the planned one can survive.");
    } else {
        report_add(out, e->study->planned_arm >= 0
                            ? ": none of them can survive."
                            : ": none can survive; one that the study file names as planned "
                              "could.");
    }
}

void report_correction(const gyre_results *e, char out[REPORT_SENTENCE_MAX]) {
    const int others = e->corrected_count;
    *out = '\0';
    if (pairs_below(e, INT_MAX) < 2) return;
    const bool planned = e->study->planned_arm >= 0;
    if (others == 1) {
        report_add(out,
                   "%s comparison was planned; the %s one is alone, so its p is not corrected.",
                   planned ? "One" : "No", planned ? "other" : "only");
    } else if (!planned) {
        report_add(out,
                   "No comparison was planned; all %d comparisons are corrected together (Holm).",
                   others);
    } else if (others > 0) {
        report_add(out,
                   "One comparison was planned; the other %d comparisons are corrected together "
                   "(Holm).",
                   others);
    }
    for (int n = pairs_below(e, INT_MAX); n > 1; n = pairs_below(e, n)) {
        say_pairs(e, n, out);
        if (gyre_sign_flip_least(n) > GYRE_SIGNIFICANT) break; /* fewer show no more */
    }
}

static void add_unlike(const gyre_results *e, char *out, int elsewhere, int moved, int known) {
    if (e->single) {
        if (moved > 0) report_add(out, "The run was computed on unlike machines");
        return;
    }
    if (elsewhere > 0) {
        report_add(out, "%d of %d cells were computed on another machine than the first", elsewhere,
                   known);
    }
    if (moved == 0) return;
    report_add(out, "%s%d of %d cells %s computed on unlike machines", elsewhere > 0 ? "; " : "",
               moved, known, moved == 1 ? "was" : "were");
}

void report_machines(const gyre_results *e, char out[REPORT_SENTENCE_MAX]) {
    const gyre_study *s = e->study;
    const char *first = NULL;
    int elsewhere = 0, moved = 0, known = 0;
    *out = '\0';
    for (int i = 0; i < s->arm_count * s->seed_count; i++) {
        const gyre_cell_log *log = &e->cells[i].log;
        if (log->machine == NULL) continue;
        if (first == NULL) first = log->machine;
        known++;
        moved += log->moved;
        elsewhere += !log->moved && strcmp(log->machine, first) != 0;
    }
    add_unlike(e, out, elsewhere, moved, known);
    if (*out == '\0') return;
    report_add(out, " (processor, instruction set or libraries, which log.jsonl has): what they "
                    "computed may differ in the last bits, and training makes that larger.");
}

/* ---- arms that learned nothing */

static void tell_arm(const gyre_results *e, int arm, char *out) {
    char name[REPORT_NAME_MAX], mean[REPORT_UNIT_MAX];
    report_arm(e, arm, name);
    report_add(out, "%s%s: %s", *out == '\0' ? "No better than a guess: " : "; ", name,
               report_value(e->metric, e->arms[arm].final.mean, mean));
}

void report_guesses(const gyre_results *e, char out[REPORT_SENTENCE_MAX]) {
    int guessing = 0, known = 0;
    double chance = 0, shown = 0;
    char share[REPORT_NAME_MAX];
    *out = '\0';
    for (int arm = 0; arm < e->study->arm_count; arm++) {
        known += e->arms[arm].done > 0;
        if (!gyre_arm_guesses(e, arm, &chance)) continue;
        tell_arm(e, arm, out);
        shown = chance;
        guessing++;
    }
    if (guessing == 0) return;
    report_add(out, ". The most frequent class is %s of the samples.",
               gyre_metric_text(e->metric, shown, share, sizeof share));
    if (guessing == known && !e->single) report_add(out, " No arm learns.");
}

/* ---- what more seeds would tell */

void report_one_more(const gyre_results *e, const gyre_comparison *c,
                     char out[REPORT_SENTENCE_MAX]) {
    const int n = c->final.count;
    char arm[REPORT_NAME_MAX], control[REPORT_NAME_MAX], half[REPORT_UNIT_MAX];
    report_arm(e, c->arm, arm);
    report_arm(e, c->control, control);
    *out = '\0';
    report_add(
        out,
        "%s against %s: a seed more (%d instead of %d) lowers the smallest possible p from %.2g "
        "to %.2g",
        arm, control, n + 1, n, c->least, gyre_sign_flip_least(n + 1));
    if (n < 2) {
        report_add(out, ".");
        return;
    }
    double now = 0.5 * (c->final.interval.high - c->final.interval.low);
    double then = gyre_student_quantile(0.975, n) * c->final.sd / sqrt(n + 1);
    report_add(out, " and, if the spread stays, narrows the interval from ±%.*f to ±%s.",
               e->metric->decimals, now, report_difference(e->metric, then, false, half));
    const int questions = c->planned ? 1 : e->corrected_count;
    const int needed = gyre_seeds_needed(&c->final, questions);
    if (c->finding == GYRE_FINDING_BETTER || c->finding == GYRE_FINDING_WORSE) {
        report_add(out,
                   " The difference is shown already; more seeds would only measure it better.");
    } else if (report_is_nothing(e->metric, c->final.mean)) {
        report_add(out, " No difference was found that more seeds could show.");
    } else if (needed == 0) {
        report_add(out,
                   " At the difference found, more than 1000 seeds would be needed to show it.");
    } else if (needed > n) {
        report_add(out,
                   " At the difference and spread found, about %d seeds would be needed to show it",
                   needed);
        if (questions > 1) report_add(out, " among %d comparisons", questions);
        report_add(out, ".");
    } else {
        report_add(out, " Its interval leaves out 0 already; what is missing is a smaller p%s.",
                   c->planned
                       ? ""
                       : ", for which it would have to be the planned comparison or have more "
                         "seeds");
    }
}
