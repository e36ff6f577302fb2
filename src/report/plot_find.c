/* A range test as a figure: loss and metric over the rate, repeats as a band, trials over the rate
 * that they go up to, and the suggested range shaded between two marked rates. */
#include "gyre/plot.h"

#include "figure.h"
#include "gyre/sort.h"
#include "gyre/text.h"
#include "plot_ladder.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define LOSS "#0072b2"
#define METRIC "#009e73"
#define RANGE "#fdf1d6"
#define MARK "#b35900"
#define QUIET "#68727e"

/* One quantity over the rate: per repeat, then over all repeats. */
typedef struct {
    const char *colour;
    report_point *line, *band; /* middle; low forwards then high backwards */
    size_t count;              /* points of line; the band has twice as many */
    report_range range;
    int raw, line_block, band_block; /* raw < 0: none */
} quantity;

typedef double (*value_of)(const gyre_find *f, size_t index, const double *smooth);
static double loss_of(const gyre_find *f, size_t index, const double *smooth) {
    (void)f;
    return smooth[index];
}
static double metric_of(const gyre_find *f, size_t index, const double *smooth) {
    (void)smooth;
    return gyre_metric_shown(f->metric, f->scores[index].metric);
}

/* ---- over the repeats */

/* First row of each repeat; starts[repeats] is the end. */
static void find_starts(const gyre_find *f, bool scores, size_t *starts) {
    size_t total = scores ? f->score_count : f->row_count, at = 0;
    for (int r = 0; r <= f->options.repeats; r++) {
        while (at < total && (scores ? f->scores[at].repeat : f->rows[at].repeat) < r) at++;
        starts[r] = at;
    }
}

/* Row k of all repeats that have one: the rates are the same in each. */
static gyre_status combine(const gyre_find *f, bool scores, value_of value, const double *smooth,
                           quantity *q) {
    size_t starts[GYRE_FIND_REPEATS_MAX + 1], longest = 0;
    find_starts(f, scores, starts);
    for (int r = 0; r < f->options.repeats; r++) {
        size_t n = starts[r + 1] - starts[r];
        if (n > longest) longest = n;
    }
    q->line = calloc(longest + 1, sizeof *q->line);
    q->band = calloc(2 * longest + 1, sizeof *q->band);
    if (q->line == NULL || q->band == NULL) return gyre_no_memory("a figure");
    for (size_t k = 0; k < longest; k++) {
        double all[GYRE_FIND_REPEATS_MAX], lr = 0;
        size_t n = 0;
        for (int r = 0; r < f->options.repeats; r++) {
            size_t at = starts[r] + k;
            if (at >= starts[r + 1]) continue;
            lr = scores ? f->scores[at].lr : f->rows[at].lr;
            if (isfinite(value(f, at, smooth))) all[n++] = value(f, at, smooth);
        }
        if (n == 0) continue;
        q->line[q->count++] = (report_point){lr, gyre_sort_median(all, n)}; /* sorts */
        q->band[k] = (report_point){lr, all[0]};
        q->band[2 * longest - 1 - k] = (report_point){lr, all[n - 1]};
    }
    /* rows of no finite value, at the end, leave a hole between the two halves */
    memmove(q->band + q->count, q->band + 2 * longest - q->count, q->count * sizeof *q->band);
    return GYRE_OK;
}

/* From a little below the least to a little above where the curve begins: what blows up goes out of
 * the picture. */
static report_range range_of(const quantity *q, bool from_start) {
    double least = INFINITY, most = -INFINITY;
    for (size_t i = 0; i < 2 * q->count; i++) {
        if (q->band[i].y < least) least = q->band[i].y;
        if (q->band[i].y > most) most = q->band[i].y;
    }
    if (q->count == 0) return (report_range){0, 1, false};
    double begin = q->line[0].y;
    if (from_start && begin > least && most > begin + 0.3 * (begin - least)) {
        most = begin + 0.3 * (begin - least);
    }
    double span = most > least ? most - least : fabs(most) + 1e-9;
    return (report_range){least - 0.08 * span, most + 0.16 * span, false};
}

static gyre_status raw_block(report_figure *f, const gyre_find *x, quantity *q) {
    report_point *points = calloc(x->row_count + 1, sizeof *points);
    if (points == NULL) return gyre_no_memory("a figure");
    size_t stride = 1 + x->row_count / REPORT_SERIES_MAX, n = 0;
    for (size_t i = 0; i < x->row_count; i += stride) {
        points[n++] = (report_point){x->rows[i].lr, x->rows[i].loss};
    }
    q->raw = report_figure_block(f, "training loss of steps", points, n);
    free(points);
    return GYRE_OK;
}

