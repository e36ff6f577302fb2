/* The system's monotonic clock as seconds. */
#include "gyre/clock.h"

#include <time.h>

double gyre_clock(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
