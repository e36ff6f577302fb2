/* The order of axes of a foreign file of weights. Internal to src/runfile. */
#ifndef GYRE_RUNFILE_IMPORT_AXES_H
#define GYRE_RUNFILE_IMPORT_AXES_H

#include "import_file.h"

/* Arrays whose axes have another order than the network's: GYRE_EIO that names the order which fits
 * most of them. Where the shape of an array fits as it is and in another order too, the others
 * tell. */
gyre_status import_check_axes(const import_file *f);
/* A line where no shape of the file tells. */
void import_say_axes(const import_file *f);

#endif
