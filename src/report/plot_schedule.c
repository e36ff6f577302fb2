/* lr(t) of a schedule as a figure, with the momentum below when it is cycled. */
#include "gyre/plot.h"
#include "gyre/text.h"

#include "figure.h"
#include <math.h>
#include <stdlib.h>

enum { SAMPLES_MAX = 1000000 };

typedef struct {
    report_point *lr, *momentum;
    size_t count;
    int64_t stride; /* steps between samples */
} samples;

static gyre_status sample(const gyre_schedule *s, samples *out) {
    int64_t steps = gyre_schedule_steps(s);
    int64_t stride = (steps + SAMPLES_MAX - 1) / SAMPLES_MAX;
    if (stride < 1) stride = 1;
    size_t room = (size_t)((steps + stride - 1) / stride) + 1;
    *out = (samples){calloc(room, sizeof(report_point)), calloc(room, sizeof(report_point)), 0,
                     stride};
    if (out->lr == NULL || out->momentum == NULL) {
        return gyre_no_memory("drawing %lld steps", (long long)steps);
    }
    for (int64_t t = 0; t < steps; t += stride) {
        if (t + stride >= steps) t = steps - 1; /* the last step is always drawn */
        gyre_rate rate = gyre_schedule_at(s, t);
        out->lr[out->count] = (report_point){(double)t, rate.lr};
        out->momentum[out->count++] = (report_point){(double)t, rate.momentum};
    }
    return GYRE_OK;
}

static report_range range_of(const report_point *points, size_t count, bool from_zero) {
    double least = 0, greatest = 0;
    if (!report_series_extent(points, count, &least, &greatest)) return (report_range){0, 1, false};
    if (from_zero && least > 0) least = 0;
    double span = greatest > least ? greatest - least : (greatest != 0 ? fabs(greatest) : 1);
    return (report_range){from_zero ? least : least - 0.4 * span,
                          greatest + (from_zero ? 0.45 : 0.15) * span, false};
}

/* A line that is straight over many steps is two points; within a tenth of a pixel of 132. */
static gyre_status block(report_figure *f, const char *comment, const report_point *points,
                         size_t count, int *index) {
    report_point *thin = calloc(REPORT_SERIES_MAX, sizeof *thin);
    if (thin == NULL) return gyre_no_memory("a figure");
    size_t drawn = report_series_thin(points, count, thin);
    if (drawn < count) {
        fprintf(f->gp, "# %s: %zu of %zu points drawn, no extreme left out\n", comment, drawn,
                count);
    }
    double least = 0, greatest = 0;
    report_series_extent(thin, drawn, &least, &greatest);
    drawn = report_series_straighten(thin, drawn, (greatest - least) / 1320);
    *index = report_figure_block(f, comment, thin, drawn);
    free(thin);
    return GYRE_OK;
}

gyre_status report_plot_schedule_line(report_figure *f, const gyre_schedule *s, const char *comment,
                                      int *index) {
    samples points = {0};
    gyre_status status = sample(s, &points);
    if (status == GYRE_OK) status = block(f, comment, points.lr, points.count, index);
    free(points.lr);
    free(points.momentum);
    return status;
}

/* Where a cycle has its extremes: peaks in one block, minima in another. */
static gyre_status mark_extremes(report_figure *f, const gyre_schedule *s, bool lr, int *peaks,
                                 int *minima) {
    size_t cycles = gyre_schedule_cycle_count(s), high = 0, low = 0;
    size_t used = cycles <= 60 ? cycles : 0; /* more would be a row of blots */
    report_point *points = calloc(2 * used + 2, sizeof *points);
    if (points == NULL) return gyre_no_memory("a figure");
    report_point *bottom = points + used + 1;
    for (size_t i = 0; i < used; i++) {
        gyre_cycle c = gyre_schedule_cycle(s, i);
        gyre_rate rate = gyre_schedule_at(s, c.peak < 0 ? 0 : c.peak);
        if (c.peak >= 0)
            points[high++] = (report_point){(double)c.peak, lr ? rate.lr : rate.momentum};
        rate = gyre_schedule_at(s, c.last);
        if (c.complete)
            bottom[low++] = (report_point){(double)c.last, lr ? rate.lr : rate.momentum};
    }
    *peaks = report_figure_block(f, lr ? "peaks" : "momentum at peaks", points, high);
    *minima = report_figure_block(f, lr ? "minima" : "momentum at minima", bottom, low);
    free(points);
    return GYRE_OK;
}

