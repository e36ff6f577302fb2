/* What arms differ in. Internal to src/report. */
#ifndef GYRE_REPORT_DIFFERING_H
#define GYRE_REPORT_DIFFERING_H

#include "labels.h"

/* The keys, besides those of the schedule, in which two arms differ: "optimizer.momentum, the
 * dataset"; "" when there are none. Of an arm that was not begun the dataset alone is known. */
gyre_status report_differing(const gyre_results *e, int arm, int other,
                             char out[REPORT_SENTENCE_MAX]);
/* The same of all arms that are compared with each other. */
gyre_status report_all_differing(const gyre_results *e, char out[REPORT_SENTENCE_MAX]);

#endif
