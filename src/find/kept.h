/* A search that was left goes on from what it has kept. Internal to src/find. */
#ifndef GYRE_FIND_KEPT_H
#define GYRE_FIND_KEPT_H

#include "gyre/find.h"

/* f->config_hash, and what keeper->kept holds into f, which has its options and its room: sweeps,
 * scores and trials. GYRE_EUSAGE when the file is of another config or other options. Each rank
 * reads the file; agree on the result. */
gyre_status find_take_kept(const gyre_find_keeper *keeper, const gyre_settings *s, gyre_find *f);

#endif
