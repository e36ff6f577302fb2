/* Elementary functions whose bits do not depend on the machine.
 *
 * libm chooses its code by processor, so its last bits change when FMA is present. These use plain
 * IEEE additions, multiplications, divisions and square roots in a fixed order (the project is
 * built with -ffp-contract=off). No function here may decide a bit of a run through libm. */
#ifndef GYRE_REALMATH_H
#define GYRE_REALMATH_H

#include <stdint.h>

double gyre_exp(double x);   /* <= 1 ulp */
double gyre_log(double x);   /* <= 1 ulp, x > 0 */
double gyre_cospi(double x); /* cos(pi x), <= 2 ulp (absolute 2^-53 near its zeros) */
double gyre_sinpi(double x);

/* base^n for base > 0 in double-double arithmetic: <= 1 ulp for |n log2(base)| < 1022, where
 * repeated squaring in doubles would lose 1e5 ulp at n = 460,000. */
double gyre_pow_int(double base, int64_t n);

#endif
