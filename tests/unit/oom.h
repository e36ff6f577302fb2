/* Makes memory fail, and counts it. oom.c is linked into a program with the linker's --wrap (see
 * the Makefile), so it sees what gyre's own objects ask for, and by cJSON's hooks what cJSON asks
 * for on their behalf; what MPI, HDF5 and oneDNN do for themselves is left alone. A request is
 * whatever can fail for lack of memory: blocks, streams, folders, threads.
 *
 * A test calls the functions below. The program $O/oom/gyre is told by its environment:
 *   OOM_AT=k      the k-th request fails; with OOM_ON=1 all from there on
 *   OOM_RANK=r    on this MPI rank alone
 *   OOM_LOG=FILE  gets a line "failed" for what failed, with the call's addresses for
 *                 addr2line -e $O/oom/gyre; when the process ends in order, "count n" (requests)
 * and "leak" for each block that was not freed OOM_FRAMES=1  the addresses of leaks too, those of a
 * test on stderr; slow */
#ifndef OOM_H
#define OOM_H

#include <stdbool.h>

typedef struct {
    long requests; /* since oom_begin */
    long leaks;    /* blocks of these that are not freed */
    bool failed;   /* there were so many that one failed */
} oom_result;

/* The at-th request from here on fails; 0: none. `on`: and all behind it. */
void oom_begin(long at, bool on);
/* None fails any more. */
oom_result oom_end(void);

#endif
