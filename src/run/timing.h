/* How long a run has trained, launches before this one included, and how long each row took.
 * Internal to src/run. */
#ifndef GYRE_RUN_TIMING_H
#define GYRE_RUN_TIMING_H

typedef struct {
    double begun;  /* clock of this launch */
    double before; /* seconds of the launches before */
    double row;    /* when the last row's update ended, later by pauses since */
} run_timing;

/* Begins now. */
run_timing run_timing_begin(double before);
/* Seconds of training until now, and until `time` of gyre_clock(). */
double run_timing_seconds(const run_timing *t);
double run_timing_at(const run_timing *t, double time);
/* A row whose update ended at `time`: seconds since the one before, without pauses. */
double run_timing_row(run_timing *t, double time);
/* What was done since `begun` is no training: evaluation, a checkpoint. */
void run_timing_pause(run_timing *t, double begun);

#endif
