/* The operations of losses, as gyre/ops_layers.h has those of layers. */
#ifndef GYRE_OPS_LOSSES_H
#define GYRE_OPS_LOSSES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gyre/ops_layers.h"

typedef struct {
    int n, classes;
    float smoothing; /* softmax_loss: target (1 - s) one-hot + s / classes */
    float scale;     /* of a row: 1 / (global batch * pixels) in training */
    int pixels;      /* rows of a sample; 0: 1 */
    bool mixed;      /* softmax_loss: mix(n, 2) lies behind labels(n): a second label of each row
                        and, as a float's bits, the share of the first in the target */
} gyre_loss_shape;

/* Losses of x(n, values) against f32 targets of the same shape; a sample's loss is the mean over
 * its values.
 *  SQUARED   (x - t)^2
 *  ABSOLUTE  |x - t|, whose slope at 0 is 0
 *  HUBER     (x - t)^2 / 2 where |x - t| is below 1, else |x - t| - 1/2 (Huber 1964)
 *  BINARY    log(1 + e^x) - t x: the cross-entropy of a label that is there (1) or not (0) */
typedef enum {
    GYRE_VALUE_LOSS_SQUARED,
    GYRE_VALUE_LOSS_ABSOLUTE,
    GYRE_VALUE_LOSS_HUBER,
    GYRE_VALUE_LOSS_BINARY
} gyre_value_loss_kind;

typedef struct {
    gyre_value_loss_kind kind;
    int n, values;
    float scale; /* of the loss sum and of dx: 1 / global batch in training */
} gyre_value_loss_shape;

/* The loss of a network that is to tell the noise of noised samples x_t = a x_0 + s noise, or what
 * follows from it: by table(steps, GYRE_DENOISE_ROW) of each t. */
enum {
    GYRE_DENOISE_NOISE,  /* the target is this times the noise */
    GYRE_DENOISE_SAMPLE, /* plus this times x_0 */
    GYRE_DENOISE_WEIGHT, /* factor of the loss */
    GYRE_DENOISE_ROW
};
enum { GYRE_DENOISE_BANDS = 10 }; /* of t, of equal width */

typedef struct {
    gyre_diffusion_shape noise;
    uint32_t steps;
    float scale; /* of the loss sum and of dx: 1 / global batch in training */
} gyre_denoise_loss_shape;

/* ---- the list */

#define GYRE_LOSS_OPS(SHAPED, SIZED)                                                               \
    /* A row of label -1 has no loss and no hit, and what it would weigh goes to the other rows    \
     * of its sample: of m labelled rows each counts pixels / m times, in the loss, in dx and in   \
     * the hits. stats(2) = {scale * sum of losses, hits of the largest logit / pixels}; dx may    \
     * be NULL (evaluation). weights(classes): factors w on the terms of a loss, -(1 - s) w_label  \
     * log p_label - s / classes * sum of w_j log p_j; NULL: all 1 */                              \
    SHAPED(softmax_loss, gyre_loss_shape, (gyre_act, logits), (gyre_i32, labels),                  \
           (gyre_f32, weights), (gyre_act, dx), (gyre_f32, stats))                                 \
    SHAPED(squared_error_loss, gyre_loss_shape, (gyre_act, logits), (gyre_i32, labels),            \
           (gyre_act, dx), (gyre_f32, stats))                                                      \
    /* stats(2) = {scale * sum of losses, sum of the means of |x - t|, of BINARY the share of      \
     * values that are right} */                                                                   \
    SHAPED(value_loss, gyre_value_loss_shape, (gyre_act, x), (gyre_f32, targets), (gyre_act, dx),  \
           (gyre_f32, stats))                                                                      \
    /* A sample's loss is the mean over its values of weight (x - target)^2. stats(2) = {scale *   \
     * sum of losses, sum of them without the weights}; bands(2 GYRE_DENOISE_BANDS), NULL: none =  \
     * such sums of the samples with t in each band, then how many they are; dx may be NULL */     \
    SHAPED(denoise_loss, gyre_denoise_loss_shape, (gyre_i32, draws), (gyre_f32, table),            \
           (gyre_act, x), (gyre_act, x0), (gyre_act, dx), (gyre_f32, stats), (gyre_f32, bands))

#endif
