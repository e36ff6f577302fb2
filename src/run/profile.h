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
    GYRE_PHASE_OUTSIDE, /* between two steps: rows, evaluation, checkpoints */
    GYRE_PHASE_LOADER,  /* waiting for a batch */
    GYRE_PHASE_GRADIENTS,
    GYRE_PHASE_REDUCE,
    GYRE_PHASE_UPDATE,
    GYRE_PHASE_AGREE, /* waiting for the other ranks at the step's end */
    GYRE_PHASE_COUNT
} gyre_phase;

/* The phase in words, for the watchdog and for people. */
const char *gyre_phase_words(gyre_phase phase);

typedef struct gyre_profile {
    int64_t first; /* update from which on it measures: those before it make primitives */
    bool on;
    int64_t steps;
    gyre_phase phase;
    double since, seconds[GYRE_PHASE_COUNT];
} gyre_profile;

/* Begins, with the net's layers. */
gyre_status gyre_profile_begin(gyre_profile *p, gyre_net *net);
/* The time until now belonged to the phase before. NULL is fine. */
void gyre_profile_enter(gyre_profile *p, gyre_phase phase);
/* How the table begins, so that gyre knows its own. */
#define GYRE_PROFILE_MARK "profile of rank 0: "
/* A table, in milliseconds per step. */
void gyre_profile_print(const gyre_profile *p, const gyre_net *net, FILE *out);

#endif
