/* Elementary functions from IEEE operations alone. Polynomials are Taylor series on short
 * intervals, long enough that what is cut off lies below the rounding of the sum. */
#include "gyre/realmath.h"

#include <float.h>
#include <math.h>
#include <string.h>

static const double LN2_HIGH = 0x1.62e42fefa3800p-1; /* 42 bits: k * LN2_HIGH is exact */
static const double LN2_LOW = 0x1.ef35793c76730p-45;
static const double PI = 0x1.921fb54442d18p+1;

/* x * 2^k without the double rounding that a subnormal result would suffer on the way. */
static double scale(double x, int64_t k) {
    if (k > 3000) k = 3000;
    if (k < -3000) k = -3000;
    return scalbn(x, (int)k); /* exact, or rounded once: no bit is libm's to decide */
}

double gyre_exp(double x) {
    if (!(x < 709.79)) return x != x ? x : INFINITY;
    if (x < -745.2) return 0;
    double k = floor(x * 0x1.71547652b82fep+0 + 0.5);
    double high = x - k * LN2_HIGH, low = k * LN2_LOW;
    double r = high - low;
    double rest = (high - r) - low; /* what r lost; |r| <= ln(2)/2 */
    double q = 1.0 / 6227020800;    /* 1/13! */
    static const double inverse_factorial[] = {
        1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040,
        1.0 / 720,       1.0 / 120,      1.0 / 24,      1.0 / 6,      1.0 / 2};
    for (size_t i = 0; i < sizeof inverse_factorial / sizeof(double); i++) {
        q = q * r + inverse_factorial[i];
    }
    return scale(1.0 + (r + (r * r * q + rest)), (int64_t)k);
}

/* x = m 2^e, m in [sqrt(1/2), sqrt(2)) */
static double split(double x, int *e) {
    double m = frexp(x, e); /* exact */
    if (m < 0x1.6a09e667f3bcdp-1) {
        m *= 2;
        *e -= 1;
    }
    return m;
}

double gyre_log(double x) {
    if (!(x > 0)) return x == 0 ? -INFINITY : NAN;
    if (x > DBL_MAX) return x;
    int e;
    double f = split(x, &e) - 1.0; /* exact */
    /* log(1+f) = 2 atanh(s) = f - s (f - R), R = 2 s^2/3 + 2 s^4/5 + ...; |s| < 0.172 */
    double s = f / (2.0 + f), z = s * s;
    double sum = 0;
    for (int n = 23; n >= 3; n -= 2) sum = (sum + 2.0 / n) * z;
    double half = 0.5 * f * f;
    return e * LN2_HIGH + (f - (half - (s * (half + sum) + e * LN2_LOW)));
}

/* sin and cos of pi r for |r| <= 1/4 */
static double sin_core(double r) {
    double x = PI * r, z = x * x, sum = 0;
    for (int n = 18; n >= 2; n -= 2) sum = (1.0 + sum) * -z / (n * (n + 1));
    return x + x * sum;
}

static double cos_core(double r) {
    double x = PI * r, z = x * x, sum = 0;
    for (int n = 17; n >= 3; n -= 2) sum = (1.0 + sum) * -z / (n * (n + 1));
    double half = 0.5 * z, one = 1.0 - half;
    return one + ((1.0 - one - half) - half * sum);
}

double gyre_cospi(double x) {
    x = fabs(x);
    x -= 2.0 * floor(x * 0.5); /* exact; 0 <= x < 2 */
    if (x > 1.0) x = 2.0 - x;
    if (x <= 0.25) return cos_core(x);
    if (x < 0.75) return sin_core(0.5 - x);
    return -cos_core(1.0 - x);
}

double gyre_sinpi(double x) {
    if (x < 0) return -gyre_sinpi(-x);
    x -= 2.0 * floor(x * 0.5);
    double sign = 1.0;
    if (x >= 1.0) {
        x -= 1.0;
        sign = -1.0;
    }
    if (x > 0.5) x = 1.0 - x; /* exact for x >= 1/2 */
    return sign * (x <= 0.25 ? sin_core(x) : cos_core(0.5 - x));
}

/* An unevaluated sum high + low times 2^exponent; relative error about 2^-104 per product. */
typedef struct {
    double high, low;
    int64_t exponent;
} wide;

/* Dekker's product: high + low = a * b exactly. */
static wide product(double a, double b) {
    const double splitter = 0x1p27 + 1;
    double t = splitter * a, a1 = t - (t - a), a2 = a - a1;
    t = splitter * b;
    double b1 = t - (t - b), b2 = b - b1, p = a * b;
    return (wide){p, ((a1 * b1 - p) + a1 * b2 + a2 * b1) + a2 * b2, 0};
}

static wide wide_multiply(wide a, wide b) {
    wide p = product(a.high, b.high);
    double low = p.low + (a.high * b.low + a.low * b.high);
    int e;
    double high =
        frexp(p.high + low, &e); /* keep |high| in [1/2, 1): nothing under- or overflows */
    double exact = scalbn(p.high, -e);
    return (wide){high, (exact - high) + scalbn(low, -e), a.exponent + b.exponent + e};
}

double gyre_pow_int(double base, int64_t n) {
    int e;
    double m = frexp(base, &e);
    wide power = {m, 0, e}, result = {0.5, 0, 1};
    uint64_t left = n < 0 ? -(uint64_t)n : (uint64_t)n;
    for (; left != 0; left >>= 1) {
        if (left & 1) result = wide_multiply(result, power);
        power = wide_multiply(power, power);
    }
    if (n >= 0) return scale(result.high + result.low, result.exponent);
    double inverse = 1.0 / result.high; /* one Newton step gives the reciprocal of high + low */
    wide p = product(result.high, inverse);
    double rest = ((1.0 - p.high) - p.low) - result.low * inverse;
    return scale(inverse + inverse * rest, -result.exponent);
}
