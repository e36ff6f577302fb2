/* The look that a report's figures share. */
#include "chart.h"

#include "gnuplot.h"
#include "labels.h"
#include <math.h>
#include <string.h>

#define INK "#303030"
enum { NAME_LETTERS = 24 }; /* of an arm's name in a figure */

void report_chart_begin(report_figure *f, int height, const char *x_label, const char *y_label) {
    report_frame_prolog(f, REPORT_CHART_WIDTH, height);
    fputs("set output output\nset border 3 linecolor rgb '#707070'\n"
          "set tics nomirror out scale 0.5 textcolor rgb '" INK "'\n"
          "set grid ytics linetype 1 linecolor rgb '#d8d8d8' linewidth 0.6\n"
          "set rmargin 3\nset tmargin 1\nunset key\nset xlabel ",
          f->gp);
    report_quote(f->gp, x_label);
    fputs(" noenhanced textcolor rgb '" INK "'\nset ylabel ", f->gp);
    report_quote(f->gp, y_label);
    fputs(" noenhanced textcolor rgb '" INK "'\n", f->gp);
}

void report_chart_end(report_figure *f) {
    fputs("\nunset output\n", f->gp);
}

void report_chart_x(report_figure *f, double low, double high) {
    const report_range range = {low, high, false};
    fprintf(f->gp, "set xrange [%.9g:%.9g]\nset xtics %.9g\n", low, high, report_frame_tics(range));
}

void report_chart_y(report_figure *f, report_range range) {
    fprintf(f->gp, "set yrange [%.9g:%.9g]\nset ytics %.9g\n", range.lo, range.hi,
            report_frame_tics(range));
}

/* Cut between letters, not inside one of UTF-8's. */
static void short_name(const gyre_results *e, int arm, char out[REPORT_NAME_MAX]) {
    int letters = 0;
    report_arm(e, arm, out);
    for (char *c = out; *c != '\0'; c++) {
        if (((unsigned char)*c & 0xC0) == 0x80 || letters++ < NAME_LETTERS) continue;
        snprintf(c, (size_t)(out + REPORT_NAME_MAX - c), "…");
        break;
    }
}

void report_chart_names(report_figure *f, const gyre_results *e, const int *arms, int count) {
    char name[REPORT_NAME_MAX];
    fprintf(f->gp, "set yrange [%g:0.4]\nset grid noytics xtics\nset ytics noenhanced (",
            count + 0.6);
    for (int i = 0; i < count; i++) {
        short_name(e, arms[i], name);
        fputs(i == 0 ? "" : ", ", f->gp);
        report_quote(f->gp, name);
        fprintf(f->gp, " %d", i + 1);
    }
    fputs(")\n", f->gp);
}

static int place(const gyre_study *s, int arm, bool *last, double *share) {
    int before = 0, all = 0;
    for (int i = 0; i < s->arm_count; i++) {
        if (s->arms[i].group != s->arms[arm].group) continue;
        if (s->arms[i].control != s->arms[arm].control) continue;
        before += i < arm;
        all++;
    }
    *last = before + 1 == all;
    *share = all > 1 ? (double)before / (all - 1) : 0.3;
    return before;
}

void report_chart_style(report_figure *f, const gyre_results *e, int arm) {
    /* From dark to light, told apart by colour-blind readers and in grey too; after viridis. */
    static const double ramp[][3] = {
        {68, 20, 100}, {50, 90, 150}, {25, 145, 140}, {70, 180, 80}, {225, 175, 20}};
    enum { STOPS = sizeof ramp / sizeof ramp[0] };
    bool last;
    double share;
    int index = place(e->study, arm, &last, &share);
    if (e->study->arms[arm].control) {
        static const char *const greys[] = {"#202020", "#707070", "#a05050"};
        fprintf(f->gp, " linecolor rgb '%s' dashtype %d", greys[index % 3], 2 + index % 4);
        return;
    }
    double at = share * (STOPS - 1);
    int stop = last && at >= STOPS - 1 ? STOPS - 2 : (int)at;
    double part = at - stop;
    int rgb[3];
    for (int i = 0; i < 3; i++) {
        rgb[i] = (int)((1 - part) * ramp[stop][i] + part * ramp[stop + 1][i] + 0.5);
    }
    fprintf(f->gp, " linecolor rgb '#%02x%02x%02x' dashtype 1", rgb[0], rgb[1], rgb[2]);
}

enum { LEGEND_COLUMNS = 2, LEGEND_ROW = 19 };

int report_chart_legend_height(int count) {
    return count < 2 ? 0 : (count + LEGEND_COLUMNS - 1) / LEGEND_COLUMNS * LEGEND_ROW;
}

void report_chart_legend(report_figure *f, int height, int count) {
    enum { AXIS = 74 }; /* pixels of the axis' numbers and label */
    if (count < 2) return;
    fprintf(f->gp,
            "set bmargin at screen %.5f\n"
            "set key at screen 0.5, screen 0.012 center bottom horizontal Left reverse noenhanced "
            "samplen 2 maxcols %d width -2 textcolor rgb '" INK "'\n",
            (double)(AXIS + report_chart_legend_height(count)) / height, LEGEND_COLUMNS);
}

void report_chart_title(report_figure *f, const gyre_results *e, int arm) {
    char name[REPORT_NAME_MAX];
    short_name(e, arm, name);
    fputs(" title ", f->gp);
    report_quote(f->gp, name);
}

void report_chart_widen(report_range *range, double value) {
    if (!isfinite(value)) return;
    if (!(range->lo <= value)) range->lo = value; /* also from NaN */
    if (!(range->hi >= value)) range->hi = value;
}

report_range report_chart_margins(report_range range, double share) {
    if (!(range.lo <= range.hi)) return (report_range){0, 1, false};
    double span = range.hi > range.lo ? range.hi - range.lo : (range.hi != 0 ? fabs(range.hi) : 1);
    return (report_range){range.lo - share * span, range.hi + share * span, false};
}
