/* The metric by the time of the noise schedule, in the bands of a loss that has them, at the last
 * step: means over seeds, and differences against the control. */
#include "chart.h"

#include "gnuplot.h"
#include "labels.h"
#include "times.h"
#include <math.h>
#include <stdlib.h>

enum { HEIGHT = 352, BANDS = GYRE_LOSS_BANDS_MAX };

static const char x_label[] = "time, % of the noise schedule";

/* ---- one arm's line: mean and interval in each band */

typedef struct {
    double middle, mean, low, high; /* middle: of the band, in % of the schedule */
} point;

typedef int values_function(const gyre_results *e, int arm, int band, double *values);

static int line_of(const gyre_results *e, int arm, values_function *values_of, double *values,
                   point line[BANDS]) {
    int count = 0;
    for (int b = 0; b < BANDS; b++) {
        const int seeds = values_of(e, arm, b, values);
        if (seeds == 0) continue;
        const gyre_summary s = gyre_summary_of(values, seeds);
        const bool spread = seeds > 1;
        line[count++] = (point){(b + 0.5) * 100 / BANDS, s.mean, spread ? s.interval.low : s.mean,
                                spread ? s.interval.high : s.mean};
    }
    return count;
}

typedef struct {
    int *arms, *counts, *blocks;
    point (*points)[BANDS];
    int count;
} lines;

static void close_lines(lines *l) {
    free(l->arms);
    free(l->counts);
    free(l->blocks);
    free(l->points);
}

/* Of all arms of the group that have values. */
static gyre_status open_lines(const gyre_results *e, int group, values_function *values_of,
                              lines *l) {
    const size_t arms = (size_t)e->study->arm_count;
    *l = (lines){calloc(arms + 1, sizeof *l->arms), calloc(arms + 1, sizeof *l->counts),
                 calloc(arms + 1, sizeof *l->blocks), calloc(arms + 1, sizeof *l->points), 0};
    double *values = calloc((size_t)e->study->seed_count + 1, sizeof *values);
    if (!l->arms || !l->counts || !l->blocks || !l->points || !values) {
        free(values);
        return gyre_no_memory("a figure of %zu arms", arms);
    }
    for (int i = 0; i < e->study->arm_count; i++) {
        if (e->study->arms[i].group != group) continue;
        int count = line_of(e, i, values_of, values, l->points[l->count]);
        if (count == 0) continue;
        l->arms[l->count] = i;
        l->counts[l->count++] = count;
    }
    free(values);
    return GYRE_OK;
}

static report_range range_of(const lines *l, bool intervals) {
    report_range range = {NAN, NAN, false};
    for (int i = 0; i < l->count; i++) {
        for (int k = 0; k < l->counts[i]; k++) {
            report_chart_widen(&range, l->points[i][k].mean);
            if (intervals) report_chart_widen(&range, l->points[i][k].low);
            if (intervals) report_chart_widen(&range, l->points[i][k].high);
        }
    }
    return range;
}

static void put_points(report_figure *f, lines *l) {
    for (int i = 0; i < l->count; i++) {
        l->blocks[i] = report_figure_rows(f, "time, mean, 95 % interval",
                                          (const double *)l->points[i], (size_t)l->counts[i], 4);
    }
}

/* Intervals first, so that no line lies below one. */
static void plot_lines(report_figure *f, const gyre_results *e, lines *l, bool intervals) {
    const char *command = "plot";
    put_points(f, l);
    for (int i = 0; intervals && i < l->count; i++) {
        fprintf(f->gp,
                "%s DATA index %d using 1:3:4 with filledcurves fillstyle transparent solid 0.13 "
                "noborder",
                command, l->blocks[i]);
        report_chart_style(f, e, l->arms[i]);
        fputs(" notitle", f->gp);
        command = ", \\\n    ";
    }
    for (int i = 0; i < l->count; i++) {
        fprintf(f->gp,
                "%s DATA index %d using 1:2 with linespoints pointtype 7 pointsize 0.5 "
                "linewidth 1.8",
                command, l->blocks[i]);
        report_chart_style(f, e, l->arms[i]);
        if (l->count > 1) {
            report_chart_title(f, e, l->arms[i]);
        } else {
            fputs(" notitle", f->gp);
        }
        command = ", \\\n    ";
    }
    report_chart_end(f);
}

static void begin(report_figure *f, const lines *l, const char *y_label) {
    const int height = HEIGHT + report_chart_legend_height(l->count);
    report_chart_begin(f, height, x_label, y_label);
    report_chart_x(f, 0, 100);
    report_chart_legend(f, height, l->count);
}

/* ---- values */

static int shown_values(const gyre_results *e, int arm, int band, double *values) {
    int count = report_times_values(e, arm, band, values);
    for (int i = 0; i < count; i++) values[i] = gyre_metric_shown(e->metric, values[i]);
    return count;
}

gyre_status report_draw_times(const gyre_results *e, int group, const char *output) {
    report_figure f;
    lines l = {0};
    char name[REPORT_NAME_MAX], label[REPORT_UNIT_MAX];
    gyre_status status = report_figure_open(output, &f);
    if (status != GYRE_OK) goto out;
    GYRE_GOTO(open_lines(e, group, shown_values, &l));
    snprintf(name, sizeof name, "%s %s", report_part(e), gyre_metric_prose(e->metric).text);
    begin(&f, &l, report_quantity(name, e->metric->unit, "", label));
    const report_range range = range_of(&l, false);
    if (range.lo > 0 && range.hi > 4 * range.lo) { /* errors span decades over the schedule */
        fprintf(f.gp, "set logscale y\nset yrange [%.9g:%.9g]\nset format y '%%g'\n",
                0.8 * range.lo, 1.25 * range.hi);
    } else {
        report_chart_y(&f, report_chart_margins(range, 0.05));
    }
    plot_lines(&f, e, &l, false);
    status = report_figure_finish(&f);
out:
    close_lines(&l);
    report_figure_close(&f);
    return status;
}

/* ---- differences */

gyre_status report_draw_time_differences(const gyre_results *e, int group, const char *output) {
    report_figure f;
    lines l = {0};
    gyre_status status = report_figure_open(output, &f);
    if (status != GYRE_OK) goto out;
    GYRE_GOTO(open_lines(e, group, report_times_differences, &l));
    begin(&f, &l, "difference from the control, %");
    report_range range = range_of(&l, true);
    report_chart_widen(&range, 0);
    report_chart_y(&f, report_chart_margins(range, 0.05));
    fputs("set arrow from graph 0, first 0 to graph 1, first 0 nohead back linewidth 1.5 "
          "linecolor rgb '#303030'\n",
          f.gp);
    plot_lines(&f, e, &l, true);
    status = report_figure_finish(&f);
out:
    close_lines(&l);
    report_figure_close(&f);
    return status;
}
