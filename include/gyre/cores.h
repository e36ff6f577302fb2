/* The processor cores that the operating system lets this process run on: a launcher, Slurm or a
 * container may have bound it to fewer than the machine has. */
#ifndef GYRE_CORES_H
#define GYRE_CORES_H

#include <stddef.h>

/* As Linux writes them, "0-3,8"; "?" when it does not tell. */
void gyre_cores_text(char *text, size_t bytes);

/* Cores in such a text; 1 when it cannot be read. */
int gyre_cores_count(const char *text);

/* Worker threads for a process with so many cores: OMP_NUM_THREADS where that is a number from 1 on,
 * else one for each core. */
int gyre_cores_threads(int cores);

/* Marks them in used[0..n-1]; cores from n on are passed over. */
void gyre_cores_mark(const char *text, unsigned char *used, size_t n);

#endif
