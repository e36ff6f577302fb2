/* Digests of all that a result hangs on. */
#ifndef GYRE_RUN_REPLICAS_H
#define GYRE_RUN_REPLICAS_H

#include "gyre/trainer.h"

/* Room on the device for the digests. */
gyre_status run_replicas_open(gyre_trainer *t);

#endif
