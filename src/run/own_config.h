/* The run of a checkpoint: the folder above it, and the config there. Internal to src/run. */
#ifndef GYRE_RUN_OWN_CONFIG_H
#define GYRE_RUN_OWN_CONFIG_H

#include "gyre/settings.h"
#include "gyre/status.h"

/* The checkpoint that `given` means (a run folder's newest, or else its best), and where its run's
 * config would be. free() both, whatever came of it. */
gyre_status run_locate(const char *given, char **checkpoint, char **config);

/* The config of the checkpoint's run: the one in the folder above it, where the checkpoint with
 * this config hash was trained with that (another run may be there); else the one that the
 * checkpoint holds, told where another one is there; NULL: it is of a gyre that wrote none. */
gyre_status run_own_config(const char *config, const char *checkpoint, uint64_t hash,
                           gyre_settings **out);

#endif
