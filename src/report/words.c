/* Sentences of a report. A difference is called one only when its p, corrected unless it was
 * planned, is at most 0.05; what so few seeds cannot show is said to be that, and not "no effect".
 */
#include "words.h"

#include "plot_run.h"
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void gyre_words_add(char *out, const char *format, ...) {
    size_t used = strlen(out);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(out + used, GYRE_SENTENCE_MAX - used, format, arguments);
    va_end(arguments);
}

/* ---- names */

/* "10-cycles-2000-images" in the group "2000 images" is "10-cycles". */
static size_t length_in_group(const char *name, const char *group) {
    size_t all = strlen(name), tail = strlen(group);
    if (tail == 0 || all < tail + 2) return all;
    const char *from = name + all - tail;
    for (size_t i = 0; i < tail; i++) {
        if (from[i] != (group[i] == ' ' ? '-' : group[i])) return all;
    }
    return from[-1] == '-' ? all - tail - 1 : all;
}

/* "10-cycles" and "stepsize-4-epochs", the names that gyre gives, become words. Those that a person
 * gave stay, for "a-b" and "a_b" may be two arms, and "lr-1e-3" is one number. */
static void unhyphen(char *name) {
    static const char *const tails[] = {"-cycle", "-cycles", "-epoch", "-epochs"};
    const char *const head = "stepsize-";
    bool stepsize = strncmp(name, head, strlen(head)) == 0;
    char *number = stepsize ? name + strlen(head) : name, *end = NULL;
    if (*number < '0' || *number > '9') return;
    strtod(number, &end);
    for (int i = 0; i < 2; i++) {
        if (strcmp(end, tails[stepsize ? 2 + i : i]) != 0) continue;
        *end = ' ';
        if (stepsize) number[-1] = ' ';
        return;
    }
}

void gyre_words_arm(const gyre_evidence *e, int arm, char out[GYRE_NAME_MAX]) {
    static const char *const controls[][2] = {{"midpoint", "the constant midpoint"},
                                              {"max_lr", "the constant maximum"},
                                              {"linear", "the linear decay"}};
    const gyre_study_arm *a = &e->study->arms[arm];
    size_t length = length_in_group(a->name, e->study->groups[a->group]);
    snprintf(out, GYRE_NAME_MAX, "%.*s", (int)length, a->name);
    for (size_t i = 0; a->control && i < sizeof controls / sizeof controls[0]; i++) {
        if (strcmp(out, controls[i][0]) == 0) {
            snprintf(out, GYRE_NAME_MAX, "%s", controls[i][1]);
            return;
        }
    }
    if (!e->single) unhyphen(out);
}

void gyre_words_p(const char *kind, double p, char out[GYRE_NAME_MAX]) {
    if (p < 0.001) {
        snprintf(out, GYRE_NAME_MAX, "%sp < 0.001", kind);
    } else {
        snprintf(out, GYRE_NAME_MAX, "%sp = %.2g", kind, p);
    }
}

const char *gyre_words_state_key(gyre_cell_state state) {
    switch (state) {
    case GYRE_CELL_MISSING: return "missing";
    case GYRE_CELL_INTERRUPTED: return "interrupted";
    case GYRE_CELL_DONE: return "done";
    case GYRE_CELL_DIVERGED: return "diverged";
    case GYRE_CELL_FAILED: return "failed";
    }
    return "unknown";
}

const char *gyre_words_state(const gyre_evidence_cell *c) {
    if (c->result.state != GYRE_CELL_DONE || gyre_cell_counts(c)) {
        return gyre_words_state_key(c->result.state);
    }
    return "done, without a finite result";
}

const char *gyre_words_finding(gyre_finding finding) {
    switch (finding) {
    case GYRE_FINDING_NOTHING: return "no pairs";
    case GYRE_FINDING_TOO_FEW: return "too few seeds";
    case GYRE_FINDING_NONE: return "not shown";
    case GYRE_FINDING_BETTER: return "better";
    case GYRE_FINDING_WORSE: return "worse";
    }
    return "unknown";
}

const char *gyre_words_part(const gyre_evidence *e) {
    for (int i = 0; i < e->study->arm_count; i++) {
        const gyre_settings *s = e->arms[i].settings;
        if (s != NULL) return s->data.validation == GYRE_VALIDATION_TEST ? "test" : "validation";
    }
    return "validation";
}

/* ---- one comparison */

static void say_numbers(const gyre_comparison *c, double sign, char *out) {
    char p[GYRE_NAME_MAX];
    double low = sign < 0 ? -c->final.interval.high : c->final.interval.low;
    double high = sign < 0 ? -c->final.interval.low : c->final.interval.high;
    gyre_words_p(c->planned ? "" : "corrected ", c->corrected, p);
    gyre_words_add(out, " (95 %% interval %.2f to %.2f, %d seeds, %s)", low, high, c->final.count,
                   p);
}

static void say_too_few(const gyre_evidence *e, const gyre_comparison *c, char *out) {
    gyre_words_add(out, "no difference that %d seeds could show", c->final.count);
    if (c->least > GYRE_SIGNIFICANT) {
        gyre_words_add(out, " (smallest possible p is %.2g)", c->least);
    } else {
        gyre_words_add(out, " among %d comparisons (smallest possible corrected p is %.2g)",
                       e->corrected_count, c->corrected_least);
    }
    gyre_words_add(out, "; on average %+.2f points (95 %% interval %.2f to %.2f).", c->final.mean,
                   c->final.interval.low, c->final.interval.high);
}

