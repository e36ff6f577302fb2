/* Samples of a network that denoises: from noise, time by time, to images.
 *
 * The rule of each step is a pure function; all randomness is a function of (seed, step). A sample
 * has the same bits on any number of ranks. */
#ifndef GYRE_SAMPLING_H
#define GYRE_SAMPLING_H

#include "gyre/comm.h"
#include "gyre/denoiser.h"
#include "gyre/net.h"

/* ---- the rule */

/* Which of the network's times are visited, as diffusers names them: multiples of a whole number
 * from 0 on, the same counted from the last time, or equal distances from 0 to the last time. */
typedef enum { GYRE_SPACING_LEADING, GYRE_SPACING_TRAILING, GYRE_SPACING_LINSPACE } gyre_spacing;

typedef struct {
    gyre_sampling_method method;
    gyre_spacing spacing;
    int steps;  /* 1 to the network's times */
    double eta; /* of DDIM: 0 adds no noise, 1 as much as DDPM (Song et al. 2020, (16)) */
} gyre_sampling_rule;

/* The time that step `step` of rule->steps visits, of `all`: they fall. */
int gyre_sampling_time(const gyre_sampling_rule *rule, int all, int step);

/* One step from x at `time` to x at the next one, where `out` is the network's output:
 *     x_0  = x0_x x + x0_out out, clamped where that is asked for
 *     next = next_x0 x_0 + next_x x + next_out out + next_noise noise
 * DDIM: Song, Meng & Ermon 2020, arXiv 2010.02502, (12); DDPM: Ho, Jain & Abbeel 2020, arXiv
 * 2006.11239, (7), with the smaller of its variances. As diffusers' schedulers, but for DDIM's next
 * time, which is the next one of the list here, and T / steps earlier there. */
typedef struct {
    int time;
    double x0_x, x0_out;
    double next_x0, next_x, next_out, next_noise;
} gyre_sampling_step;

/* All of them, out(rule->steps). alpha_bar: of all times (gyre_noise_alpha_bar). */
void gyre_sampling_steps(const gyre_sampling_rule *rule, const gyre_denoiser *d,
                         const double *alpha_bar, gyre_sampling_step *out);

/* One value; x_0 is clamped to low..high. */
static inline float gyre_sampling_next(const gyre_sampling_step *s, float x, float out, float noise,
                                       double low, double high) {
    double v = (double)x, o = (double)out, x0 = s->x0_x * v + s->x0_out * o;
    if (x0 < low) x0 = low; /* so that NaN stays */
    if (x0 > high) x0 = high;
    return (float)(s->next_x0 * x0 + s->next_x * v + s->next_out * o + s->next_noise * noise);
}

/* Standard normals of a seed: with `step` 0 the noise that a sample begins as, with step k the one
 * that the k-th step adds. */
void gyre_sampling_noise(uint64_t seed, int64_t step, size_t count, float *out);

/* ---- what the network's numbers are */

/* x = (stored value - mean) * scale. */
typedef struct {
    int h, w, c;
    bool bytes;                /* stored values are pixels of 0 to 255 */
    const float *mean, *scale; /* (h, w, c) and (c) */
} gyre_sampling_input;

/* What x_0 is clamped to: pixels to 0 and 255, other values to -1 and 1. */
void gyre_sampling_limits(const gyre_sampling_input *in, size_t element, double *low, double *high);
/* x(count, h, w, c) becomes values as they are stored. */
void gyre_sampling_store(const gyre_sampling_input *in, size_t count, float *x);
/* A number as a pixel: the nearest of 0 to 255; what is no number is black. */
uint8_t gyre_sampling_pixel(double value);
/* The same as pixels of 0 to 255, out(count, h, w, c); values that are no pixels are taken for
 * numbers of -1 to 1. */
void gyre_sampling_pixels(const gyre_sampling_input *in, size_t count, const float *x,
                          uint8_t *out);

/* ---- at work */

typedef struct {
    gyre_sampling_rule rule;
    gyre_sampling_input input;
    bool clamp;      /* x_0 to gyre_sampling_limits */
    int condition;   /* the row of `embedding`; -1: the network has none */
    int null_class;  /* its row that is no class; -1: there is none */
    double guidance; /* w: out = out(null) + w (out(condition) - out(null)); 1: the condition alone
                        (Ho & Salimans 2022, arXiv 2207.12598, with w here for 1 + w there) */
    int batch;       /* samples that one thread makes at once; fewer cost as much */
} gyre_sampling_options;

/* What is made: a sample for each seed. */
typedef struct {
    const uint64_t *seeds;
    int count;
    const float *start; /* (count, h, w, c), the noise that samples begin as; NULL: the seeds' */
    /* NULL, or called on rank 0 between steps. */
    void (*progress)(void *context, int64_t done, int64_t all);
    void *context;
} gyre_sampling_job;

typedef struct gyre_sampling gyre_sampling;

/* With the present parameters of `w`, whenever it runs; its input's mean and scale do not matter,
 * those of the options do, and stay the caller's. The network is one that denoises. */
gyre_status gyre_sampling_open(const gyre_weights *w, const gyre_sampling_options *options,
                               gyre_comm *comm, gyre_sampling **out);
void gyre_sampling_close(gyre_sampling *s);

/* x(count, h, w, c) gets the samples, in the network's numbers, on all ranks. A failure of one rank
 * in its own samples aborts the job. Collective. */
gyre_status gyre_sampling_run(gyre_sampling *s, const gyre_sampling_job *job, float *x);

#endif
