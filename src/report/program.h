/* Programs that draw, as child processes. Internal to src/report. */
#ifndef GYRE_REPORT_PROGRAM_H
#define GYRE_REPORT_PROGRAM_H

#include "gyre/status.h"

typedef struct {
    const char *name;    /* "gnuplot", found by PATH */
    const char *missing; /* what needs it, and its package */
} report_program;

/* Runs it in folder `dir` and waits for it. No shell is involved. GYRE_EIO when it is missing or
 * fails on `subject`, a file's name, with the beginning of its output. */
gyre_status report_program_run(const report_program *p, const char *dir, char *const *arguments,
                               const char *subject);

#endif
