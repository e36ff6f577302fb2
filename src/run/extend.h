/* A run that continues with one more stage. Internal to src/run. */
#ifndef GYRE_RUN_EXTEND_H
#define GYRE_RUN_EXTEND_H

#include "gyre/settings.h"
#include "gyre/status.h"
#include <stdbool.h>
#include <stdint.h>

/* Both resolved. *extends: `now` is `run` with its last stage added; false when they are the same
 * run. Else GYRE_EUSAGE with the differences. */
gyre_status run_extend_compare(const gyre_settings *run, const gyre_settings *now, bool *extends);

/* Whether `hash` is that of the run's settings, or was before stages were added to it. */
gyre_status run_extend_knows(const gyre_settings *run, uint64_t hash, bool *out);

/* GYRE_EUSAGE unless both have the same rate and momentum, to the bit, in the first `completed`
 * updates. */
gyre_status run_extend_check(const gyre_settings *run, const gyre_settings *now, int64_t completed);

/* Whether the stage that was added to `now` is the one before it once more; *start gets the step
 * where it would begin. GYRE_EDEVICE: out of memory. */
gyre_status run_extend_repeats(const gyre_settings *now, bool *repeats, int64_t *start);

#endif
