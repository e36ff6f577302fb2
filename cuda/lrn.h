/* What both local response normalisations share. */
#ifndef GYRE_CUDA_LRN_H
#define GYRE_CUDA_LRN_H

#include "realmath.h"

/* s^-beta. Three quarters, as in AlexNet and Caffe's nets, are two roots and a division, each
 * correctly rounded as on the CPU. */
__device__ __forceinline__ float gpu_lrn_power(float s, float beta) {
    if (beta == 0.75f) {
        float root = sqrtf(s);
        return 1.0f / (root * sqrtf(root));
    }
    gpu_two log = gpu_log({s, 0.0f}), product = gpu_two_product(-beta, log.high);
    return gpu_exp(gpu_two_sum(product.high, product.low - beta * log.low));
}

#endif
