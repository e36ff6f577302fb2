/* What someone else has put into a metrics.h5: groups, datasets, attributes. Internal to src/run.
 */
#ifndef GYRE_RUN_ADDITIONS_H
#define GYRE_RUN_ADDITIONS_H

#include "h5_reader.h"

/* Names them ("/notes, attributes of /train"), at most a few. False: there is nothing. */
bool gyre_additions_list(const gyre_h5_reader *r, char *out, size_t size);

#endif
