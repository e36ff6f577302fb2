/* What a person reads while gyre runs: lines on stderr, from one place, and only from rank 0
 * (the others are muted). Machine-readable events go to log.jsonl (gyre/run.h). */
#ifndef GYRE_LOG_H
#define GYRE_LOG_H

#include <stdbool.h>

/* "gyre: warning: ..." on stderr. */
void gyre_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A plain line on stderr. */
void gyre_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* "gyre: errorPLACE: " and the calling thread's error text on stderr, muted or not; nothing where
 * this process printed just that text before: what prints an error early, because the end may not
 * come, need not ask who prints it in the end. `place` is "" or as " (rank 1 on host)". */
void gyre_error_print(const char *place);
/* Was it just this text, and: it was, by another rank, whose error this process has as its own. */
bool gyre_error_printed(void);
void gyre_error_set_printed(void);
/* Makes the first two silent, or not, and returns which they were. While no other thread runs. */
bool gyre_log_mute(bool mute);

#endif
