/* gyre eval --ensemble. Internal to src/cli. */
#ifndef GYRE_CLI_ENSEMBLE_H
#define GYRE_CLI_ENSEMBLE_H

#include "gyre/comm.h"
#include "gyre/run.h"

/* Scores the ensembles of a run's snapshots and prints them. Collective. */
gyre_status cli_ensemble(const gyre_evaluated *what, gyre_comm *comm);

#endif
