/* Says the warnings about a schedule to a listener. Internal to src/schedule. */
#ifndef SCHEDULE_TELL_H
#define SCHEDULE_TELL_H

#include "gyre/status.h"

typedef struct {
    void (*say)(void *context, const char *text);
    void *context;
} schedule_listener;

__attribute__((format(printf, 2, 3))) void schedule_tell(const schedule_listener *to,
                                                         const char *format, ...);

#endif
