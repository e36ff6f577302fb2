/* A run folder told as a study of one cell. Internal to src/report. */
#ifndef GYRE_EVIDENCE_RUN_H
#define GYRE_EVIDENCE_RUN_H

#include "evidence.h"

/* Fills in study, cells and arms. GYRE_EIO when the run has no steps yet. */
gyre_status gyre_evidence_run(const char *folder, gyre_evidence *out);
void gyre_evidence_run_close(gyre_study *s);

#endif
