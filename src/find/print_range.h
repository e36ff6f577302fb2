/* Trials as a text table, and what they say. Internal to src/find. */
#ifndef GYRE_FIND_PRINT_RANGE_H
#define GYRE_FIND_PRINT_RANGE_H

#include "gyre/find.h"

void find_print_ladder(const gyre_find *f, FILE *out);
void find_print_range(const gyre_find *f, FILE *out);

#endif
