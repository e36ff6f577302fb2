/* The progress line; see gyre/progress.h. */
#include "gyre/progress.h"

#include "gyre/clock.h"
#include "gyre/terminal.h"
#include "gyre/text.h"
#include <math.h>
#include <stdio.h>
#include <string.h>

gyre_progress gyre_progress_begin(bool silent, int64_t completed) {
    double t = gyre_clock();
    return (gyre_progress){.silent = silent,
                           .line = gyre_status_line_open(silent),
                           .begun = t,
                           .last = t,
                           .first = completed,
                           .last_step = completed};
}

void gyre_progress_end(gyre_progress *p) {
    gyre_status_line_close(&p->line);
}

static bool is_due(const gyre_progress *p, const gyre_progress_facts *f, double t) {
    if (f->completed == f->steps) return p->last_step != f->steps;
    if (p->line.terminal >= 0) return t - p->last >= 0.2;
    return t - p->last >= 30 || (f->completed - p->last_step) * 10 >= f->steps;
}

/* What can be told, with what is wanted least last: it goes first when the line is too long. */
enum { PARTS = 5, PART = 64 };

static void write_parts(const gyre_progress_facts *f, double rate, double left,
                        char parts[PARTS][PART]) {
    char time[32];
    memset(parts, 0, PARTS * sizeof parts[0]);
    gyre_print_duration(left, time, sizeof time);
    snprintf(parts[0], PART, "  %s left", time);
    snprintf(parts[1], PART, "  loss %.4f", f->loss);
    if (f->cycles > 0) {
        snprintf(parts[2], PART, "  cycle %lld of %lld", (long long)f->cycle, (long long)f->cycles);
    }
    snprintf(parts[3], PART, "  lr %.4g", f->lr);
    snprintf(parts[4], PART, "  %.0f samples/s", rate);
}

/* The line in `width` columns. */
static void write_line(const gyre_progress_facts *f, double rate, double left, int width, char *out,
                       size_t size) {
    static const int order[PARTS] = {3, 2, 1, 4, 0}; /* as they are read */
    char parts[PARTS][PART];
    write_parts(f, rate, left, parts);
    snprintf(out, size, "step %lld/%lld  %.0f %%", (long long)f->completed, (long long)f->steps,
             floor(100.0 * (double)f->completed / (double)f->steps));
    size_t all = strlen(out);
    for (int i = 0; i < PARTS; i++) all += strlen(parts[i]);
    for (int i = PARTS - 1; i > 0 && all > (size_t)width; i--) {
        all -= strlen(parts[i]);
        parts[i][0] = '\0';
    }
    for (int i = 0; i < PARTS; i++) gyre_text_add(out, size, "%s", parts[order[i]]);
}

double gyre_progress_rate(const gyre_progress *p, int64_t completed, int64_t batch, double now) {
    const double least = 0.1; /* steps are told of in bursts, after an evaluation as a rule */
    bool burst = now - p->last < least;
    int64_t steps = completed - (burst ? p->first : p->last_step);
    return (double)(steps * batch) / fmax(now - (burst ? p->begun : p->last), 1e-9);
}

void gyre_progress_show(gyre_progress *p, const gyre_progress_facts *f) {
    double t = gyre_clock();
    char line[512];
    if (p->silent || !is_due(p, f, t)) return;
    double done = (double)(f->completed - p->first);
    double rate = gyre_progress_rate(p, f->completed, f->batch, t);
    double left = (t - p->begun) / fmax(done, 1) * (double)(f->steps - f->completed);
    bool on_terminal = p->line.terminal >= 0;
    int width = on_terminal ? gyre_status_line_width(&p->line) : (int)sizeof line - 1;
    write_line(f, rate, left, width, line, sizeof line);
    if (on_terminal) {
        gyre_status_line_show(&p->line, line);
    } else {
        fprintf(stderr, "%s\n", line);
    }
    p->last = t;
    p->last_step = f->completed;
}

void gyre_progress_clear(gyre_progress *p) {
    gyre_status_line_clear(&p->line);
}
