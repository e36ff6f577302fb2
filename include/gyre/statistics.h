/* The statistics of a study with few paired seeds. Pure functions; same numbers on every machine.
 *
 * One seed gives one difference (arm minus control: same weights, order and augmentation), and
 * everything here works on such differences, or on an arm's values over its seeds. All values must
 * be finite. What cannot be said of so few values is NaN. */
#ifndef GYRE_STATISTICS_H
#define GYRE_STATISTICS_H

/* From so many seeds on: an interval may come from a bootstrap; a Student interval needs no caveat.
 * Percentile bootstraps cover 73 % at n = 3 and 86 % at n = 6, not the 95 % they claim. */
enum { GYRE_BOOTSTRAP_SEEDS = 20, GYRE_CAVEAT_SEEDS = 10 };

#define GYRE_SIGNIFICANT 0.05 /* a p of at most this is called a difference */

typedef struct {
    double low, high;
} gyre_interval;

typedef struct {
    int count;
    double mean, sd;        /* NaN for 0; for fewer than 2. sd divides by count - 1 */
    gyre_interval interval; /* 95 %, Student's t; NaN for fewer than 2 */
} gyre_summary;
gyre_summary gyre_summary_of(const double *values, int count);

/* The t below which a share p in (0, 1) of Student's distribution lies; degrees >= 1. Abramowitz
 * and Stegun, Handbook of Mathematical Functions, 26.7.3 and 26.7.4 (finite sums, exact). */
double gyre_student_quantile(double p, int degrees);

/* Two-sided p of the sign-flip permutation test: the share of all ways of giving the differences
 * signs whose sum is at least as far from 0 as the one found. All 2^count ways up to 20
 * differences; above, 99,999 keyed draws and the one found. 1 for none. */
double gyre_sign_flip_p(const double *differences, int count);
/* The least p that so many differences can give: 2 / 2^count (0.25 for 3 seeds). */
double gyre_sign_flip_least(int count);

/* Holm, "A simple sequentially rejective multiple test procedure" (1979): p[i] corrected for having
 * asked `count` questions. */
double gyre_holm_of(const double *p, int count, int i);

/* 95 % percentile interval of the mean from 9,999 keyed resamples; NaN below 20 values. */
gyre_interval gyre_bootstrap_interval(const double *values, int count);

/* How many seeds would make the interval exclude 0 and p, if it were the least and corrected for
 * `questions` (1: none but this), at most 0.05, if mean and sd stayed what they are; 0: more than
 * 1000, or nothing is known. A guess by its nature: half of all repeats would need more. */
int gyre_seeds_needed(const gyre_summary *differences, int questions);

#endif