static void smooth_blocks(report_figure *f, const char *comment, quantity *q) {
    q->line_block = report_figure_block(f, comment, q->line, q->count);
    q->band_block =
        report_figure_block(f, "least and greatest of the repeats, closed", q->band, 2 * q->count);
}

/* ---- marks */

static void mark_rate(FILE *gp, double rate, double low, double high, const char *colour) {
    if (isnan(rate)) return;
    if (high > low) {
        fprintf(gp,
                "set object rectangle from %.9g, graph 0 to %.9g, graph 1 back fillcolor rgb '%s' "
                "fillstyle transparent solid 0.18 noborder\n",
                low, high, colour);
    }
    fprintf(gp,
            "set arrow from %.9g, graph 0 to %.9g, graph 1 nohead linewidth 1.5 linecolor rgb "
            "'%s'\n",
            rate, rate, colour);
}

/* Where the suggested range comes from trials, the band about max_lr is their plateau. */
static void mark_range(FILE *gp, const gyre_find *f) {
    const gyre_find_verdict *v = &f->verdict;
    const gyre_find_marks *m = &v->value;
    const gyre_find_answer a = gyre_find_answer_of(f);
    bool tried = f->cycle_count > 0;
    if (a.reliable) {
        fprintf(gp,
                "set object rectangle from %.9g, graph 0 to %.9g, graph 1 behind fillcolor rgb "
                "'" RANGE "' fillstyle solid noborder\n",
                a.base_lr, a.max_lr);
        mark_rate(gp, a.base_lr, tried ? 0 : v->low.base_lr, tried ? 0 : v->high.base_lr, MARK);
        mark_rate(gp, a.max_lr, tried ? f->range.low : v->low.max_lr,
                  tried ? f->range.high : v->high.max_lr, MARK);
    }
    if (!isnan(m->diverged)) {
        fprintf(gp,
                "set arrow from %.9g, graph 0 to %.9g, graph 1 nohead dashtype 3 linecolor rgb "
                "'" QUIET "'\n",
                m->diverged, m->diverged);
    }
}

/* In the first panel only; base_lr's name to the left of its line and max_lr's to the right, so
 * that they never meet. */
static void name_marks(FILE *gp, const gyre_find *f) {
    const gyre_find_verdict *v = &f->verdict;
    const gyre_find_marks *m = &v->value;
    const gyre_find_answer a = gyre_find_answer_of(f);
    const struct {
        const char *name;
        double rate;
    } singles[] = {{"valley", m->valley},
                   {"slide", m->slide},
                   {"minimum/10", m->minimum},
                   {"steep", m->steep}};
    if (a.reliable) {
        fprintf(gp,
                "set label 50 '{/:Bold base\\_lr %.3g }' at %.9g, graph 0.93 right textcolor rgb "
                "'" MARK "'\n"
                "set label 51 '{/:Bold  max\\_lr %.3g}' at %.9g, graph 0.93 left textcolor rgb "
                "'" MARK "'\n",
                a.base_lr, a.base_lr, a.max_lr, a.max_lr);
    }
    if (!isnan(m->diverged)) {
        fprintf(gp,
                "set label 52 'diverges ' at %.9g, graph 0.62 right textcolor rgb '" QUIET "'\n",
                m->diverged);
    }
    for (int i = 0; i < 4; i++) {
        if (isnan(singles[i].rate) || !v->reliable) continue;
        fprintf(gp,
                "set arrow %d from %.9g, graph 0 to %.9g, graph 0.05 nohead linecolor rgb '" QUIET
                "'\nset label %d '%s' at %.9g, graph 0.07 left rotate by 90 font ',9' textcolor "
                "rgb '" QUIET "'\n",
                60 + i, singles[i].rate, singles[i].rate, 60 + i, singles[i].name, singles[i].rate);
    }
}

static void forget_names(FILE *gp) {
    for (int i = 50; i < 53; i++) fprintf(gp, "unset label %d\n", i);
    for (int i = 60; i < 64; i++) fprintf(gp, "unset label %d; unset arrow %d\n", i, i);
}

/* ---- the picture */

static void draw(report_figure *f, const quantity *q) {
    fprintf(f->gp,
            "plot DATA index %d with filledcurves closed fillcolor rgb '%s' fillstyle "
            "transparent solid 0.25 noborder notitle",
            q->band_block, q->colour);
    if (q->raw >= 0) {
        fprintf(f->gp, ", \\\n     DATA index %d with dots linecolor rgb '#90a8b8' notitle",
                q->raw);
    }
    fprintf(f->gp, ", \\\n     DATA index %d with lines linewidth 2 linecolor rgb '%s' notitle\n",
            q->line_block, q->colour);
}

