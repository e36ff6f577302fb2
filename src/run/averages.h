/* The averages of a run's weights: kept beside its steps, settled before they are read, and put in
 * the weights' place for an evaluation. Internal to src/run. */
#ifndef GYRE_RUN_AVERAGES_H
#define GYRE_RUN_AVERAGES_H

#include "gyre/trainer.h"

/* Opens those that the settings keep, and room for them in the snapshot. */
gyre_status run_averages_open(gyre_trainer *t);
void run_averages_close(gyre_trainer *t);

/* The parts of update t->completed, see gyre/average.h. */
gyre_status run_averages_begin(gyre_trainer *t);
gyre_status run_averages_apply(gyre_trainer *t);
gyre_status run_averages_take(gyre_trainer *t);

/* Before they are evaluated, sampled from or saved: running statistics of batch norm that belong to
 * a mean of weights are made, of the batches of the run's first steps. Collective. */
gyre_status run_averages_settle(gyre_trainer *t);

#endif
