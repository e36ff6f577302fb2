/* The look of all figures: panels stacked over one x axis in steps, cycles as bands. */
#include "figure.h"
#include "gnuplot.h"

#include "gyre/text.h"
#include <math.h>
#include <string.h>

/* Pixels of an SVG figure; a PNG has one and a half as many. */
enum {
    WIDTH = 960,
    LEFT = 84,
    RIGHT = 34,
    TITLE = 62,
    LEGEND = 22,
    HEADING = 34,
    PLOT = 132,
    BOTTOM = 62
};
/* More bands or names than this would be noise; a name needs so many pixels. */
enum { BANDS_MAX = 100, NAMES_MAX = 12, NAME_WIDTH = 62 };

#define INK "#303030"
#define BAND "#e9eef5"
#define MINIMUM "#8a94a0"

static int top(const report_frame *frame) {
    return TITLE + LEGEND * frame->legend_rows;
}
static int height(const report_frame *frame) {
    return top(frame) + frame->panels * (HEADING + PLOT) + BOTTOM;
}

static void terminal(report_figure *f, int width, int pixels) {
    if (f->png) {
        fprintf(f->gp,
                "set terminal pngcairo size %d,%d font 'sans-serif,11' fontscale 1.4 linewidth 1.5 "
                "pointscale 1.4 enhanced background rgb 'white'\n",
                width * 3 / 2, pixels * 3 / 2);
    } else {
        fprintf(f->gp,
                "set terminal svg size %d,%d dynamic font 'sans-serif,13' enhanced "
                "background rgb 'white'\n",
                width, pixels);
    }
}

/* In bold, which needs gnuplot's markup; so the text's own signs of markup are escaped. */
static void bold(FILE *gp, const char *text) {
    char shown[REPORT_FIGURE_TEXT];
    gyre_text_visible(text, shown, sizeof shown);
    fputs("'{/:Bold ", gp);
    for (const char *c = shown; *c != '\0'; c++) {
        if (strchr("^_@&~{}\\", *c) != NULL) fputc('\\', gp);
        if (*c == '\'') fputc('\'', gp);
        fputc(*c, gp);
    }
    fputs("}'", gp);
}

static void titles(report_figure *f, const report_frame *frame) {
    double all = height(frame);
    fputs("set label 1 ", f->gp);
    bold(f->gp, frame->title);
    fprintf(f->gp, " at screen 0.0208, screen %.5f left font ',%d' textcolor rgb '#101010'\n",
            1 - 24 / all, f->png ? 14 : 16);
    if (frame->subtitle == NULL || frame->subtitle[0] == '\0') return;
    fputs("set label 2 ", f->gp);
    report_quote(f->gp, frame->subtitle);
    fprintf(f->gp, " at screen 0.0208, screen %.5f left noenhanced textcolor rgb '#505050'\n",
            1 - 47 / all);
}

void report_frame_prolog(report_figure *f, int width, int pixels) {
    FILE *gp = f->gp;
    fputs("# gyre figure: edit it and draw it again with  gnuplot NAME.gp  in this folder\n", gp);
    fputs("if (!exists('output')) output = ", gp);
    const char *extension = f->png ? ".png" : ".svg";
    char name[4096];
    snprintf(name, sizeof name, "./%s%s", f->stem, extension);
    report_quote(gp, name);
    fputs("\nDATA = ", gp);
    snprintf(name, sizeof name, "./%s.dat", f->stem);
    report_quote(gp, name);
    fputs("\nreset\nset encoding utf8\n", gp);
    terminal(f, width, pixels);
}

void report_frame_begin(report_figure *f, const report_frame *frame) {
    FILE *gp = f->gp;
    report_frame_prolog(f, WIDTH, height(frame));
    fprintf(gp,
            "set output output\nset multiplot\n"
            "set border 3 linecolor rgb '#707070'\n"
            "set tics nomirror out scale 0.5 textcolor rgb '" INK "'\n"
            "set grid ytics linetype 1 linecolor rgb '#d8d8d8' linewidth 0.6\n"
            "set xrange [0:%lld]\nunset key\n",
            (long long)(frame->steps > 0 ? frame->steps : 1));
    titles(f, frame);
}

/* 1, 2 or 5 times a power of ten. */
static double nice(double about) {
    double power = pow(10, floor(log10(about)));
    double digit = about / power;
    return power * (digit < 1.5 ? 1 : digit < 3 ? 2 : digit < 7 ? 5 : 10);
}

double report_frame_tics(report_range range) {
    return nice((range.hi - range.lo) / 3.8);
}

/* gnuplot alone would write ten numbers beside a panel, or only the powers of ten. */
static void tics(FILE *gp, report_range range) {
    if (!range.log) {
        fprintf(gp, "set ytics %.9g\n", report_frame_tics(range));
        return;
    }
    enum { MOST = 6 }; /* numbers beside a panel */
    static const int digits[] = {1, 2, 5};
    bool all = range.hi < 1e3 * range.lo;
    const char *comma = "";
    int least = (int)floor(log10(range.lo)), most = (int)ceil(log10(range.hi));
    int stride = 1 + (most - least) / MOST;
    fputs("set ytics (", gp);
    for (int power = least; power <= most; power += stride) {
        for (int i = 0; i < (all ? 3 : 1); i++) {
            fprintf(gp, "%s'%.9g' %.9g", comma, digits[i] * pow(10, power),
                    digits[i] * pow(10, power));
            comma = ", ";
        }
    }
    fputs(")\n", gp);
}

