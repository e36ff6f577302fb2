/* Seconds of a run; see timing.h. */
#include "timing.h"

#include "gyre/clock.h"

run_timing run_timing_begin(double before) {
    double now = gyre_clock();
    return (run_timing){.begun = now, .before = before, .row = now};
}

double run_timing_at(const run_timing *t, double time) {
    return t->before + time - t->begun;
}

double run_timing_seconds(const run_timing *t) {
    return run_timing_at(t, gyre_clock());
}

double run_timing_row(run_timing *t, double time) {
    double seconds = time - t->row;
    t->row = time;
    return seconds;
}

void run_timing_pause(run_timing *t, double begun) {
    t->row += gyre_clock() - begun;
}
