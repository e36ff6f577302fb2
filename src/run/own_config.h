/* The run of a checkpoint: the folder above it, and the config there. Internal to src/run. */
#ifndef GYRE_RUN_OWN_CONFIG_H
#define GYRE_RUN_OWN_CONFIG_H

#include "gyre/settings.h"
#include "gyre/status.h"

/* The checkpoint that `given` means (a run folder's newest, or else its best), and where its run's
 * config would be. free() both, whatever came of it. */
gyre_status run_locate(const char *given, char **checkpoint, char **config);

/* The config, when the checkpoint with this config hash was trained with it: a folder above may
 * have one of its own; else NULL. */
gyre_status run_own_config(const char *config, uint64_t hash, gyre_settings **out);

#endif
