/* log.jsonl: one JSON object per line for each thing that happens to a run. */
#ifndef GYRE_EVENTS_H
#define GYRE_EVENTS_H

#include "gyre/json.h"
#include "gyre/status.h"

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

#endif