void report_frame_panel(report_figure *f, const report_frame *frame, int index, const char *heading,
                        report_range range) {
    FILE *gp = f->gp;
    double all = height(frame);
    double upper = 1 - (top(frame) + index * (HEADING + PLOT) + HEADING) / all;
    fprintf(gp, "\n# ---- panel %d\n", index + 1);
    if (index == 1) fputs("unset label 1; unset label 2\n", gp); /* drawn once is enough */
    fprintf(gp, "set lmargin at screen %.5f\nset rmargin at screen %.5f\n", LEFT / (double)WIDTH,
            1 - RIGHT / (double)WIDTH);
    fprintf(gp, "set tmargin at screen %.5f\nset bmargin at screen %.5f\n", upper,
            upper - PLOT / all);
    fputs("set label 99 ", gp);
    bold(gp, heading);
    fprintf(gp,
            " at graph 0, graph 1 offset character 0, 0.9 left font ',%d' "
            "textcolor rgb '" INK "'\n",
            f->png ? 11 : 13);
    fprintf(gp, "%s logscale y\nset yrange [%.9g:%.9g]\n", range.log ? "set" : "unset", range.lo,
            range.hi);
    tics(gp, range);
    if (index + 1 == frame->panels) {
        if (frame->steps < 6) fputs("set xtics 1\n", gp);
        fputs("set format x '%.0f'\nset xlabel ", gp);
        report_quote(gp, frame->x_label);
        fputs(" noenhanced textcolor rgb '" INK "'\n", gp);
    } else {
        fputs("set format x ''\nunset xlabel\n", gp);
    }
}

void report_frame_legend(report_figure *f, const report_frame *frame) {
    const bool below = frame->subtitle != NULL && frame->subtitle[0] != '\0';
    fprintf(
        f->gp,
        "set key at screen 0.02, screen %.5f left top horizontal Left reverse noenhanced samplen 2 "
        "maxcols %d textcolor rgb '" INK "'\n",
        1 - (36 + (below ? LEGEND : 0)) / (double)height(frame), frame->legend_columns);
}

void report_frame_end(report_figure *f) {
    fputs("\nunset multiplot\nunset output\n", f->gp);
}

/* Where a cycle's band ends: where the next one begins, or at the run's end. */
static int64_t band_end(const gyre_schedule *s, size_t index) {
    if (index + 1 < gyre_schedule_cycle_count(s)) return gyre_schedule_cycle(s, index + 1).first;
    return gyre_schedule_cycle(s, index).last;
}

void report_frame_cycles(report_figure *f, const gyre_schedule *s) {
    size_t count = gyre_schedule_cycle_count(s);
    if (count == 0) return;
    if (count > BANDS_MAX) {
        fprintf(f->gp, "# %zu cycles: too many to shade\n", count);
        return;
    }
    fputs("# cycles: every other one shaded; a dotted line where one ends at its minimum\n", f->gp);
    for (size_t i = 0; i < count; i++) {
        gyre_cycle c = gyre_schedule_cycle(s, i);
        long long end = band_end(s, i);
        if (i % 2 == 0) {
            fprintf(f->gp,
                    "set object rectangle from %lld, graph 0 to %lld, graph 1 behind "
                    "fillcolor rgb '" BAND "' fillstyle solid noborder\n",
                    (long long)c.first, end);
        }
        if (c.complete) {
            fprintf(f->gp,
                    "set arrow from %lld, graph 0 to %lld, graph 1 nohead back dashtype 3 "
                    "linecolor rgb '" MINIMUM "'\n",
                    end, end);
        }
    }
}

/* The names of short cycles would run into each other. */
static bool has_name(const gyre_schedule *s, size_t index) {
    double share = (double)(band_end(s, index) - gyre_schedule_cycle(s, index).first) /
                   (double)gyre_schedule_steps(s);
    return share * (WIDTH - LEFT - RIGHT) >= NAME_WIDTH;
}

void report_frame_cycle_names(report_figure *f, const gyre_schedule *s) {
    size_t count = gyre_schedule_cycle_count(s);
    if (count > NAMES_MAX) return;
    for (size_t i = 0; i < count; i++) {
        if (!has_name(s, i)) continue;
        gyre_cycle c = gyre_schedule_cycle(s, i);
        fprintf(f->gp,
                "set label %zu 'cycle %zu' at %.1f, graph 1 offset character 0, -0.7 center "
                "textcolor rgb '#68727e'\n",
                100 + i, i + 1, 0.5 * (double)(c.first + band_end(s, i)));
    }
}

void report_frame_cycle_names_end(report_figure *f, const gyre_schedule *s) {
    size_t count = gyre_schedule_cycle_count(s);
    for (size_t i = 0; count <= NAMES_MAX && i < count; i++) {
        if (has_name(s, i)) fprintf(f->gp, "unset label %zu\n", 100 + i);
    }
}
