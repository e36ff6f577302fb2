/* The beginning of a run that goes on from another one. Internal to src/run. */
#ifndef GYRE_RUN_BRANCH_H
#define GYRE_RUN_BRANCH_H

#include "gyre/run.h"
#include "save.h"

/* Copies the tables of the other run, and its best.h5 if that is of the steps up to there. Rank
 * 0's part, before the new run's files are opened. */
gyre_status run_branch_copy(const gyre_branch *b, const gyre_run_folder *to);
/* Writes the checkpoint that the new run begins with, so that it needs the other one no more, and a
 * line of the log. Collective. */
gyre_status run_branch_begin(const gyre_branch *b, gyre_trainer *t, run_files *files,
                             run_saver *saver);

#endif
