/* lr(t): the learning rate (and momentum) of every step, as pure functions of the step.
 *
 * A schedule is built once from settings and never changes; there is nothing to step, save or
 * restore. t = 0..N-1 is the index of the update that uses the rate. Formulas: docs/schedules.md.
 */
#ifndef GYRE_SCHEDULE_H
#define GYRE_SCHEDULE_H

#include "gyre/settings.h"
#include "gyre/status.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct gyre_schedule gyre_schedule;

typedef struct {
    double lr;
    double momentum; /* or beta1; the optimizer's constant unless "schedule.momentum" is given */
    int64_t cycle;   /* from 0, index into the list of cycles; 0 for non-cyclic policies */
} gyre_rate;

/* Times a gradient of 1, less than half a unit in the last place of a 32-bit weight of 0.01: such a
 * rate and lower ones move nothing. */
#define GYRE_RATE_LIGHTEST 1e-10

/* One cycle of the run. Steps are update indices. The first cycle begins after the warm-up. */
typedef struct {
    int64_t first, peak, last; /* peak < 0: the run (or stage) ends before it */
    double low, high;          /* least and greatest rate at first, peak and last */
    bool complete;             /* ends at its minimum */
} gyre_cycle;

/* True when some length is in epochs, so that steps_per_epoch must be known (that is, the dataset
 * opened) before gyre_schedule_open. */
bool gyre_schedule_needs_epochs(const gyre_schedule_settings *settings, const gyre_length *length);

/* x epochs in steps: floor(x * steps_per_epoch + 0.5), at least 1. */
int64_t gyre_steps_of_epochs(double epochs, int64_t steps_per_epoch);

/* The warm-up of a schedule without stages that runs for `steps`: as written, or else the one that
 * hf_cosine has unless it is given. */
gyre_length gyre_schedule_warmup(const gyre_schedule_settings *settings, int64_t steps);

/* For the caption of a figure: "constant rate", "sgdr". */
const char *gyre_schedule_policy_title(gyre_policy policy);
/* Does the policy read schedule.cycles and stepsize? */
bool gyre_schedule_counts_cycles(gyre_policy policy);

/* The first policy that has base_lr as its only rate, which bounds of a cycle are none for; NULL:
 * every stage has max_lr too. With `open`, of the stages whose base_lr is to be found. */
const char *gyre_schedule_single_rate(const gyre_schedule_settings *settings, bool open);

/* Builds the schedule of a run of `length`. `momentum` is the optimizer's constant momentum (or
 * beta1). steps_per_epoch may be 0 when gyre_schedule_needs_epochs is false. The settings are
 * copied. Errors: GYRE_EUSAGE, with the key path and the nearest valid values. */
gyre_status gyre_schedule_open(const gyre_schedule_settings *settings, const gyre_length *length,
                               double momentum, int64_t steps_per_epoch, gyre_schedule **out);
void gyre_schedule_close(gyre_schedule *s);

int64_t gyre_schedule_steps(const gyre_schedule *s); /* N */
/* The key that decides how high the rates of update t's stage are, for advice: "schedule.max_lr",
 * "schedule.stages[1].base_lr". Returns `out`. */
enum { GYRE_RATE_KEY_SIZE = 48 };
const char *gyre_schedule_rate_key(const gyre_schedule *s, int64_t t, char out[GYRE_RATE_KEY_SIZE]);

/* The rate of update t. Past N: the last value. t >= 0. Thread-safe. */
gyre_rate gyre_schedule_at(const gyre_schedule *s, int64_t t);

/* The cycles of the run in order; none for non-cyclic policies. */
size_t gyre_schedule_cycle_count(const gyre_schedule *s);
gyre_cycle gyre_schedule_cycle(const gyre_schedule *s, size_t index);

/* True when `completed` updates end a cycle at a minimum of the rate ("at minima" in evaluate and
 * checkpoint): when update completed - 1 is the last of a complete cycle. */
bool gyre_schedule_is_minimum(const gyre_schedule *s, int64_t completed);

/* Calls `say` once for each thing a user should know of the rates that come out: the run ends high,
 * half a cycle was added, a cycle is shorter than 4 steps, a stage's rate never moves or dies, ...
 */
void gyre_schedule_rate_warnings(const gyre_schedule *s,
                                 void (*say)(void *context, const char *text), void *context);

/* The same, and what concerns one config and its evaluations: points of the validation curve that
 * are `metric_interval` steps apart (0: not known) alias a cycle, a key is without effect, ... */
void gyre_schedule_warnings(const gyre_schedule *s, int64_t metric_interval,
                            void (*say)(void *context, const char *text), void *context);

/* Rewrites every length in `settings` and `length` in steps, for the resolved config, which then
 * opens with the same bits and without steps_per_epoch. Writes to settings->stages[i]. Errors: as
 * gyre_schedule_open; settings and length are then unchanged. */
gyre_status gyre_schedule_resolve(gyre_schedule_settings *settings, gyre_length *length,
                                  int64_t steps_per_epoch);

#endif
