/* The progress line; see progress.h. */
#include "progress.h"

#include "gyre/clock.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

gyre_progress gyre_progress_begin(bool silent, int64_t completed) {
    double t = gyre_clock();
    return (gyre_progress){.silent = silent,
                           .terminal = isatty(STDERR_FILENO) == 1,
                           .begun = t,
                           .last = t,
                           .first = completed,
                           .last_step = completed};
}

void gyre_print_duration(double seconds, char *out, int size) {
    long s = seconds > 0 && seconds < 1e9 ? lround(seconds) : 0;
    if (s >= 3600) {
        snprintf(out, (size_t)size, "%ld h %02ld min", s / 3600, s / 60 % 60);
    } else if (s >= 60) {
        snprintf(out, (size_t)size, "%ld min %02ld s", s / 60, s % 60);
    } else {
        snprintf(out, (size_t)size, "%ld s", s);
    }
}

static bool is_due(const gyre_progress *p, const gyre_progress_facts *f, double t) {
    if (f->completed == f->steps) return p->last_step != f->steps;
    if (p->terminal) return t - p->last >= 0.2;
    return t - p->last >= 30 || (f->completed - p->last_step) * 10 >= f->steps;
}

static int terminal_width(void) {
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 10) return size.ws_col;
    return 80;
}

void gyre_progress_show(gyre_progress *p, const gyre_progress_facts *f) {
    double t = gyre_clock();
    char line[256], cycle[64] = "", left[32];
    if (p->silent || !is_due(p, f, t)) return;
    double done = (double)(f->completed - p->first);
    double rate = (double)((f->completed - p->last_step) * f->batch) / fmax(t - p->last, 1e-9);
    gyre_print_duration((t - p->begun) / fmax(done, 1) * (double)(f->steps - f->completed), left,
                        sizeof left);
    if (f->cycles > 0) {
        snprintf(cycle, sizeof cycle, "  cycle %lld of %lld", (long long)f->cycle,
                 (long long)f->cycles);
    }
    snprintf(
        line, sizeof line, "step %lld/%lld  %.0f %%  lr %.4g%s  loss %.4f  %.0f samples/s  %s left",
        (long long)f->completed, (long long)f->steps,
        floor(100.0 * (double)f->completed / (double)f->steps), f->lr, cycle, f->loss, rate, left);
    if (p->terminal) {
        fprintf(stderr, "\r%.*s\033[K", terminal_width() - 1, line);
        fflush(stderr);
        p->shown = true;
    } else {
        fprintf(stderr, "%s\n", line);
    }
    p->last = t;
    p->last_step = f->completed;
}

void gyre_progress_clear(gyre_progress *p) {
    if (!p->shown) return;
    fprintf(stderr, "\r\033[K");
    fflush(stderr);
    p->shown = false;
}
