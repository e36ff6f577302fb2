/* What a person reads while gyre runs: lines on stderr, from one place, and only from rank 0
 * (the others are muted). Machine-readable events go to log.jsonl (gyre/run.h). */
#ifndef GYRE_LOG_H
#define GYRE_LOG_H

#include <stdbool.h>

/* "gyre: warning: ..." on stderr. */
void gyre_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A plain line on stderr. */
void gyre_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Makes both silent, or not, and returns which they were. While no other thread runs. */
bool gyre_log_mute(bool mute);

#endif