/* A number near an end of the axis is moved inwards, clear of the axis' own numbers. */
static void draw(report_figure *f, const report_frame *frame, const int blocks[3],
                 const char *colour, bool numbers, const char *above) {
    const int line = blocks[0], peaks = blocks[1], minima = blocks[2];
    double steps = (double)frame->steps, inset = 0.032 * steps;
    fprintf(f->gp,
            "plot DATA index %d with lines linewidth 2 linecolor rgb '%s' notitle, \\\n"
            "     DATA index %d with points pointtype 6 pointsize 0.7 linecolor rgb '%s' notitle, "
            "\\\n     DATA index %d with points pointtype 7 pointsize 0.7 linecolor rgb '%s' "
            "notitle",
            line, colour, peaks, colour, minima, colour);
    if (numbers) {
        fprintf(f->gp,
                ", \\\n     DATA index %d using ($1 < %g ? %g : $1 > %g ? %g : $1):2:"
                "(sprintf('%%.4g', $2)) with labels offset character 0, %s "
                "textcolor rgb '%s' notitle",
                peaks, inset, inset, steps - inset, steps - inset, above, colour);
    }
    fputc('\n', f->gp);
}

static gyre_status panel(report_figure *f, const report_frame *frame, const gyre_schedule *s,
                         const samples *points, bool lr) {
    int blocks[3] = {0}; /* line, peaks, minima */
    size_t cycles = gyre_schedule_cycle_count(s);
    /* gnuplot 5.4 dies of labels that have no defined point */
    bool numbers = cycles > 0 && cycles <= 8 && gyre_schedule_cycle(s, 0).peak >= 0;
    const report_point *series = lr ? points->lr : points->momentum;
    GYRE_TRY(block(f, lr ? "learning rate" : "momentum", series, points->count, &blocks[0]));
    GYRE_TRY(mark_extremes(f, s, lr, &blocks[1], &blocks[2]));
    if (lr) report_frame_cycle_names(f, s);
    report_frame_panel(f, frame, lr ? 0 : 1, lr ? "learning rate" : "momentum",
                       range_of(series, points->count, lr));
    draw(f, frame, blocks, lr ? "#0072b2" : "#d55e00", numbers, lr ? "0.8" : "-0.8");
    if (lr) report_frame_cycle_names_end(f, s);
    return GYRE_OK;
}

gyre_status gyre_plot_schedule(const gyre_schedule *s, const char *title, const char *output) {
    report_figure f;
    samples points = {0};
    char subtitle[160];
    gyre_status status = report_figure_open(output, &f);
    if (status != GYRE_OK) goto out;
    GYRE_GOTO(sample(s, &points));
    double least = 0, greatest = 0;
    report_series_extent(points.momentum, points.count, &least, &greatest);
    size_t cycles = gyre_schedule_cycle_count(s);
    int64_t steps = gyre_schedule_steps(s);
    snprintf(subtitle, sizeof subtitle, "%lld steps", (long long)steps);
    if (cycles > 0) {
        gyre_text_add(subtitle, sizeof subtitle, ", %zu cycle%s", cycles, cycles == 1 ? "" : "s");
    }
    gyre_text_add(subtitle, sizeof subtitle, "; last rate %.4g", gyre_schedule_at(s, steps - 1).lr);
    report_frame frame = {.panels = least < greatest ? 2 : 1,
                          .title = title,
                          .subtitle = subtitle,
                          .x_label = "step (updates of the weights)",
                          .steps = steps - 1};
    report_frame_begin(&f, &frame);
    if (points.stride > 1) {
        fprintf(f.gp, "# every %lldth step is looked at\n", (long long)points.stride);
    }
    report_frame_cycles(&f, s);
    GYRE_GOTO(panel(&f, &frame, s, &points, true));
    if (frame.panels == 2) GYRE_GOTO(panel(&f, &frame, s, &points, false));
    report_frame_end(&f);
    status = report_figure_finish(&f);
out:
    free(points.lr);
    free(points.momentum);
    report_figure_close(&f);
    return status;
}
