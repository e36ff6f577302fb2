/* result.json of a cell. Internal to src/study. */
#ifndef GYRE_STUDY_CELL_RESULT_H
#define GYRE_STUDY_CELL_RESULT_H

#include "gyre/study.h"

/* Writes it into the cell's run folder, atomically; makes the folder where there is none. */
gyre_status study_result_write(const char *folder, const char *arm, uint64_t seed,
                               const gyre_cell_result *r);

/* gyre_study_result for what runs cells: a result.json that is there but not as gyre writes it,
 * such as one that a full disk or a crash has cut short, is no error but *damaged. The cell then
 * counts as GYRE_CELL_INTERRUPTED, and the recorded error text says what is wrong. */
gyre_status study_result_look(const gyre_study *s, int arm, int seed, gyre_cell_result *out,
                              bool *damaged);

#endif
