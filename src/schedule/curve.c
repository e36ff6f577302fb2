/* The forms of a half-cycle, accurate to a few units in the last place at both ends. */
#include "stage.h"

#include "gyre/realmath.h"

/* (1 - cos(pi a)) / 2, without the cancellation that this has for small a. */
static double half_cosine(double near, double far, double width) {
    if (near > far) return 0.5 + 0.5 * gyre_cospi(far / width);
    double s = gyre_sinpi(0.5 * (near / width));
    return s * s;
}

double schedule_window(gyre_shape shape, double near, double far, double width) {
    switch (shape) {
    case GYRE_SHAPE_COSINE: return half_cosine(near, far, width);
    case GYRE_SHAPE_WELCH: return near / width * (1 + far / width);
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
