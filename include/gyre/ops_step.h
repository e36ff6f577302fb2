/* The operations of a step on flat f32 vectors: gradients, parameters, running statistics. As
 * gyre/ops_layers.h has those of layers. */
#ifndef GYRE_OPS_STEP_H
#define GYRE_OPS_STEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Device scalars of a step, in one f32 buffer. */
enum {
    GYRE_SCALAR_LR,
    GYRE_SCALAR_MOMENTUM,                       /* or beta1 */
    GYRE_SCALAR_BIAS1,                          /* 1 - beta1(t)^(t+1) */
    GYRE_SCALAR_BIAS2,                          /* 1 - beta2^(t+1) */
    GYRE_SCALAR_PULL,                           /* c of the schedule-free rules */
    GYRE_SCALAR_FROM_HOST,                      /* those before this are uploaded each step */
    GYRE_SCALAR_FINITE = GYRE_SCALAR_FROM_HOST, /* 1, or 0 for ever after the first bad step */
    GYRE_SCALAR_LOSS,                           /* of the global batch */
    GYRE_SCALAR_SUM,                            /* of the loss node, over the global batch */
    GYRE_SCALAR_NORM,                           /* of the reduced gradient, before clipping */
    GYRE_SCALAR_SHRINK, /* factor on the gradient: min(1, clip_norm / norm) */
    GYRE_SCALAR_SHARE,  /* of the new weights in their average; uploaded where there is one */
    GYRE_SCALAR_COUNT
};

typedef enum {
    GYRE_RULE_SGD,
    GYRE_RULE_ADAM,
    GYRE_RULE_RMSPROP,
    GYRE_RULE_ADAGRAD,
    GYRE_RULE_ADADELTA,
    GYRE_RULE_FREE_SGD,
    GYRE_RULE_FREE_ADAM
} gyre_rule;

/* One update rule for a segment of parameters with equal multipliers. lr is times lr_mult; g' =
 * shrink g (+ wd w unless decoupled); m is GYRE_SCALAR_MOMENTUM.
 *  SGD       s1 = v: v = m v + g', w -= lr (nesterov ? g' + m v : v); or with lr_in_momentum
 *            v = m v + lr g', w -= (nesterov ? (1 + m) v - m v_old : v)
 *  ADAM      s1, s2 = m, v of Kingma & Ba 2015, algorithm 1 (eps outside the corrected root)
 *  RMSPROP   s1 = h: h = decay h + (1 - decay) g'^2, w -= lr g' / (sqrt(h) + eps)
 *  ADAGRAD   s1 = h: h += g'^2, w -= lr g' / (sqrt(h) + eps)
 *  ADADELTA  s1, s2 = h, k: h = m h + (1 - m) g'^2, u = g' sqrt((eps + k) / (eps + h)),
 *            k = m k + (1 - m) u^2, w -= lr u
 *  FREE_SGD  s1 = e, z - y of Defazio et al. 2024 (arXiv 2405.15682): y is w, c is
 *            GYRE_SCALAR_PULL, d = g' + wd w. z -= lr d and x += c (z - x), from
 *            y = (1 - m) z + m x: w += c e - (1 - m (1 - c)) lr d, e = (1 - c) (e - m lr d)
 *  FREE_ADAM the same, s2 = v as of ADAM, d = g' / (sqrt(v / BIAS2) + eps), decoupled + wd w
 * RMSPROP, ADAGRAD and ADADELTA as in Caffe's solvers. Decoupled: w -= lr wd w besides (Loshchilov & Hutter 2019,
 * with lr). */
typedef struct {
    gyre_rule rule;
    bool nesterov, lr_in_momentum, decoupled;
    float lr_mult;
    float weight_decay; /* times decay_mult */
    float square_decay; /* beta2 of ADAM and FREE_ADAM, decay of RMSPROP */
    float eps;
} gyre_update_shape;

/* ---- the list */

#define GYRE_STEP_OPS(SHAPED, SIZED)                                                               \
    SIZED(fill, (float, value), (gyre_f32, x))                                                     \
    SIZED(digest, (gyre_f32, x), (gyre_f32, out)) /* out(2): 64 bits, gyre/digest.h */             \
    SIZED(add, (gyre_f32, a), (gyre_f32, b), (gyre_f32, y)) /* y = a + b; y may be a */            \
    /* running = (1 - momentum) running + momentum (inv_shards moments) where the step is finite   \
     */                                                                                            \
    SIZED(update_statistics, (float, inv_shards), (float, momentum), (gyre_f32, moments),          \
          (gyre_f32, scalars), (gyre_f32, running))                                                \
    /* average += SHARE (x - average) where the step is finite */                                  \
    SIZED(update_average, (gyre_f32, x), (gyre_f32, scalars), (gyre_f32, average))                 \
    /* From the reduced gradient g(n) and stats(2) = {loss, its sum}: fills LOSS, SUM, NORM,       \
     * SHRINK and clears FINITE when loss or norm is not finite. Sums in a fixed tree. */          \
    SIZED(check_step, (gyre_f32, g), (gyre_f32, stats), (float, clip_norm), (gyre_f32, scalars))   \
    /* One segment. s2 is NULL where the rule has no second state. No-op when FINITE is 0. */      \
    SHAPED(update, gyre_update_shape, (size_t, n), (gyre_f32, g), (gyre_f32, s1), (gyre_f32, s2),  \
           (gyre_f32, w), (gyre_f32, scalars))

#endif
