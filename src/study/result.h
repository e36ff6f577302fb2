/* result.json of a cell. Internal to src/study. */
#ifndef GYRE_STUDY_RESULT_H
#define GYRE_STUDY_RESULT_H

#include "gyre/study.h"

/* Writes it into the cell's run folder, atomically; makes the folder where there is none. */
gyre_status study_result_write(const char *folder, const char *arm, uint64_t seed,
                               const gyre_cell_result *r);

#endif
