/* What a person sees of a study under way: on a terminal a table of arms x seeds, elsewhere a line
 * for each cell that begins, and one when it has ended. Internal to src/study. */
#ifndef GYRE_STUDY_PROGRESS_H
#define GYRE_STUDY_PROGRESS_H

#include "gyre/study.h"

typedef struct study_progress study_progress;

/* `draws`: this process may draw the table; if there is no terminal it prints lines, as others do
 * in any case. */
gyre_status study_progress_open(const gyre_study *s, bool draws, bool quiet, study_progress **out);
void study_progress_close(study_progress *t);

/* A cell begins; `left` cells are this part's, itself included. */
void study_progress_begin(study_progress *t, gyre_study_cell c, int64_t left);
void study_progress_step(study_progress *t, int64_t completed, int64_t steps, double metric);
void study_progress_skip(study_progress *t); /* it was not this part's to run */
void study_progress_end(study_progress *t, const gyre_cell_result *result);

#endif
