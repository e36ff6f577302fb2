/* What all curves of a range test say together, and its trials. Internal to src/find. */
#ifndef GYRE_FIND_VERDICT_H
#define GYRE_FIND_VERDICT_H

#include "gyre/find.h"

enum { FIND_STEPSIZE = 4 /* epochs, suggested */ };

/* f->repeats and f->verdict from its rows and scores. */
gyre_status find_decide(gyre_find *f);

/* f->verified from its trials. */
void find_decide_trials(gyre_find *f);

#endif
