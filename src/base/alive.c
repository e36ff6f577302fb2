/* The count of signs of life; see alive.h. */
#include "gyre/alive.h"

#include <stdatomic.h>

static _Atomic uint64_t count;

void gyre_alive(void) {
    atomic_fetch_add_explicit(&count, 1, memory_order_relaxed);
}

uint64_t gyre_alive_count(void) {
    return atomic_load_explicit(&count, memory_order_relaxed);
}
