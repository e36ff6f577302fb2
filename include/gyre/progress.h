/* What a person sees during a run: on a terminal one line, rewritten; elsewhere a plain line
 * now and then. */
#ifndef GYRE_PROGRESS_H
#define GYRE_PROGRESS_H

#include "gyre/status_line.h"
#include <stdbool.h>
#include <stdint.h>

typedef struct {
    bool silent;
    gyre_status_line line;
    double begun, last;       /* times, seconds */
    int64_t first, last_step; /* completed updates at begin, and at the last line */
} gyre_progress;

typedef struct {
    int64_t completed, steps, cycle, cycles; /* cycle from 1; cycles 0: none */
    int64_t batch;
    double lr, loss;
} gyre_progress_facts;

/* `silent`: other ranks than 0, or --quiet. */
gyre_progress gyre_progress_begin(bool silent, int64_t completed);
void gyre_progress_show(gyre_progress *p, const gyre_progress_facts *facts);
/* Takes the line off the terminal, before something else is printed. */
void gyre_progress_clear(gyre_progress *p);
void gyre_progress_end(gyre_progress *p);

/* Samples a second since the line before, or since the beginning where that is too short a time. */
double gyre_progress_rate(const gyre_progress *p, int64_t completed, int64_t batch, double now);

#endif
