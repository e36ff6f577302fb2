/* Interrupts: a signal only raises a flag, which rides on the next step's agreement, so that all
 * ranks stop after the same update and write a checkpoint. Internal to src/run. */
#ifndef GYRE_RUN_STOP_H
#define GYRE_RUN_STOP_H

#include <stdbool.h>

/* Catches SIGINT, SIGTERM and SIGUSR1. A second SIGINT ends the process at once with
 * GYRE_EINTERRUPTED. */
void gyre_stop_catch(void);
void gyre_stop_release(void); /* default actions again */
bool gyre_stop_wanted(void);

#endif
