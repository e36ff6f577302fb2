/* What both local response normalisations share. Internal to src/backend/cpu. */
#ifndef GYRE_CPU_LRN_H
#define GYRE_CPU_LRN_H

#include <stddef.h>

/* From sums(n): s = bias + factor sum in their place, and power(n) = s^-beta. */
void lrn_power(float beta, float bias, float factor, size_t n, float *s, float *power);

#endif
