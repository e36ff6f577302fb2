/* How long the host waits for a device or a peer, and how it passes that time. */
#include "gpu.h"

#include "gyre/clock.h"
#include <time.h>

static const double SPIN = 2e-6;                     /* seconds: most events have passed by then */
enum { FIRST_PAUSE = 5000, LONGEST_PAUSE = 100000 }; /* ns */

static bool in_first_step(const gpu_backend *b) {
    return !b->ran && b->options.first_deadline_seconds > 0;
}

double gpu_deadline(const gpu_backend *b) {
    return in_first_step(b) ? b->options.first_deadline_seconds : b->options.deadline_seconds;
}

const char *gpu_deadline_key(const gpu_backend *b) {
    return in_first_step(b) ? "watchdog.first_step_seconds" : "watchdog.seconds";
}

bool gpu_be_patient(const gpu_backend *b, gpu_patience *p) {
    double now = gyre_clock();
    if (p->pause == 0) {
        if (p->begun == 0) p->begun = now;
        if (now - p->begun < SPIN) return true;
        p->pause = FIRST_PAUSE;
    }
    double limit = gpu_deadline(b);
    if (limit > 0 && now - p->begun > limit) return false;
    nanosleep(&(struct timespec){.tv_nsec = p->pause}, NULL);
    if (p->pause < LONGEST_PAUSE) p->pause += p->pause / 2;
    return true;
}
