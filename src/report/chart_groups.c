/* The figure over groups (dataset sizes): each arm's difference from the control of its group. */
#include "chart.h"

#include "gnuplot.h"
#include "labels.h"
#include <math.h>
#include <stdlib.h>

/* The arm of `group` that stands at the place of `arm` in its own; -1: none. Groups hold the same
 * arms in the same order. */
static int twin(const gyre_study *s, int arm, int group) {
    int place = 0;
    for (int i = 0; i < arm; i++) place += s->arms[i].group == s->arms[arm].group;
    for (int i = 0; i < s->arm_count; i++) {
        if (s->arms[i].group == group && place-- == 0) return i;
    }
    return -1;
}

/* x, mean, low, high of the arm's line; the arms stand a little beside each other. */
static int fill(const gyre_results *e, int arm, double shift, double *rows, report_range *range) {
    int count = 0;
    for (int g = 0; g < e->study->group_count; g++) {
        int other = twin(e->study, arm, g);
        if (other < 0 || e->main_control[g] < 0) continue;
        const gyre_comparison *c = gyre_results_comparison(e, other, e->main_control[g]);
        if (c == NULL || c->final.count == 0) continue;
        bool spread = c->final.count > 1;
        double *row = rows + 4 * count++;
        row[0] = g + 1 + shift;
        row[1] = c->final.mean;
        row[2] = spread ? c->final.interval.low : c->final.mean;
        row[3] = spread ? c->final.interval.high : c->final.mean;
        for (int k = 1; k < 4; k++) report_chart_widen(range, row[k]);
    }
    return count;
}

static int arms_of_first(const gyre_study *s) {
    int count = 0;
    for (int i = 0; i < s->arm_count; i++) count += s->arms[i].group == 0 && !s->arms[i].control;
    return count;
}

static void axes(report_figure *f, const gyre_results *e, report_range range) {
    const gyre_study *s = e->study;
    report_chart_y(f, report_chart_margins(range, 0.06));
    fprintf(f->gp, "set xrange [0.5:%g]\nset xtics noenhanced (", s->group_count + 0.5);
    for (int g = 0; g < s->group_count; g++) {
        fputs(g == 0 ? "" : ", ", f->gp);
        report_quote(f->gp, s->groups[g]);
        fprintf(f->gp, " %d", g + 1);
    }
    fputs(")\nset arrow from graph 0, first 0 to graph 1, first 0 nohead back linewidth 1.5 "
          "linecolor rgb '#303030'\n",
          f->gp);
}

gyre_status report_draw_groups(const gyre_results *e, const char *output) {
    report_figure f;
    char label[REPORT_UNIT_MAX];
    const gyre_study *s = e->study;
    const int arms = arms_of_first(s);
    report_range range = {NAN, NAN, false};
    double *rows = calloc(4 * (size_t)s->group_count + 1, sizeof *rows);
    gyre_status status = report_figure_open(output, &f);
    if (status != GYRE_OK) goto out;
    if (rows == NULL) {
        status = gyre_no_memory("a figure");
        goto out;
    }
    const int height = 340 + report_chart_legend_height(arms);
    report_chart_begin(
        &f, height, "",
        report_quantity("difference from the control", e->metric->difference_unit, "", label));
    report_chart_widen(&range, 0);
    for (int i = 0; i < s->arm_count; i++) {
        if (s->arms[i].group == 0 && !s->arms[i].control) fill(e, i, 0, rows, &range);
    }
    axes(&f, e, range);
    report_chart_legend(&f, height, arms);
    const char *command = "plot";
    for (int i = 0, at = 0; i < s->arm_count; i++) {
        if (s->arms[i].group != 0 || s->arms[i].control) continue;
        double shift = 0.3 * (at++ + 0.5 - 0.5 * arms) / arms;
        int count = fill(e, i, shift, rows, &range);
        int block = report_figure_rows(&f, "group, difference, low, high", rows, (size_t)count, 4);
        fprintf(f.gp,
                "%s DATA index %d using 1:2:3:4 with yerrorbars pointtype 7 pointsize 0.7 "
                "linewidth 1.8",
                command, block);
        report_chart_style(&f, e, i);
        report_chart_title(&f, e, i);
        fprintf(f.gp, ", \\\n     DATA index %d using 1:2 with lines linewidth 1", block);
        report_chart_style(&f, e, i);
        fputs(" notitle", f.gp);
        command = ", \\\n    ";
    }
    report_chart_end(&f);
    status = report_figure_finish(&f);
out:
    free(rows);
    report_figure_close(&f);
    return status;
}
