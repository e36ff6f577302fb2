/* The averages of a checkpoint's weights: /average/NAME of each parameter and running statistic.
 * Internal to src/runfile. */
#ifndef GYRE_RUNFILE_CHECKPOINT_AVERAGE_H
#define GYRE_RUNFILE_CHECKPOINT_AVERAGE_H

#include "gyre/h5.h"
#include "gyre/model.h"
#include <hdf5.h>

/* Nothing where `averages` is NULL. */
gyre_status checkpoint_average_write(hid_t file, const char *path, const gyre_model *m,
                                     const float *averages);
gyre_status checkpoint_average_read(gyre_h5_reader *r, const gyre_model *m, float *averages);

#endif
