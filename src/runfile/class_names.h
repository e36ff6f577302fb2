/* The names of classes in a checkpoint: /state/class_names, text of a fixed length. Internal to
 * src/runfile. */
#ifndef GYRE_RUNFILE_CLASS_NAMES_H
#define GYRE_RUNFILE_CLASS_NAMES_H

#include "gyre/dataset.h"
#include "gyre/h5.h"
#include <hdf5.h>

/* Nothing where there are no names. */
gyre_status class_names_write(hid_t file, const char *path, const gyre_class_names *names);
/* count 0: the file has none. free() the names. */
gyre_status class_names_read(gyre_h5_reader *r, gyre_class_names *out);

#endif
