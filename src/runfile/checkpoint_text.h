/* Texts of a checkpoint, each of the length that it has: the network, as model.layers has it, and
 * the config, resolved. Internal to src/runfile. */
#ifndef GYRE_RUNFILE_CHECKPOINT_TEXT_H
#define GYRE_RUNFILE_CHECKPOINT_TEXT_H

#include "gyre/h5.h"
#include <hdf5.h>

#define CHECKPOINT_NETWORK "/state/network"
#define CHECKPOINT_CONFIG "/state/config"

/* Nothing where `text` is NULL. */
gyre_status checkpoint_text_write(hid_t file, const char *path, const char *place,
                                  const char *text);
/* NULL: the file has none. free() it. */
gyre_status checkpoint_text_read(gyre_h5_reader *r, const char *place, char **out);

#endif
