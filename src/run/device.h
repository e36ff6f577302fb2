/* A trained network on a device, for those who do not train. Internal to src/run. */
#ifndef GYRE_RUN_DEVICE_H
#define GYRE_RUN_DEVICE_H

#include "gyre/checkpoint.h"
#include "gyre/comm.h"
#include "gyre/net.h"

/* The backend that these settings ask for; NULL: any, in f32. Nothing is reduced, so any number of
 * ranks will do. Collective. */
gyre_status run_device_open(const gyre_settings *settings, gyre_comm *comm, gyre_backend **out);

/* The parameters and running statistics of a snapshot, and how it reads its input; *out is to be
 * closed even after a failure, unless NULL. */
gyre_status run_device_load(const gyre_model *m, const gyre_snapshot *s, gyre_backend *b,
                            gyre_weights **out);

#endif
