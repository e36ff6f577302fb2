/* Studies made by hand, three arms and up to 20 seeds, for tests of summaries and sentences. */
#ifndef REPORT_RIG_H
#define REPORT_RIG_H

#include "../../src/report/labels.h"
#include "../../src/report/sentences.h"
#include "../../src/report/verdict.h"
#include "../../src/study/summary.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { SEEDS = 20, CONTROL = 0, FIVE = 1, TWENTY = 2, ARMS = 3 };

typedef struct {
    gyre_study_arm arms[ARMS];
    char *groups[1];
    uint64_t seeds[SEEDS];
    gyre_study study;
    gyre_results_cell cells[ARMS * SEEDS];
    gyre_results_arm arm_evidence[ARMS];
    gyre_results e;
} rig;

static char midpoint[] = "midpoint", five[] = "5-cycles", twenty[] = "20-cycles", empty[] = "";

/* Accuracies in %; all cells done. Arm 0 is the control; arm 1 was planned against it. */
static inline void open_rig(rig *r, int seeds, bool planned) {
    *r = (rig){0};
    r->arms[CONTROL] = (gyre_study_arm){.name = midpoint, .sentence = empty, .control = true};
    r->arms[FIVE] = (gyre_study_arm){.name = five, .sentence = empty};
    r->arms[TWENTY] = (gyre_study_arm){.name = twenty, .sentence = empty};
    r->groups[0] = empty;
    r->study = (gyre_study){.name = empty,
                            .arms = r->arms,
                            .arm_count = ARMS,
                            .groups = r->groups,
                            .group_count = 1,
                            .seeds = r->seeds,
                            .seed_count = seeds,
                            .planned_arm = planned ? FIVE : -1,
                            .planned_control = planned ? CONTROL : -1};
    for (int i = 0; i < ARMS * seeds; i++) {
        gyre_cell_result *c = &r->cells[i].result;
        *c = (gyre_cell_result){.state = GYRE_CELL_DONE, .loss = 1, .test_metric = NAN};
        c->metric = c->best_metric = 0.5 + 0.001 * (i % seeds);
    }
    r->e = (gyre_results){.study = &r->study,
                          .metric = gyre_metric_of_loss(NULL),
                          .cells = r->cells,
                          .arms = r->arm_evidence};
}

static inline gyre_cell_result *cell(rig *r, int arm, int seed) {
    return &r->cells[arm * r->study.seed_count + seed].result;
}

/* Adds points to an arm's accuracies, by turns a little more and less. */
static inline void raise(rig *r, int arm, double points, double spread) {
    for (int i = 0; i < r->study.seed_count; i++) {
        cell(r, arm, i)->metric += (points + (i % 2 == 0 ? spread : -spread)) / 100;
    }
}

static inline void summarise(rig *r) {
    assert_int_equal(study_summarise(&r->e, NAN), GYRE_OK);
}

static inline void close_rig(rig *r) {
    free(r->e.comparisons);
    free(r->e.main_control);
    free(r->e.target);
    free(r->e.rankings);
}

/* After summarise(): forgets what it found, so that changed cells can be summarised. */
static inline void forget(rig *r) {
    close_rig(r);
    memset(r->arm_evidence, 0, sizeof r->arm_evidence);
    r->e.comparison_count = 0;
}

static inline void expect_sentence(rig *r, int arm, const char *expected) {
    char sentence[REPORT_SENTENCE_MAX];
    const gyre_comparison *c = gyre_results_comparison(&r->e, arm, CONTROL);
    assert_non_null(c);
    report_comparison(&r->e, c, sentence);
    assert_string_equal(sentence, expected);
}

#endif
