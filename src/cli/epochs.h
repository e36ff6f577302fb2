/* The steps of an epoch, which only the dataset tells. Internal to src/cli. */
#ifndef GYRE_CLI_EPOCHS_H
#define GYRE_CLI_EPOCHS_H

#include "gyre/settings.h"
#include "gyre/status.h"

/* Opens the config's dataset for them. GYRE_EUSAGE when the config names none, or has no
 * batch.size. */
gyre_status cli_steps_per_epoch(const gyre_settings *s, int64_t *out);

#endif
