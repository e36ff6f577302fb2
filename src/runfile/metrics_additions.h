/* What someone else has put into a metrics.h5: groups, datasets, attributes. Internal to
 * src/runfile. */
#ifndef GYRE_RUNFILE_METRICS_ADDITIONS_H
#define GYRE_RUNFILE_METRICS_ADDITIONS_H

#include "gyre/h5.h"

/* Names them ("/notes, attributes of /train"), at most a few. False: there is nothing. */
bool metrics_additions_list(const gyre_h5_reader *r, char *out, size_t size);

#endif
