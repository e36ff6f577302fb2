/* exp and log in f32 from IEEE operations alone, so that they are the same in every build: the CPU
 * backend computes in double and rounds (gyre/realmath.h), these stay within about one unit in the
 * last place of that. Arguments and logarithms are pairs (sums.h), since an error of 2^-24 in the
 * argument is one of 2^-24 |x| in the exponential. */
#ifndef GYRE_CUDA_REALMATH_H
#define GYRE_CUDA_REALMATH_H

#include "sums.h"

constexpr float GPU_LN2_HIGH = 0x1.62ep-1f; /* 12 bits: times an exponent it is exact */
constexpr float GPU_LN2_LOW = 0x1.0bfbe8p-15f;

/* 2^k for -126 <= k <= 127 */
__device__ __forceinline__ float gpu_power_of_two(int k) {
    return __uint_as_float(unsigned(k + 127) << 23);
}

/* exp(x.high + x.low) */
__device__ __forceinline__ float gpu_exp(gpu_two x) {
    if (!(x.high < 89.0f)) return x.high != x.high ? x.high : __uint_as_float(0x7f800000u);
    if (x.high < -104.0f) return 0.0f;
    float k = rintf(x.high * 0x1.715476p+0f);
    float near = x.high - k * GPU_LN2_HIGH;                 /* exact */
    gpu_two r = gpu_two_sum(near, x.low - k * GPU_LN2_LOW); /* |r| <= ln(2) / 2 */
    /* Taylor series to r^8 / 8!; the next term is below 2^-27 */
    float q = 1.0f / 40320;
    q = q * r.high + 1.0f / 5040;
    q = q * r.high + 1.0f / 720;
    q = q * r.high + 1.0f / 120;
    q = q * r.high + 1.0f / 24;
    q = q * r.high + 1.0f / 6;
    q = q * r.high + 0.5f;
    float y = 1.0f + (r.high + (r.high * r.high * q + r.low));
    int n = int(k), half = n / 2; /* 2^n alone may lie outside the range */
    return y * gpu_power_of_two(half) * gpu_power_of_two(n - half);
}

/* log(x.high + x.low) for a normal x.high > 0; relative error about 2^-25 */
__device__ __forceinline__ gpu_two gpu_log(gpu_two x) {
    if (!(x.high > 0.0f && x.high < __uint_as_float(0x7f800000u))) {
        float none = __uint_as_float(x.high == 0.0f ? 0xff800000u : 0x7fc00000u);
        return {x.high > 0.0f ? x.high : none, 0.0f};
    }
    /* x = m 2^e, m in [sqrt(1/2), sqrt(2)) */
    unsigned bits = __float_as_uint(x.high) - 0x3f3504f3u;
    float e = float(int(bits) >> 23);
    float f = __uint_as_float((bits & 0x7fffffu) + 0x3f3504f3u) - 1.0f; /* exact */
    /* log(1 + f) = f - f^2/2 + s (f^2/2 + R), s = f / (2 + f), R = 2 s^2 / 3 + 2 s^4 / 5 + ... */
    float s = f / (2.0f + f), z = s * s, half = 0.5f * f * f;
    float sum = z * (2.0f / 11);
    sum = (sum + 2.0f / 9) * z;
    sum = (sum + 2.0f / 7) * z;
    sum = (sum + 2.0f / 5) * z;
    sum = (sum + 2.0f / 3) * z;
    float rest = s * (half + sum) - half;
    gpu_two y = gpu_two_sum(e * GPU_LN2_HIGH, f);
    return gpu_two_sum(y.high, y.low + (rest + (e * GPU_LN2_LOW + x.low / x.high)));
}

#endif
