/* Figures over steps: learning rates one below the other, and curves of arms with their bands. */
#include "chart.h"

#include "gnuplot.h"
#include "labels.h"
#include <math.h>
#include <stdlib.h>

const gyre_band *report_curve_band(const gyre_results_arm *a, report_curve curve) {
    switch (curve) {
    case REPORT_CURVE_METRIC: return &a->metric;
    case REPORT_CURVE_LOSS: return &a->loss;
    case REPORT_CURVE_TRAIN: return &a->train;
    case REPORT_CURVE_MINIMA: break;
    }
    return &a->minima_metric;
}

static int curves_of(const gyre_results *e, int group, report_curve curve) {
    int count = 0;
    for (int i = 0; i < e->study->arm_count; i++) {
        if (e->study->arms[i].group != group) continue;
        count += report_curve_band(&e->arms[i], curve)->count > 0;
    }
    return count;
}

bool report_curve_exists(const gyre_results *e, int group, report_curve curve) {
    return curves_of(e, group, curve) > 0;
}

/* ---- learning rates */

static int64_t steps_of(const gyre_results *e, int group) {
    int64_t most = 1;
    for (int i = 0; i < e->study->arm_count; i++) {
        const gyre_schedule *s = e->arms[i].schedule;
        if (e->study->arms[i].group != group || s == NULL) continue;
        if (gyre_schedule_steps(s) > most) most = gyre_schedule_steps(s);
    }
    return most;
}

static double highest_rate(const gyre_results *e, int group) {
    double most = 0;
    for (int i = 0; i < e->study->arm_count; i++) {
        const gyre_schedule *s = e->arms[i].schedule;
        if (e->study->arms[i].group != group || s == NULL) continue;
        most = fmax(most, gyre_schedule_at(s, 0).lr);
        most = fmax(most, gyre_schedule_at(s, gyre_schedule_steps(s) - 1).lr);
        for (size_t k = 0; k < gyre_schedule_cycle_count(s); k++) {
            most = fmax(most, gyre_schedule_cycle(s, k).high);
        }
    }
    return most > 0 ? most : 1;
}

enum { STRIP = 64, STRIP_HEAD = 26, STRIP_FOOT = 62 }; /* pixels */

static gyre_status draw_strip(report_figure *f, const gyre_results *e, int arm, int at, int all) {
    char label[16];
    int block = 0;
    const double height = STRIP * all + STRIP_FOOT;
    GYRE_TRY(report_plot_schedule_line(f, e->arms[arm].schedule, "learning rate", &block));
    snprintf(label, sizeof label, "%s", at + 1 == all ? "%.0f" : "");
    fprintf(f->gp, "set tmargin at screen %.5f\nset bmargin at screen %.5f\nset format x '%s'\n",
            1 - (at * STRIP + STRIP_HEAD) / height, 1 - (at + 1) * STRIP / height, label);
    if (at + 1 == all) fputs("set xlabel 'step' textcolor rgb '#303030'\n", f->gp);
    fputs("set label 1 ", f->gp);
    char name[REPORT_NAME_MAX];
    report_arm(e, arm, name);
    report_quote(f->gp, name);
    fputs(" at graph 0, graph 1 offset character 0, 0.55 left noenhanced textcolor rgb '#303030'\n",
          f->gp);
    fprintf(f->gp, "plot DATA index %d with lines linewidth 1.6", block);
    report_chart_style(f, e, arm);
    fputs(" notitle\n", f->gp);
    return GYRE_OK;
}

gyre_status report_draw_rates(const gyre_results *e, int group, const char *output) {
    report_figure f;
    int count = 0, at = 0;
    const double most = highest_rate(e, group);
    gyre_status status = report_figure_open(output, &f);
    if (status != GYRE_OK) goto out;
    for (int i = 0; i < e->study->arm_count; i++) {
        count += e->study->arms[i].group == group && e->arms[i].schedule != NULL;
    }
    report_chart_begin(&f, STRIP * count + STRIP_FOOT, "", "");
    fprintf(f.gp, "set multiplot\nset lmargin 10\nset yrange [0:%.9g]\nset ytics (0, %.9g)\n",
            1.08 * most, most);
    report_chart_x(&f, 0, (double)steps_of(e, group));
    for (int i = 0; i < e->study->arm_count; i++) {
        if (e->study->arms[i].group != group || e->arms[i].schedule == NULL) continue;
        GYRE_GOTO(draw_strip(&f, e, i, at++, count));
    }
    fputs("unset multiplot\n", f.gp);
    report_chart_end(&f);
    status = report_figure_finish(&f);
out:
    report_figure_close(&f);
    return status;
}

