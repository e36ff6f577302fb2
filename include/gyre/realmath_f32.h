/* Elementary functions in f32 whose bits do not depend on the machine: one source for the CPU's
 * loops and for the GPU's kernels, so that an elementwise operation has the same bits on both.
 *
 * Inline and without branches, so that loops over them become vector instructions. IEEE additions,
 * multiplications, divisions and selections in a fixed order, no multiply-add. A NaN that goes in
 * comes out. In C++ it is for CUDA: cuda/port.h comes before. */
#ifndef GYRE_REALMATH_F32_H
#define GYRE_REALMATH_F32_H

#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
#define GYRE_INLINE __device__ __forceinline__
#else
#define GYRE_INLINE static inline __attribute__((always_inline))
#endif

GYRE_INLINE uint32_t gyre_bits_of_f32(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

GYRE_INLINE float gyre_f32_of_bits(uint32_t bits) {
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* |x| and, of another number, the sign */
GYRE_INLINE float gyre_sign_f32(float x, float sign) {
    const uint32_t top = 0x80000000u;
    return gyre_f32_of_bits((gyre_bits_of_f32(x) & ~top) | (gyre_bits_of_f32(sign) & top));
}

/* which ? a : b, of which the compiler evaluates both: it does not vectorise a loop where one of
 * them would be skipped and might trap. */
GYRE_INLINE float gyre_choose_f32(int which, float a, float b) {
    uint32_t mask = which ? 0xffffffffu : 0u;
    return gyre_f32_of_bits((gyre_bits_of_f32(a) & mask) | (gyre_bits_of_f32(b) & ~mask));
}

/* 2^k for -126 <= k <= 127 */
GYRE_INLINE float gyre_power_of_two_f32(int32_t k) {
    return gyre_f32_of_bits((uint32_t)(k + 127) << 23);
}

/* exp(r) - 1 for |r| <= ln(2) / 2 and a bit more: the Taylor series to r^7 / 7!; the next term is
 * below 2^-27. */
GYRE_INLINE float gyre_exp_rest_f32(float r) {
    float q = 1.0f / 5040;
    q = q * r + 1.0f / 720;
    q = q * r + 1.0f / 120;
    q = q * r + 1.0f / 24;
    q = q * r + 1.0f / 6;
    q = q * r + 0.5f;
    return r + r * r * q;
}

/* x = k ln(2) + r with a whole k */
typedef struct {
    float r;
    int32_t k;
} gyre_exp_parts_f32;

GYRE_INLINE gyre_exp_parts_f32 gyre_exp_split_f32(float x, float low) {
    const float shift = 0x1.8p23f; /* a sum with it is rounded to a whole number */
    const float high_ln2 = 0x1.62ep-1f, low_ln2 = 0x1.0bfbe8p-15f; /* k * high_ln2 is exact */
    float t = (x + low) * 0x1.715476p+0f + shift, k = t - shift;
    gyre_exp_parts_f32 parts;
    parts.r = (x - k * high_ln2) + (low - k * low_ln2);
    parts.k = (int32_t)(gyre_bits_of_f32(t) - gyre_bits_of_f32(shift));
    return parts;
}

/* exp(x + low) for x <= 0 and |low| <= 0.1: <= 1.25 ulp, denormal results included. */
GYRE_INLINE float gyre_exp_f32(float x, float low) {
    gyre_exp_parts_f32 p = gyre_exp_split_f32(gyre_choose_f32(x < -110.0f, -110.0f, x), low);
    float y = 1.0f + gyre_exp_rest_f32(p.r);
    int32_t half = p.k >> 1; /* 2^k alone may lie below the range */
    return y * gyre_power_of_two_f32(half) * gyre_power_of_two_f32(p.k - half);
}

/* exp(x) - 1 for x <= 0: <= 1.25 ulp. */
GYRE_INLINE float gyre_expm1_f32(float x) {
    gyre_exp_parts_f32 p = gyre_exp_split_f32(gyre_choose_f32(x < -40.0f, -40.0f, x), 0.0f);
    float power = gyre_power_of_two_f32(p.k);
    return power * gyre_exp_rest_f32(p.r) + (power - 1.0f);
}

/* <= 3 ulp */
GYRE_INLINE float gyre_tanh_f32(float x) {
    float away = gyre_expm1_f32(-2.0f * gyre_sign_f32(x, 1.0f)); /* exp(-2 |x|) - 1 */
    return gyre_sign_f32(away / (2.0f + away), x);
}

/* 1 / (1 + exp(-x)): <= 2.5 ulp. */
GYRE_INLINE float gyre_logistic_f32(float x) {
    float e = gyre_exp_f32(gyre_sign_f32(x, -1.0f), 0.0f); /* exp(-|x|) */
    return gyre_choose_f32(x < 0.0f, e, 1.0f) / (1.0f + e);
}

/* exp(-x^2 / 2). The square is taken in two parts, since an error of 2^-24 in the exponent's size
 * would be one of 2^-24 x^2 / 2 in the result: <= 1.25 ulp. */
GYRE_INLINE float gyre_bell_f32(float x) {
    float t = gyre_sign_f32(x, 1.0f);
    t = gyre_choose_f32(t > 16.0f, 16.0f, t);                         /* it is 0 from 14.5 on */
    float high = gyre_f32_of_bits(gyre_bits_of_f32(t) & 0xfffff000u); /* its square is exact */
    return gyre_exp_f32(-0.5f * high * high, -0.5f * (t - high) * (t + high));
}

/* The normal distribution function of x, (1 + erf(x / sqrt(2))) / 2, with bell = gyre_bell_f32(x).
 * Below 0 it is the bell times P(q) / (|x| + 3), q = (|x| - 3) / (|x| + 3), where the polynomial P
 * interpolates in Chebyshev's points, to 2^-24.7: so nothing cancels however small the result.
 * <= 6 ulp. */
GYRE_INLINE float gyre_normal_f32(float x, float bell) {
    float t = gyre_sign_f32(x, 1.0f);
    t = gyre_choose_f32(t > 16.0f, 16.0f, t);
    float u = 1.0f / (t + 3.0f), q = (t - 3.0f) * u;
    float p = 0x1.d2d540p-15f;
    p = p * q + 0x1.17ed50p-13f;
    p = p * q - 0x1.00e72cp-12f;
    p = p * q - 0x1.0f430ep-10f;
    p = p * q + 0x1.0c8342p-10f;
    p = p * q + 0x1.c8ca90p-8f;
    p = p * q - 0x1.56d438p-7f;
    p = p * q - 0x1.832d42p-5f;
    p = p * q + 0x1.d71382p-3f;
    p = p * q - 0x1.04c72ap-1f;
    p = p * q + 0x1.754a76p-1f;
    float tail = bell * (p * u);
    return gyre_choose_f32(x < 0.0f, tail, 1.0f - tail);
}

/* ln(x) for 2^-126 <= x <= 1: <= 2 ulp. x = 2^k m with m between sqrt(1/2) and sqrt(2), and ln(m)
 * by the series of the inverse hyperbolic tangent in (m - 1) / (m + 1) to its 9th power; the next
 * term is below 2^-31. */
GYRE_INLINE float gyre_log_f32(float x) {
    const float high_ln2 = 0x1.62ep-1f, low_ln2 = 0x1.0bfbe8p-15f; /* k * high_ln2 is exact */
    const uint32_t root = 0x3f3504f3u;                             /* of 1/2 */
    uint32_t bits = gyre_bits_of_f32(x) - root;
    int32_t exponent = (int32_t)bits >> 23;
    float m = gyre_f32_of_bits((bits & 0x007fffffu) + root), k = (float)exponent;
    float s = (m - 1.0f) / (m + 1.0f), q = s * s, p = 2.0f / 9;
    p = p * q + 2.0f / 7;
    p = p * q + 2.0f / 5;
    p = p * q + 2.0f / 3;
    return k * high_ln2 + (2.0f * s + (s * q * p + k * low_ln2));
}

/* The cosine and the sine of a turn's part, w / 2^32 of it: errors <= 2^-23. The nearest quarter
 * turn is taken off exactly; of the rest, at most an eighth, the Taylor series. */
typedef struct {
    float cosine, sine;
} gyre_turn_f32;

GYRE_INLINE gyre_turn_f32 gyre_turn(uint32_t w) {
    uint32_t quarter = (w + 0x20000000u) >> 30;
    float a = (float)(int32_t)(w - (quarter << 30)) * 0x1.921fb6p-30f; /* 2 pi / 2^32 */
    float q = a * a;
    float s = 1.0f / 362880;
    s = s * q - 1.0f / 5040;
    s = s * q + 1.0f / 120;
    s = s * q - 1.0f / 6;
    s = a + a * q * s;
    float c = 1.0f / 40320;
    c = c * q - 1.0f / 720;
    c = c * q + 1.0f / 24;
    c = c * q - 0.5f;
    c = 1.0f + q * c;
    int swapped = (int)(quarter & 1u);
    float x = gyre_choose_f32(swapped, s, c), y = gyre_choose_f32(swapped, c, s);
    gyre_turn_f32 turn;
    turn.cosine = gyre_choose_f32((int)((quarter + 1u) & 2u), -x, x);
    turn.sine = gyre_choose_f32((int)(quarter & 2u), -y, y);
    return turn;
}

#endif
