/* Mixup and cutmix: shares and rectangles. */
#include "gyre/augment.h"

#include "gyre/random.h"
#include "gyre/realmath.h"
#include <math.h>

/* The logarithm of a number of Gamma(alpha): Marsaglia & Tsang 2000, "A simple method for
 * generating gamma variables". Logarithms, since for a small alpha most numbers are too. */
static double log_gamma_draw(gyre_random *r, double alpha) {
    const double d = (alpha < 1 ? alpha + 1 : alpha) - 1.0 / 3, c = 1 / sqrt(9 * d);
    double x, v, log_v, u;
    do {
        do {
            x = gyre_random_normal(r);
            v = 1 + c * x;
        } while (v <= 0);
        log_v = 3 * gyre_log(v);
        u = 1 - gyre_random_uniform(r); /* above 0 */
    } while (gyre_log(u) >= 0.5 * x * x + d - d * v * v * v + d * log_v);
    double boost = alpha < 1 ? gyre_log(1 - gyre_random_uniform(r)) / alpha : 0;
    return gyre_log(d) + log_v + boost;
}

static double beta_draw(gyre_random *r, double alpha) {
    const double a = log_gamma_draw(r, alpha), difference = log_gamma_draw(r, alpha) - a;
    if (difference > 700) return 0;
    return difference < -700 ? 1 : 1 / (1 + gyre_exp(difference));
}

/* [at - half, at + half), cut at 0 and size */
static void span(int size, int at, int half, int32_t *first, int32_t *length) {
    int end = at + half < size ? at + half : size;
    *first = at > half ? at - half : 0;
    *length = end - *first;
}

gyre_mix gyre_mix_draw(const gyre_data_settings *settings, uint64_t seed, int64_t step, int h,
                       int w) {
    gyre_random r = gyre_random_open(seed, GYRE_RANDOM_MIX, (uint64_t)step, 0);
    const bool both = settings->mixup > 0 && settings->cutmix > 0, coin = gyre_random_below(&r, 2);
    const bool cut = both ? coin : settings->cutmix > 0;
    const double share = beta_draw(&r, cut ? settings->cutmix : settings->mixup);
    if (!cut) return (gyre_mix){1, 0, 0, h, w, (float)share, (float)share};
    gyre_mix m = {.on = 1};
    const double half = 0.5 * sqrt(1 - share);
    span(h, (int)gyre_random_below(&r, (uint32_t)h), (int)(half * h), &m.y, &m.h);
    span(w, (int)gyre_random_below(&r, (uint32_t)w), (int)(half * w), &m.x, &m.w);
    m.label = (float)(1 - (double)m.h * m.w / ((double)h * w));
    return m;
}
