/* Has a network learned more than which class is the most frequent? Internal to src/run. */
#ifndef GYRE_CHANCE_H
#define GYRE_CHANCE_H

#include "gyre/dataset.h"
#include <stdbool.h>

/* The share of the most frequent class among the view's samples; NaN when there are none. */
double run_chance(const gyre_view *view, int classes);
/* Is a metric that is a share of so many samples above it by more than chance explains (95 %)? */
bool run_chance_beaten(double metric, double chance, int64_t samples);

#endif
