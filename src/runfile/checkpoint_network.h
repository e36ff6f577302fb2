/* The network in a checkpoint: /state/network, the text of model.layers. Internal to src/runfile.
 */
#ifndef GYRE_RUNFILE_CHECKPOINT_NETWORK_H
#define GYRE_RUNFILE_CHECKPOINT_NETWORK_H

#include "gyre/h5.h"
#include <hdf5.h>

/* Nothing for a network of the zoo, whose name is enough: text NULL. */
gyre_status checkpoint_network_write(hid_t file, const char *path, const char *text);
/* NULL: the file has none. free() it. */
gyre_status checkpoint_network_read(gyre_h5_reader *r, char **out);

#endif
