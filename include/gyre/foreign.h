/* Files of known formats in places that another format was expected in: what they are, and which
 * way into gyre there is for them. */
#ifndef GYRE_FOREIGN_H
#define GYRE_FOREIGN_H

#include "gyre/status.h"
#include <stdbool.h>

/* The file is one of torch.save, of safetensors, ONNX, or HDF5 where JSON was expected:
 * GYRE_EUSAGE; where HDF5 was expected, which passes then: GYRE_EIO. What is none of these, or
 * cannot be read, passes, but for one that has such a file's name where JSON was expected: GYRE_EIO.
 */
gyre_status gyre_foreign_check(const char *path, bool hdf5_expected);

#endif
