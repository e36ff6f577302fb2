/* What a user should know about a schedule that is possible, but perhaps not meant. */
#include "stage.h"

void gyre_schedule_warnings(const gyre_schedule *s, int64_t metric_interval,
                            void (*say)(void *context, const char *text), void *context) {
    (void)s;
    (void)metric_interval;
    (void)say;
    (void)context;
}