static void x_axis(report_figure *f, const gyre_find *x) {
    const gyre_find_options *o = &x->options;
    double last = x->rows[0].lr;
    for (size_t i = 0; i < x->row_count; i++) last = fmax(last, x->rows[i].lr);
    fprintf(f->gp, "set xrange [%.9g:%.9g]\n", o->from, last > o->from ? last : o->to);
    if (!o->linear) fputs("set logscale x\nset xtics autofreq\n", f->gp);
}

static void panel(report_figure *f, const report_frame *frame, int index, const char *heading,
                  const gyre_find *x, const quantity *q) {
    report_frame_panel(f, frame, index, heading, q->range);
    if (index + 1 == frame->panels) {
        fputs(x->options.linear ? "set format x '%g'\n" : "set format x '10^{%T}'\n", f->gp);
    }
    if (index == 0) name_marks(f->gp, x);
    draw(f, q);
    if (index == 0) forget_names(f->gp);
}

/* The first clause of the reason: what to do about it is for the terminal. Room is for one line, so
 * the rates go by the names beside their marks, and a doubt comes before how well repeats agree. */
static void write_subtitle(const gyre_find *x, char *out, size_t room) {
    const gyre_find_verdict *v = &x->verdict;
    const char *note = v->reliable && v->memorised
                           ? "the samples were memorised on the way, so max_lr may be too low"
                           : v->reason;
    if (x->range.outcome != GYRE_FIND_UNTRIED) {
        note = x->range.reason;
        snprintf(out, room, "%s", x->range.outcome == GYRE_FIND_TESTED ? "" : "no range: ");
    } else if (v->reliable) {
        snprintf(out, room, "suggested: %.3g to %.3g; ", v->value.base_lr, v->value.max_lr);
    } else {
        snprintf(out, room, "no reliable suggestion: ");
    }
    gyre_text_add(out, room, "%.*s", (int)strcspn(note, ";"), note);
}

gyre_status gyre_plot_find(const gyre_find *x, const char *title, const char *output) {
    report_figure f;
    quantity loss = {.colour = LOSS, .raw = -1}, metric = {.colour = METRIC, .raw = -1};
    char subtitle[400], heading[120];
    double *smooth = NULL;
    gyre_status status = report_figure_open(output, &f);
    if (status != GYRE_OK) goto out;
    GYRE_GOTO(gyre_find_smooth(x, &smooth));
    GYRE_GOTO(combine(x, false, loss_of, smooth, &loss));
    GYRE_GOTO(combine(x, true, metric_of, NULL, &metric));
    write_subtitle(x, subtitle, sizeof subtitle);
    report_frame frame = {.panels = 1 + (metric.count > 0) + (x->cycle_count > 0),
                          .title = title,
                          .subtitle = subtitle,
                          .x_label = x->options.linear ? "learning rate" : "learning rate (log)",
                          .steps = x->options.steps};
    report_frame_begin(&f, &frame);
    x_axis(&f, x);
    mark_range(f.gp, x);
    GYRE_GOTO(raw_block(&f, x, &loss));
    smooth_blocks(&f, "smoothed training loss, median of the repeats", &loss);
    snprintf(heading, sizeof heading, "validation %s, median of the repeats",
             gyre_metric_prose(x->metric).text);
    smooth_blocks(&f, heading, &metric);
    loss.range = range_of(&loss, true);
    metric.range = range_of(&metric, x->metric->is_paired); /* then it is what was read */
    snprintf(heading, sizeof heading, "training loss (dots: steps; line: smoothed%s)",
             x->options.repeats > 1 ? "; band: repeats" : "");
    panel(&f, &frame, 0, heading, x, &loss);
    snprintf(heading, sizeof heading, "validation %s%s%s, of %lld samples",
             gyre_metric_prose(x->metric).text, x->metric->unit[0] == '\0' ? "" : ", ",
             x->metric->unit, (long long)x->samples);
    if (metric.count > 0) panel(&f, &frame, 1, heading, x, &metric);
    if (x->cycle_count > 0) {
        GYRE_GOTO(report_ladder_panel(&f, &frame, frame.panels - 1, x));
    }
    report_frame_end(&f);
    status = report_figure_finish(&f);
out:
    free(smooth);
    free(loss.line);
    free(loss.band);
    free(metric.line);
    free(metric.band);
    report_figure_close(&f);
    return status;
}
