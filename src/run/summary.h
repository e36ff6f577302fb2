/* What a run will be, on stderr and in log.jsonl (rank 0 prints). Internal to src/run. */
#ifndef GYRE_RUN_SUMMARY_H
#define GYRE_RUN_SUMMARY_H

#include "run_state.h"

/* Collective. */
gyre_status run_summary(run_state *r);

#endif
