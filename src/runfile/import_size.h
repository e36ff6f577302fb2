/* Pictures of another size than an ONNX file's. Internal to src/runfile. */
#ifndef GYRE_RUNFILE_IMPORT_SIZE_H
#define GYRE_RUNFILE_IMPORT_SIZE_H

#include "import_file.h"

/* GYRE_EUSAGE: a layer's weights are for the file's pictures alone, since it reads all of one. */
gyre_status import_check_size(const import_file *f);

#endif
