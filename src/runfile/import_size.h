/* Pictures of another size, or other classes, than an ONNX file's. Internal to src/runfile. */
#ifndef GYRE_RUNFILE_IMPORT_SIZE_H
#define GYRE_RUNFILE_IMPORT_SIZE_H

#include "import_file.h"

/* A weight of the last layer, which has as many outputs as there are classes; the file's has
 * others.
 */
bool import_is_of_classes(const import_file *f, const import_item *item);

/* GYRE_EUSAGE: a layer's weights are for the file's pictures alone, since it reads all of one. */
gyre_status import_check_size(const import_file *f);

#endif
