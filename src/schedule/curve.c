/* The forms of a half-cycle, accurate to a few units in the last place at both ends. */
#include "curve.h"

#include <math.h>

/* (1 - cos(pi a)) / 2 for a = near / width <= 1/2, to a unit in the last place: y = pi a and y^2 /
 * 4 in two doubles each, times the series 1 - y^2 / 12 + ..., of which only the part after the 1 is
 * rounded. fma is exact by definition, so no libm decides a bit. */
static double half_cosine(double near, double width) {
    const double pi = 0x1.921fb54442d18p+1, pi_low = 0x1.1a62633145c07p-53;
    double a = near / width, a_low = fma(-a, width, near) / width;
    double y = pi * a, y_low = fma(pi, a, -y) + (pi_low * a + pi * a_low);
    double z = y * y, z_low = fma(y, y, -z) + 2 * y * y_low;
    double sum = 0; /* the terms are 2 y^(k-2) / k!, k = 4, 6, ... 24 */
    for (int k = 23; k >= 3; k -= 2) sum = (1 + sum) * -z / (k * (k + 1));
    return 0.25 * (z + (z_low + z * sum));
}

double schedule_window(gyre_shape shape, double near, double far, double width) {
    switch (shape) {
    case GYRE_SHAPE_COSINE:
        return near <= far ? half_cosine(near, width) : 1 - half_cosine(far, width);
    case GYRE_SHAPE_WELCH: return near / width * (1 + far / width);
    case GYRE_SHAPE_SQRT: return near / width / (1 + sqrt(far / width)); /* 1 - sqrt(far / width) */
    case GYRE_SHAPE_LINEAR: break;
    }
    return near / width;
}

double schedule_between(double low, double high, double rise) {
    if (!(rise > 0)) return low; /* low + (high - low) is not always high in doubles */
    if (rise >= 1) return high;
    double x = low + (high - low) * rise;
    return x < high ? x : high;
}
