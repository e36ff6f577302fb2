/* The panel of a range test's trials; see plot_ladder.h. */
#include "plot_ladder.h"

#include <math.h>
#include <stdlib.h>

enum { LENGTHS = GYRE_FIND_LAST + 1 };
static const char *const colours[LENGTHS] = {"#b9cbe0", "#6f9fd0", "#0b4f9c"};

static int by_rate(const void *a, const void *b) {
    const report_point *p = a, *q = b;
    return (p->x > q->x) - (p->x < q->x);
}

/* What the rung's trials scored, by rising rate; several of one rate become their mean. */
static size_t points_of(const gyre_find *x, int64_t rung, report_point *out) {
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < x->cycle_count; i++) {
        const gyre_find_cycle *c = &x->cycles[i];
        double y = x->scored > 0 ? gyre_metric_shown(x->metric, c->metric) : c->loss;
        if (c->rung == rung && isfinite(y)) out[n++] = (report_point){c->max_lr, y};
    }
    qsort(out, n, sizeof *out, by_rate);
    for (size_t i = 0; i < n;) {
        double sum = 0;
        size_t first = i;
        for (; i < n && out[i].x == out[first].x; i++) sum += out[i].y;
        out[kept++] = (report_point){out[first].x, sum / (double)(i - first)};
    }
    return kept;
}

static void widen(report_range *r, const report_point *points, size_t count) {
    for (size_t i = 0; i < count; i++) {
        r->lo = fmin(r->lo, points[i].y);
        r->hi = fmax(r->hi, points[i].y);
    }
}

static report_range with_margin(report_range r) {
    if (!(r.hi >= r.lo)) return (report_range){0, 1, false};
    double span = r.hi > r.lo ? r.hi - r.lo : fabs(r.hi) + 1e-9;
    return (report_range){r.lo - 0.1 * span, r.hi + 0.16 * span, false};
}

static void write_heading(const gyre_find *x, char *out, size_t room) {
    const char *name = x->scored > 0 ? gyre_metric_prose(x->metric).text : "training loss";
    const char *unit = x->scored > 0 ? x->metric->unit : "";
    long long steps = (long long)x->cycles[0].steps;
    snprintf(out, room,
             "%s%s%s, after one cycle up to this rate of %lld, %lld and %lld steps "
             "(light to dark)",
             name, unit[0] == '\0' ? "" : ", ", unit, steps, 2 * steps, 4 * steps);
}

gyre_status report_ladder_panel(report_figure *f, const report_frame *frame, int index,
                                const gyre_find *x) {
    int blocks[LENGTHS];
    char heading[160];
    report_range range = {INFINITY, -INFINITY, false};
    report_point *points = calloc(x->cycle_count + 1, sizeof *points);
    if (points == NULL) return gyre_no_memory("a figure");
    for (int rung = 0; rung < LENGTHS; rung++) {
        size_t n = points_of(x, rung, points);
        widen(&range, points, n);
        blocks[rung] = report_figure_block(f, "score of trials, one length", points, n);
    }
    free(points);
    write_heading(x, heading, sizeof heading);
    report_frame_panel(f, frame, index, heading, with_margin(range));
    fputs(x->options.linear ? "set format x '%g'\n" : "set format x '10^{%T}'\n", f->gp);
    for (int rung = 0; rung < LENGTHS; rung++) {
        fprintf(f->gp,
                "%sDATA index %d with linespoints pointtype 7 pointsize 0.6 linewidth 2 linecolor "
                "rgb '%s' notitle",
                rung == 0 ? "plot " : ", \\\n     ", blocks[rung], colours[rung]);
    }
    fputc('\n', f->gp);
    return GYRE_OK;
}
