/* A network that denoises, as sampling needs to know it: its times, its noise, what it tells, and
 * what it takes for a condition. */
#ifndef GYRE_DENOISER_H
#define GYRE_DENOISER_H

#include "gyre/model.h"

/* How much noise a time has. */
typedef struct {
    int steps; /* times 0 to steps - 1 */
    gyre_noise noise;
    double beta_start, beta_end; /* of linear and scaled_linear */
    bool zero_snr;               /* nothing of the image is left at the last time */
} gyre_noise_schedule;

/* The product of 1 - beta up to each time, alpha_bar(steps) (Ho, Jain & Abbeel 2020, arXiv
 * 2006.11239, section 2): x_t = sqrt(alpha_bar) x_0 + sqrt(1 - alpha_bar) noise. */
void gyre_noise_alpha_bar(const gyre_noise_schedule *s, double *alpha_bar);

typedef struct {
    gyre_noise_schedule schedule;
    int h, w, c;          /* of a sample that is noised */
    int from, to;         /* training draws times from <= t < to */
    gyre_predict predict; /* what the network's output is */
    int classes;          /* that a condition is one of; 0: the network takes none */
    float offset;         /* offset noise: times one more normal for each channel */
    int null_class;       /* the condition that is no class; -1: it was not learned */
    bool contexts;        /* the classes are the dataset's contexts */
} gyre_denoiser;

/* False: the model's loss is not denoise. */
bool gyre_denoiser_of(const gyre_model *m, gyre_denoiser *out);

#endif
