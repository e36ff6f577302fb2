/* The names of classes in a checkpoint: /state/class_names, text of a fixed length. Internal to
 * src/run. */
#ifndef GYRE_RUN_CLASS_NAMES_H
#define GYRE_RUN_CLASS_NAMES_H

#include "gyre/dataset.h"
#include "h5_reader.h"
#include <hdf5.h>

/* Nothing where there are no names. */
gyre_status gyre_class_names_write(hid_t file, const char *path, const gyre_class_names *names);
/* count 0: the file has none. free() the names. */
gyre_status gyre_class_names_read(gyre_h5_reader *r, gyre_class_names *out);

/* Both name classes, and not the same ones: the first difference in words, "class 3 is 'dog' in
 * b.h5, 'cat' in a.h5". False: they agree, or one of them names none. */
bool gyre_class_names_differ(const char *a_place, const gyre_class_names *a, const char *b_place,
                             const gyre_class_names *b, char *out, size_t size);

/* A warning where the classes of a run's checkpoint are called otherwise now. */
gyre_status gyre_class_names_warn(const char *checkpoint, const gyre_class_names *now);

#endif
