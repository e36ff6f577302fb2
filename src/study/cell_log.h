/* Reading a cell's log.jsonl. Internal to src/study. */
#ifndef GYRE_STUDY_CELL_LOG_H
#define GYRE_STUDY_CELL_LOG_H

#include "gyre/results.h"

/* `metric` NULL: not known, and so is none on the test part. */
void study_cell_log_read(const char *folder, const gyre_metric *metric, gyre_cell_log *out);
void study_cell_log_close(gyre_cell_log *log);

#endif
