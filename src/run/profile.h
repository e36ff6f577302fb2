/* Where the time of a step goes: seconds by phase of the step, and by layer inside the gradients.
 *
 * Measured on one rank by reading a clock; the first steps of a launch, which make primitives, are
 * left out. Internal to src/run. */
#ifndef GYRE_RUN_PROFILE_H
#define GYRE_RUN_PROFILE_H

#include "gyre/net.h"
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

typedef enum {
    RUN_PHASE_OUTSIDE, /* between two steps: rows, evaluation, checkpoints */
    RUN_PHASE_LOADER,  /* waiting for a batch */
    RUN_PHASE_GRADIENTS,
    RUN_PHASE_REDUCE,
    RUN_PHASE_UPDATE,
    RUN_PHASE_AGREE, /* waiting for the other ranks at the step's end */
    RUN_PHASE_COUNT
} run_phase;

/* The phase in words, for the watchdog and for people. */
const char *run_phase_name(run_phase phase);

typedef struct gyre_profile {
    int64_t first; /* update from which on it measures: those before it make primitives */
    bool on;
    int64_t steps;
    run_phase phase;
    double since, seconds[RUN_PHASE_COUNT];
} gyre_profile;

/* Begins, with the net's layers. */
gyre_status run_profile_begin(gyre_profile *p, gyre_net *net);
/* The time until now belonged to the phase before. NULL is fine. */
void run_profile_enter(gyre_profile *p, run_phase phase);
/* How the table begins, so that gyre knows its own. */
#define RUN_PROFILE_MARK "profile of rank 0: "
/* A table, in milliseconds per step. */
void run_profile_print(const gyre_profile *p, const gyre_net *net, FILE *out);

#endif
