/* A sign of life from long work that knows nothing of ranks, such as hashing a large file. */
#ifndef GYRE_ALIVE_H
#define GYRE_ALIVE_H

#include <stdint.h>

void gyre_alive(void); /* cheap: once for each piece of some 100 KiB */
uint64_t gyre_alive_count(void);

#endif
