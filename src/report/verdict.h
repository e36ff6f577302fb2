/* What a study decides: verdict and choice. Internal to src/report. */
#ifndef GYRE_REPORT_VERDICT_H
#define GYRE_REPORT_VERDICT_H

#include "labels.h"

/* The one sentence of the page: of the planned comparison, else of each group's leader. */
void report_verdict(const gyre_results *e, int group, char out[REPORT_SENTENCE_MAX]);
/* Which arm the study would choose, and which ones cannot be told from it. */
void report_choice(const gyre_results *e, int group, char out[REPORT_SENTENCE_MAX]);
/* The comparison that a group's verdict is about; NULL: there is none. */
const gyre_comparison *report_main(const gyre_results *e, int group);

#endif
