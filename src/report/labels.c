/* The parts that sentences and tables share: names of arms, states, findings. */
#include "labels.h"

#include "gyre/text.h"
#include "losses.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void report_add(char *out, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    gyre_text_add_list(out, REPORT_SENTENCE_MAX, format, arguments);
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

/* "10-cycles" and "stepsize-4-epochs", the names that gyre gives, are written with blanks: "10
 * cycles". Those that a person gave stay, for "a-b" and "a_b" may be two arms, and "lr-1e-3" is one
 * number. */
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

void report_arm(const gyre_results *e, int arm, char out[REPORT_NAME_MAX]) {
    static const char *const controls[][2] = {{"midpoint", "the constant midpoint"},
                                              {"max_lr", "the constant maximum"},
                                              {"linear", "the linear decay"}};
    const gyre_study_arm *a = &e->study->arms[arm];
    size_t length = length_in_group(a->name, e->study->groups[a->group]);
    snprintf(out, REPORT_NAME_MAX, "%.*s", (int)length, a->name);
    for (size_t i = 0; a->control && i < sizeof controls / sizeof controls[0]; i++) {
        if (strcmp(out, controls[i][0]) == 0) {
            snprintf(out, REPORT_NAME_MAX, "%s", controls[i][1]);
            return;
        }
    }
    if (!e->single) unhyphen(out);
}

void report_p(const char *kind, double p, char out[REPORT_NAME_MAX]) {
    if (p < 0.001) {
        snprintf(out, REPORT_NAME_MAX, "%sp < 0.001", kind);
    } else {
        snprintf(out, REPORT_NAME_MAX, "%sp = %.2g", kind, p);
    }
}

const char *report_state_key(gyre_cell_state state) {
    switch (state) {
    case GYRE_CELL_MISSING: return "missing";
    case GYRE_CELL_INTERRUPTED: return "interrupted";
    case GYRE_CELL_DONE: return "done";
    case GYRE_CELL_DIVERGED: return "diverged";
    case GYRE_CELL_FAILED: return "failed";
    }
    return "unknown";
}

const char *report_state(const gyre_results_cell *c) {
    if (c->result.state != GYRE_CELL_DONE || gyre_cell_counts(c)) {
        return report_state_key(c->result.state);
    }
    return "done, without a finite result";
}

const char *report_finding(gyre_finding finding) {
    switch (finding) {
    case GYRE_FINDING_NOTHING: return "no pairs";
    case GYRE_FINDING_TOO_FEW: return "too few seeds";
    case GYRE_FINDING_NONE: return "not shown";
    case GYRE_FINDING_BETTER: return "better";
    case GYRE_FINDING_WORSE: return "worse";
    }
    return "unknown";
}

const char *report_part(const gyre_results *e) {
    for (int i = 0; i < e->study->arm_count; i++) {
        const gyre_settings *s = e->arms[i].settings;
        if (s != NULL) return s->data.validation == GYRE_VALIDATION_TEST ? "test" : "validation";
    }
    return "validation";
}

const char *report_loss_unit(const gyre_results *e, int group, char out[REPORT_UNIT_MAX]) {
    report_losses losses = {.count = 0};
    for (int i = 0; i < e->study->arm_count; i++) {
        const gyre_settings *s = e->arms[i].settings;
        if (s != NULL && e->study->arms[i].group == group) {
            report_losses_add(&losses, s->model.loss);
        }
    }
    return report_losses_unit(&losses, out);
}