/* First of all: whatever follows is about the seeds with which neither did. */
static void say_diverged(const gyre_evidence *e, const gyre_comparison *c, char *out) {
    const int arm = e->arms[c->arm].diverged, control = e->arms[c->control].diverged;
    char name[GYRE_NAME_MAX];
    if (arm == 0 && control == 0) return;
    if (arm > 0) {
        gyre_words_arm(e, c->arm, name);
        gyre_words_add(out, "%s diverged with %d", name, arm);
    }
    if (control > 0) {
        gyre_words_arm(e, c->control, name);
        gyre_words_add(out, arm > 0 ? ", %s with %d" : "%s diverged with %d", name, control);
    }
    gyre_words_add(out, " of %d seeds. ", e->study->seed_count);
    if (c->final.count > 1) gyre_words_add(out, "Where both finished, ");
}

void gyre_words_comparison(const gyre_evidence *e, const gyre_comparison *c,
                           char out[GYRE_SENTENCE_MAX]) {
    char arm[GYRE_NAME_MAX], control[GYRE_NAME_MAX];
    gyre_words_arm(e, c->arm, arm);
    gyre_words_arm(e, c->control, control);
    *out = '\0';
    say_diverged(e, c, out);
    switch (c->finding) {
    case GYRE_FINDING_NOTHING:
        gyre_words_add(out, "%s against %s: nothing to compare, %s.", arm, control,
                       c->final.count == 0 ? "no seed has both done"
                                           : "one seed alone has both done");
        return;
    case GYRE_FINDING_TOO_FEW:
        gyre_words_add(out, "%s against %s: ", arm, control);
        say_too_few(e, c, out);
        return;
    case GYRE_FINDING_NONE:
        gyre_words_add(out, "%s against %s: no difference was shown, on average %+.2f points", arm,
                       control, c->final.mean);
        say_numbers(c, 1, out);
        break;
    case GYRE_FINDING_BETTER:
        gyre_words_add(out, "%s beat %s by %.2f points", arm, control, c->final.mean);
        say_numbers(c, 1, out);
        break;
    case GYRE_FINDING_WORSE:
        gyre_words_add(out, "%s fell short of %s by %.2f points", arm, control, -c->final.mean);
        say_numbers(c, -1, out);
        break;
    }
    gyre_words_add(out, ".");
}

/* ---- all comparisons */

/* The greatest number of pairs of a comparison that is less than `below`; 0: there is none. */
static int pairs_below(const gyre_evidence *e, int below) {
    int most = 0;
    for (int i = 0; i < e->comparison_count; i++) {
        int count = e->comparisons[i].final.count;
        if (count < below && count > most) most = count;
    }
    return most;
}

/* What n pairs can show. All corrected comparisons of n pairs have the same least p. */
static void say_pairs(const gyre_evidence *e, int n, char *out) {
    const double least = gyre_sign_flip_least(n);
    const gyre_comparison *other = NULL;
    bool planned = false;
    for (int i = 0; i < e->comparison_count; i++) {
        const gyre_comparison *c = &e->comparisons[i];
        if (c->final.count != n) continue;
        planned |= c->planned;
        if (!c->planned) other = c;
    }
    gyre_words_add(out, " With %d seeds the smallest possible p is %.2g", n, least);
    if (other != NULL && least <= GYRE_SIGNIFICANT) {
        gyre_words_add(out, ", corrected %.2g", other->corrected_least);
    }
    if (least > GYRE_SIGNIFICANT) {
        gyre_words_add(out, ": no comparison at all can be shown; 6 seeds are the least that can.");
    } else if (other == NULL) {
        gyre_words_add(out, ": the planned comparison can be shown.");
    } else if (other->corrected_least <= GYRE_SIGNIFICANT) {
        gyre_words_add(out, ": each of them can be shown.");
    } else if (planned) {
        gyre_words_add(out, ": only the planned one can survive.");
    } else {
        gyre_words_add(out, e->study->planned_arm >= 0
                                ? ": none of them can survive."
                                : ": none can survive; one that the study file names as planned "
                                  "could.");
    }
}

void gyre_words_correction(const gyre_evidence *e, char out[GYRE_SENTENCE_MAX]) {
    const int others = e->corrected_count;
    *out = '\0';
    if (pairs_below(e, INT_MAX) < 2) return;
    if (e->study->planned_arm < 0) {
        gyre_words_add(out,
                       "No comparison was planned; all %d comparison%s corrected together (Holm).",
                       others, others == 1 ? " is" : "s are");
    } else if (others > 0) {
        gyre_words_add(out,
                       "One comparison was planned; the other %d comparison%s corrected together "
                       "(Holm).",
                       others, others == 1 ? " is" : "s are");
    }
    for (int n = pairs_below(e, INT_MAX); n > 1; n = pairs_below(e, n)) {
        say_pairs(e, n, out);
        if (gyre_sign_flip_least(n) > GYRE_SIGNIFICANT) break; /* fewer show no more */
    }
}

static void add_unlike(const gyre_evidence *e, char *out, int elsewhere, int moved, int known) {
    if (e->single) {
        if (moved > 0) gyre_words_add(out, "The run was computed on unlike machines");
        return;
    }
    if (elsewhere > 0) {
        gyre_words_add(out, "%d of %d cells were computed on another machine than the first",
                       elsewhere, known);
    }
    if (moved == 0) return;
    gyre_words_add(out, "%s%d of %d cells %s computed on unlike machines",
                   elsewhere > 0 ? "; " : "", moved, known, moved == 1 ? "was" : "were");
}

void gyre_words_machines(const gyre_evidence *e, char out[GYRE_SENTENCE_MAX]) {
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
    gyre_words_add(out,
                   " (processor, instruction set or libraries, which log.jsonl has): what they "
                   "computed may differ in the last bits, and training makes that larger.");
}
