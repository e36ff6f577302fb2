/* A network's error by the time of the noise, beside those of other denoisers. */
#include "gyre/plot.h"

#include "chart.h"
#include "gnuplot.h"
#include "units.h"
#include <math.h>
#include <stdlib.h>

enum { HEIGHT = 380 };

static const char *const looks[] = {"linecolor rgb '#0072b2' dashtype 1 linewidth 2.4",
                                    "linecolor rgb '#d55e00' dashtype 2 linewidth 1.8",
                                    "linecolor rgb '#505050' dashtype 3 linewidth 1.8"};
enum { LOOKS = sizeof looks / sizeof *looks };

static gyre_status put_line(report_figure *f, const gyre_metric *m, const double *values, int bands,
                            report_range *range, int *block) {
    report_point *points = calloc((size_t)bands + 1, sizeof *points);
    size_t count = 0;
    if (points == NULL) return gyre_no_memory("a figure");
    for (int b = 0; b < bands; b++) {
        const double value = gyre_metric_shown(m, values[b]);
        if (!(value > 0)) continue; /* a logarithmic axis has no place for it */
        points[count++] = (report_point){(b + 0.5) * 100 / bands, value};
        report_chart_widen(range, value);
    }
    *block = report_figure_block(f, "time, error", points, count);
    free(points);
    return GYRE_OK;
}

gyre_status gyre_plot_bands(const gyre_metric *m, const gyre_plot_line *lines, int count, int bands,
                            const char *output) {
    report_figure f;
    char label[REPORT_UNIT_MAX];
    report_range range = {NAN, NAN, true};
    const int height = HEIGHT + report_chart_legend_height(count);
    int block = 0;
    gyre_status status = report_figure_open(output, &f);
    if (status != GYRE_OK) goto out;
    report_chart_begin(&f, height, "time, % of the noise schedule",
                       report_quantity(gyre_metric_prose(m).text, m->unit, "", label));
    report_chart_x(&f, 0, 100);
    report_chart_legend(&f, height, count);
    for (int i = 0; i < count; i++) {
        GYRE_GOTO(put_line(&f, m, lines[i].bands, bands, &range, &block));
    }
    fprintf(f.gp, "set logscale y\nset format y '%%g'\nset yrange [%.9g:%.9g]\n",
            0.8 * (range.lo > 0 ? range.lo : 1), 1.25 * (range.hi > 0 ? range.hi : 1));
    for (int i = 0; i < count; i++) {
        fprintf(f.gp, "%s DATA index %d with linespoints pointtype 7 pointsize 0.5 %s title ",
                i == 0 ? "plot" : ", \\\n    ", block - count + 1 + i, looks[i % LOOKS]);
        report_quote(f.gp, lines[i].name);
    }
    report_chart_end(&f);
    status = report_figure_finish(&f);
out:
    report_figure_close(&f);
    return status;
}
