/* Values of the metric, and names of quantities, with their units. Internal to src/report.
 *
 * Values are as people read them (gyre_metric_shown). Each text is cut to REPORT_UNIT_MAX bytes and
 * returned. */
#ifndef GYRE_REPORT_UNITS_H
#define GYRE_REPORT_UNITS_H

#include "gyre/metric.h"
#include <stdbool.h>

enum { REPORT_UNIT_MAX = 128 };

/* "81.25 %" */
const char *report_value(const gyre_metric *m, double value, char out[REPORT_UNIT_MAX]);
/* "0.41 points", a difference of two values; with a sign "+0.41 points". */
const char *report_difference(const gyre_metric *m, double difference, bool sign,
                              char out[REPORT_UNIT_MAX]);
/* The same of a metric without a unit: "0.0410 in mean absolute error". */
const char *report_difference_of(const gyre_metric *m, double difference, bool sign,
                                 char out[REPORT_UNIT_MAX]);
/* "%.2f", how values and differences without their unit are printed; with a sign "%+.2f". */
const char *report_number(const gyre_metric *m, bool sign, char out[REPORT_UNIT_MAX]);

/* "NAME (UNIT; NOTE)" for axes and heads; unit and note may be "". */
const char *report_quantity(const char *name, const char *unit, const char *note,
                            char out[REPORT_UNIT_MAX]);
/* The metric's name as the first word of a sentence: "Mean absolute error". */
const char *report_capital(const gyre_metric *m, char out[REPORT_UNIT_MAX]);

/* "highest", what the best value is; and where better ones lie: "above", "right". */
const char *report_best(const gyre_metric *m);
const char *report_above(const gyre_metric *m);
const char *report_right(const gyre_metric *m);

/* Are values with this difference equal to the last roundings? */
bool report_is_nothing(const gyre_metric *m, double difference);

#endif
