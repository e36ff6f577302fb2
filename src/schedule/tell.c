/* Says one warning. */
#include "tell.h"

#include <stdarg.h>
#include <stdio.h>

void schedule_tell(const schedule_listener *to, const char *format, ...) {
    char text[GYRE_ERROR_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    to->say(to->context, text);
}