/* ---- curves */

/* The first fifth of a run would press the rest into a line; it may leave the panel. */
static report_range range_of(const gyre_results *e, int group, report_curve curve, double *steps) {
    report_range range = {NAN, NAN, false};
    *steps = 1;
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < e->study->arm_count; i++) {
            const gyre_band *b = report_curve_band(&e->arms[i], curve);
            if (e->study->arms[i].group != group) continue;
            for (size_t k = 0; k < b->count; k++) {
                if (pass == 0) *steps = fmax(*steps, b->points[k].step);
                if (pass == 0 || b->points[k].step < 0.2 * *steps) continue;
                report_chart_widen(&range, b->points[k].least);
                report_chart_widen(&range, b->points[k].greatest);
            }
        }
    }
    return report_chart_margins(range, 0.05);
}

static const char *label_of(const gyre_results *e, int group, report_curve curve,
                            char out[REPORT_NAME_MAX]) {
    const bool train = curve == REPORT_CURVE_TRAIN, loss = train || curve == REPORT_CURVE_LOSS;
    char name[REPORT_NAME_MAX], unit[REPORT_UNIT_MAX];
    snprintf(name, sizeof name, "%s %s", train ? "training" : report_part(e),
             loss ? "loss" : gyre_metric_prose(e->metric).text);
    return report_quantity(name, loss ? report_loss_unit(e, group, unit) : e->metric->unit, "",
                           out);
}

static gyre_status band_block(report_figure *f, const gyre_band *b, int *index) {
    double *rows = calloc(4 * b->count + 1, sizeof *rows);
    if (rows == NULL) return gyre_no_memory("a figure");
    for (size_t i = 0; i < b->count; i++) {
        rows[4 * i] = b->points[i].step;
        rows[4 * i + 1] = b->points[i].mean;
        rows[4 * i + 2] = b->points[i].least;
        rows[4 * i + 3] = b->points[i].greatest;
    }
    *index = report_figure_rows(f, "step, mean, least, greatest", rows, b->count, 4);
    free(rows);
    return GYRE_OK;
}

/* Bands first, so that no line lies below one. */
static gyre_status plot_curves(report_figure *f, const gyre_results *e, int group,
                               report_curve curve, int count) {
    const gyre_study *s = e->study;
    const char *command = "plot";
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0, block = 0; i < s->arm_count; i++) {
            const gyre_band *b = report_curve_band(&e->arms[i], curve);
            if (s->arms[i].group != group || b->count == 0) continue;
            if (pass == 0) {
                GYRE_TRY(band_block(f, b, &block));
                if (s->seed_count < 2) continue;
                fprintf(f->gp,
                        "%s DATA index %d using 1:3:4 with filledcurves fillstyle transparent "
                        "solid 0.13 noborder",
                        command, block);
            } else {
                bool dots = curve == REPORT_CURVE_MINIMA || b->count == 1;
                fprintf(f->gp, "%s DATA index %d using 1:2 with %s linewidth 1.8", command, block++,
                        dots ? "linespoints pointtype 7 pointsize 0.6" : "lines");
            }
            command = ", \\\n    ";
            report_chart_style(f, e, i);
            if (pass == 1 && count > 1) {
                report_chart_title(f, e, i);
            } else {
                fputs(" notitle", f->gp);
            }
        }
    }
    return GYRE_OK;
}

gyre_status report_draw_curves(const gyre_results *e, int group, report_curve curve,
                               const char *output) {
    report_figure f;
    char label[REPORT_NAME_MAX];
    double steps = 1;
    const int count = curves_of(e, group, curve), legend = report_chart_legend_height(count);
    gyre_status status = report_figure_open(output, &f);
    if (status != GYRE_OK) goto out;
    report_chart_begin(&f, 352 + legend,
                       curve == REPORT_CURVE_MINIMA ? "step of the minimum" : "step",
                       label_of(e, group, curve, label));
    report_chart_y(&f, range_of(e, group, curve, &steps));
    report_chart_x(&f, 0, steps);
    report_chart_legend(&f, 352 + legend, count);
    GYRE_GOTO(plot_curves(&f, e, group, curve, count));
    report_chart_end(&f);
    status = report_figure_finish(&f);
out:
    report_figure_close(&f);
    return status;
}
