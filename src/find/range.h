/* What the trials say: the range, its plateau, or why there is none. Internal to src/find. */
#ifndef GYRE_FIND_RANGE_H
#define GYRE_FIND_RANGE_H

#include "ladder.h"

/* The ladder that f's trials are of, as far as find_ladder_best() needs it. */
find_ladder find_ladder_of(const gyre_find *f);

/* f->range from f->cycles; UNTRIED unless they are complete. */
gyre_status find_decide_range(gyre_find *f);

#endif
