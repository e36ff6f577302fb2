/* The contexts of a dataset. Internal to src/data. */
#ifndef GYRE_DATA_CONTEXTS_H
#define GYRE_DATA_CONTEXTS_H

#include "dataset_file.h"
#include "gyre/contexts.h"

/* Reads the first file's contexts, which all files must have; out->count is 0 where there are none.
 * `values` owns them: free() it. GYRE_EIO: the files differ, or a value is no finite number. */
gyre_status data_contexts_read(const data_source *sources, int count, gyre_contexts *out,
                               float **values);

/* Does each sample of a part name one of them? GYRE_EIO. */
gyre_status data_contexts_check(const char *path, const char *part, const int32_t *contexts,
                                int64_t count, const gyre_contexts *table);

#endif
