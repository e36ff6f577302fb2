/* A run folder as the results of a study of one cell. Internal to src/study. */
#ifndef GYRE_STUDY_RESULTS_RUN_H
#define GYRE_STUDY_RESULTS_RUN_H

#include "gyre/results.h"

/* Fills in study, cells and arms. GYRE_EIO when the run has no steps yet. */
gyre_status study_results_of_run(const char *folder, gyre_results *out);
void study_results_run_close(gyre_study *s);

#endif
