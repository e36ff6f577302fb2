/* Sentences of a report. A difference is called one only when its p, corrected unless it was
 * planned, is at most 0.05; what so few seeds cannot show is said to be that, and not "no effect".
 */
#include "words.h"

#include "plot_run.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
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
    for (char *c = out; *c != '\0' && !e->single; c++) {
        if (*c == '-' || *c == '_') *c = ' ';
    }
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

void gyre_words_comparison(const gyre_evidence *e, const gyre_comparison *c,
                           char out[GYRE_SENTENCE_MAX]) {
    char arm[GYRE_NAME_MAX], control[GYRE_NAME_MAX];
    gyre_words_arm(e, c->arm, arm);
    gyre_words_arm(e, c->control, control);
    *out = '\0';
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

static int most_pairs(const gyre_evidence *e) {
    int most = 0;
    for (int i = 0; i < e->comparison_count; i++) {
        if (e->comparisons[i].final.count > most) most = e->comparisons[i].final.count;
    }
    return most;
}

void gyre_words_correction(const gyre_evidence *e, char out[GYRE_SENTENCE_MAX]) {
    const int n = most_pairs(e), others = e->corrected_count;
    const double least = gyre_sign_flip_least(n);
    const bool planned = e->study->planned_arm >= 0;
    *out = '\0';
    if (n < 2) return;
    gyre_words_add(
        out,
        "%s %d comparison%s corrected together (Holm). With %d seeds the smallest possible p "
        "is %.2g",
        planned ? "One comparison was planned; the other" : "No comparison was planned; all",
        others, others == 1 ? " is" : "s are", n, least);
    if (least > GYRE_SIGNIFICANT) {
        gyre_words_add(out, ": no comparison at all can be shown; 6 seeds are the least that can.");
    } else if (others * least <= GYRE_SIGNIFICANT) {
        gyre_words_add(out, ", corrected %.2g: each of them can be shown.", others * least);
    } else {
        gyre_words_add(out, ", corrected %.2g: ", fmin(1, others * least));
        gyre_words_add(
            out, planned ? "only the planned one can survive."
                         : "none can survive; one that the study file names as planned could.");
    }
}
