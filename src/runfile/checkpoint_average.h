/* The averages of a checkpoint's weights that a snapshot has room for: /average/NAME of each
 * parameter and running statistic; of those that nothing takes, /averages/KIND/NAME; of the
 * slow weights of Lookahead, /lookahead/NAME. Internal to src/runfile. */
#ifndef GYRE_RUNFILE_CHECKPOINT_AVERAGE_H
#define GYRE_RUNFILE_CHECKPOINT_AVERAGE_H

#include "gyre/checkpoint.h"
#include "gyre/h5.h"
#include "gyre/model.h"
#include <hdf5.h>

gyre_status checkpoint_averages_write(hid_t file, const char *path, const gyre_model *m,
                                      const gyre_snapshot *s);
gyre_status checkpoint_averages_read(gyre_h5_reader *r, const gyre_model *m, gyre_snapshot *s);

#endif
