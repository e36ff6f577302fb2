/* Text of several parts that is cut where it does not fit; {0}: of which nothing is kept. */
#ifndef GYRE_CUDA_PAGE_H
#define GYRE_CUDA_PAGE_H

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

typedef struct gpu_page {
    char *text; /* where the next part goes */
    size_t size;
} gpu_page;

__attribute__((format(printf, 2, 3))) static inline void gpu_say(gpu_page *p, const char *format,
                                                                 ...) {
    va_list arguments;
    va_start(arguments, format);
    int wrote = vsnprintf(p->text, p->size, format, arguments);
    va_end(arguments);
    size_t room = p->size > 0 ? p->size - 1 : 0;
    size_t used = wrote < 0 ? 0 : (size_t)wrote < room ? (size_t)wrote : room;
    p->text += used;
    p->size -= used;
}

#endif
