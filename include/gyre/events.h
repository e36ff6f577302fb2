/* log.jsonl: one JSON object per line for each thing that happens to a run. */
#ifndef GYRE_EVENTS_H
#define GYRE_EVENTS_H

#include "gyre/json.h"
#include "gyre/metric.h"
#include "gyre/status.h"
#include <stddef.h>
#include <stdint.h>

/* Opens for appending. On ranks other than 0 pass NULL: `out` is then NULL and events are dropped.
 */
typedef struct gyre_events gyre_events;
gyre_status gyre_events_open(const char *path, gyre_events **out);
void gyre_events_close(gyre_events *e);

/* {"time": ..., "event": name, and what is added until the end. NULL without a log. */
gyre_json *gyre_event_begin(gyre_events *e, const char *name);
gyre_status gyre_event_end(gyre_events *e, gyre_json *line);

/* Completed updates of the newest checkpoint that log.jsonl speaks of, best.h5 not counted; 0: of
 * none. *found: the file is there. Lines that were cut off are passed over. GYRE_EIO. */
gyre_status gyre_events_checkpoint(const char *path, int64_t *completed, bool *found);

/* When the run began, the time of the first line of log.jsonl, in seconds since 1970; 0: no log
 * says so. GYRE_EIO, GYRE_EDEVICE. */
gyre_status gyre_events_began(const char *path, double *seconds);

/* The score of the test part at the end of a run. */
typedef struct {
    int64_t step; /* completed updates */
    double loss, metric;
    double time; /* seconds since 1970 */
} gyre_test_row;

/* The scores of the test part that log.jsonl has, in the order of its lines; a run that was
 * extended may have several. free(*rows). Without the file there are none. GYRE_EIO, GYRE_EDEVICE.
 */
gyre_status gyre_events_tests(const char *path, const gyre_metric *metric, gyre_test_row **rows,
                              size_t *count);

#endif
