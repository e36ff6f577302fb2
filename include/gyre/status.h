/* Status codes and error messages.
 *
 * Every function that can fail returns gyre_status. Its message is recorded once, by gyre_fail(),
 * where the failure happened; it says what was expected, what was found, where, and what to do.
 * The value of a status is the exit code of the process that ends with it. */
#ifndef GYRE_STATUS_H
#define GYRE_STATUS_H

/* name, exit code, meaning */
#define GYRE_STATUS_MAP(X)                                                                         \
    X(OK, 0, "done")                                                                               \
    X(EUSAGE, 2, "usage or config error")                                                          \
    X(EIO, 3, "input/output error")                                                                \
    X(EDEVICE, 4, "memory, device or library error")                                               \
    X(EPEER, 5, "another rank failed")                                                             \
    X(EDIVERGED, 6, "training diverged")                                                           \
    X(EPREEMPTED, 99, "preempted after a checkpoint")                                              \
    X(EINTERRUPTED, 130, "interrupted (a command that trains: twice)")

typedef enum {
#define GYRE_STATUS_ENUM(name, code, text) GYRE_##name = code,
    GYRE_STATUS_MAP(GYRE_STATUS_ENUM)
#undef GYRE_STATUS_ENUM
} gyre_status;

enum { GYRE_ERROR_MAX = 1024 }; /* bytes of a message, terminator included */

/* Records the message for the calling thread and returns `code`, so that a failing function ends
 * with `return gyre_fail(...)`. Longer messages are cut, and end in "...". What would not be seen
 * as it is becomes \xHH (gyre_text_visible), so a message is one line. */
gyre_status gyre_fail(gyre_status code, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* GYRE_EDEVICE with the message "out of memory: WHAT", for a failed malloc(). WHAT is what the
 * memory was for ("the study's arms") or what was being done ("reading 'a.h5'"). */
gyre_status gyre_no_memory(const char *what, ...) __attribute__((format(printf, 1, 2)));

#ifdef __clang_analyzer__ /* cannot know that what they return is no success */
#define gyre_fail(code, ...) ((void)gyre_fail(code, __VA_ARGS__), (code))
#define gyre_no_memory(...) ((void)gyre_no_memory(__VA_ARGS__), GYRE_EDEVICE)
#endif

/* The calling thread's last recorded message; "" when there was none. A thread that hands its
 * failure to another one copies the text and records it there with gyre_fail(code, "%s", text). */
const char *gyre_error_text(void);

/* Puts "PREFIX: " before the recorded message of a failure; OK passes. For callers that know more
 * of where it happened. */
gyre_status gyre_fail_in(const char *prefix, gyre_status status);

const char *gyre_status_text(gyre_status code);

#define GYRE_TRY(expression)                                                                       \
    do {                                                                                           \
        gyre_status gyre_try_status = (expression);                                                \
        if (gyre_try_status != GYRE_OK) return gyre_try_status;                                    \
    } while (0)

/* For functions with clean-up: needs a local `gyre_status status` and a label `out`. */
#define GYRE_GOTO(expression)                                                                      \
    do {                                                                                           \
        status = (expression);                                                                     \
        if (status != GYRE_OK) goto out;                                                           \
    } while (0)

#endif
