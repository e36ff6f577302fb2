/* Time as the program measures it: for progress, limits and profiles, never for a bit of a run. */
#ifndef GYRE_CLOCK_H
#define GYRE_CLOCK_H

/* Seconds since some moment before the program began; never goes back. */
double gyre_clock(void);

#endif
