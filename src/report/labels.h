/* The parts that sentences and tables share. Internal to src/report.
 *
 * Each writes into `out`, cut to its size; plain text, to be escaped by who puts it into a page. */
#ifndef GYRE_REPORT_LABELS_H
#define GYRE_REPORT_LABELS_H

#include "gyre/results.h"
#include "units.h"
#include <stdbool.h>
#include <stddef.h>

enum { REPORT_SENTENCE_MAX = 1024, REPORT_NAME_MAX = 128 };

/* Appends to a sentence. */
void report_add(char *out, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* An arm as one speaks of it: "10 cycles", "the constant midpoint". */
void report_arm(const gyre_results *e, int arm, char out[REPORT_NAME_MAX]);
/* "p = 0.031", "p < 0.001"; `kind` is put before: "corrected ". */
void report_p(const char *kind, double p, char out[REPORT_NAME_MAX]);
const char *report_state_key(gyre_cell_state state);  /* one word, for tables */
const char *report_state(const gyre_results_cell *c); /* and what is odd about it */
const char *report_finding(gyre_finding finding);     /* one word, for tables */
const char *report_part(const gyre_results *e);       /* "validation", "test": what is measured */
/* The unit of the losses of a group's arms (losses.h). */
const char *report_loss_unit(const gyre_results *e, int group, char out[REPORT_UNIT_MAX]);

#endif
