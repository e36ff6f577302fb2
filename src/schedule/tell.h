/* Who hears the warnings about a schedule. Internal to src/schedule. */
#ifndef SCHEDULE_TELL_H
#define SCHEDULE_TELL_H

#include "stage.h"

typedef struct {
    void (*say)(void *context, const char *text);
    void *context;
} schedule_listener;

__attribute__((format(printf, 2, 3))) void schedule_tell(const schedule_listener *to,
                                                         const char *format, ...);

/* What is wrong with the rates of one stage. Of a run that ends inside its first cycle
 * (`unfinished`) that has been told. */
void schedule_tell_rates(const schedule_listener *to, const gyre_schedule *all,
                         const schedule_stage *s, bool unfinished);

#endif
