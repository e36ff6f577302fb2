/* What a person reads while gyre runs: lines on stderr, from one place, and only from rank 0
 * (set once at start). Machine-readable events go to log.jsonl (gyre/run.h). */
#ifndef GYRE_LOG_H
#define GYRE_LOG_H

/* "gyre: warning: ..." on stderr. */
void gyre_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* A plain line on stderr. */
void gyre_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Ranks other than 0 are made silent once, before any thread starts. */
void gyre_log_mute(void);

#endif
