/* A run that goes on with one more stage. Internal to src/run. */
#ifndef GYRE_RUN_EXTEND_H
#define GYRE_RUN_EXTEND_H

#include "gyre/settings.h"
#include "gyre/status.h"
#include <stdbool.h>
#include <stdint.h>

/* Both resolved. *extends: `now` is `run` with its last stage added; false when they are the same
 * run. Else GYRE_EUSAGE with the differences. */
gyre_status gyre_extend_compare(const gyre_settings *run, const gyre_settings *now, bool *extends);

/* GYRE_EUSAGE unless both have the same rate and momentum, to the bit, in the first `completed`
 * updates. */
/* Whether `hash` is that of the run's settings, or was before stages were added to it. */
gyre_status gyre_extend_knows(const gyre_settings *run, uint64_t hash, bool *out);

gyre_status gyre_extend_check(const gyre_settings *run, const gyre_settings *now,
                              int64_t completed);

#endif
