#ifndef GYRE_RUN_FIND_RULES_H
#define GYRE_RUN_FIND_RULES_H
#include "gyre/find.h"
enum { GYRE_FIND_STEPS_MIN = 20 };
gyre_status gyre_find_judge(gyre_find *f);
#endif
