/* What a person sees of a study under way: on a terminal a table of arms x seeds, elsewhere a line
 * for each cell that has ended. Internal to src/study. */
#ifndef GYRE_STUDY_TABLE_H
#define GYRE_STUDY_TABLE_H

#include "gyre/study.h"

typedef struct study_table study_table;

/* `draws`: this process may draw the table; if there is no terminal it prints lines, as others do
 * in any case. */
gyre_status study_table_open(const gyre_study *s, bool draws, bool quiet, study_table **out);
void study_table_close(study_table *t);

/* A cell begins; `left` cells are this part's, itself included. */
void study_table_begin(study_table *t, gyre_study_cell c, int64_t left);
void study_table_step(study_table *t, double share, double accuracy);
void study_table_skip(study_table *t); /* it was not this part's to run */
void study_table_end(study_table *t, const gyre_cell_result *result);

#endif
