/* Figures whose rows are arms: a dot for each seed, the mean and its interval. */
#include "chart.h"

#include "labels.h"
#include <math.h>
#include <stdlib.h>

#define BELOW 0.3               /* of a row: seeds stand under their mean */
enum { ROW = 34, AROUND = 70 }; /* pixels of a row; of what is above and below */

typedef struct {
    double value, row, low, high;
} mark; /* as report_figure_rows takes it */

typedef struct {
    int *arms;
    int count;
    mark *seeds, *means;
    size_t seed_count, mean_count;
    double *values;
    report_range range;
} rows;

static void close_rows(rows *r) {
    free(r->arms);
    free(r->seeds);
    free(r->means);
    free(r->values);
}

static gyre_status open_rows(const gyre_results *e, rows *r) {
    size_t arms = (size_t)e->study->arm_count, seeds = (size_t)e->study->seed_count;
    *r = (rows){calloc(arms + 1, sizeof *r->arms),
                0,
                calloc(arms * seeds + 1, sizeof *r->seeds),
                calloc(arms + 1, sizeof *r->means),
                0,
                0,
                calloc(seeds + 1, sizeof *r->values),
                {NAN, NAN, false}};
    if (r->arms != NULL && r->seeds != NULL && r->means != NULL && r->values != NULL) {
        return GYRE_OK;
    }
    return gyre_no_memory("a figure of %zu arms", arms);
}

/* A row for `arm`, whose `count` values are in r->values. */
static void add_row(rows *r, int arm, int count) {
    gyre_summary s = gyre_summary_of(r->values, count);
    r->arms[r->count++] = arm;
    for (int i = 0; i < count; i++) {
        report_chart_widen(&r->range, r->values[i]);
        r->seeds[r->seed_count++] =
            (mark){r->values[i], r->count + BELOW, r->values[i], r->values[i]};
    }
    report_chart_widen(&r->range, s.interval.low);
    report_chart_widen(&r->range, s.interval.high);
    bool spread = count > 1;
    r->means[r->mean_count++] = (mark){s.mean, r->count, spread ? s.interval.low : s.mean,
                                       spread ? s.interval.high : s.mean};
}

static void plot_rows(report_figure *f, const gyre_results *e, const rows *r) {
    report_range range = report_chart_margins(r->range, 0.06);
    report_chart_x(f, range.lo, range.hi);
    report_chart_names(f, e, r->arms, r->count);
    int means = report_figure_rows(f, "mean, row, 95 % interval", (const double *)r->means,
                                   r->mean_count, 4);
    int seeds =
        report_figure_rows(f, "seeds: value, row", (const double *)r->seeds, r->seed_count, 4);
    fprintf(f->gp,
            "plot DATA index %d using 1:2 with points pointtype 6 pointsize 0.55 linewidth 1 "
            "linecolor rgb '#9a9a9a' notitle",
            seeds);
    fprintf(f->gp,
            ", \\\n     DATA index %d using 1:2:3:4 with xerrorbars pointtype 7 pointsize 0.9 "
            "linewidth 2.2 linecolor rgb '#0072b2' notitle",
            means);
}

gyre_status report_draw_final(const gyre_results *e, int group, const char *output) {
    report_figure f;
    rows r = {0};
    char name[REPORT_NAME_MAX], label[REPORT_UNIT_MAX];
    gyre_status status = report_figure_open(output, &f);
    if (status != GYRE_OK) goto out;
    GYRE_GOTO(open_rows(e, &r));
    for (int i = 0; i < e->study->arm_count; i++) {
        int count = 0;
        if (e->study->arms[i].group != group) continue;
        for (int seed = 0; seed < e->study->seed_count; seed++) {
            const gyre_results_cell *c = gyre_results_at(e, i, seed);
            if (gyre_cell_counts(c)) {
                r.values[count++] = gyre_metric_shown(e->metric, c->result.metric);
            }
        }
        add_row(&r, i, count);
    }
    snprintf(name, sizeof name, "%s %s at the last step", report_part(e),
             gyre_metric_prose(e->metric).text);
    report_chart_begin(&f, AROUND + ROW * r.count,
                       report_quantity(name, e->metric->unit, "", label), "");
    plot_rows(&f, e, &r);
    report_chart_end(&f);
    status = report_figure_finish(&f);
out:
    close_rows(&r);
    report_figure_close(&f);
    return status;
}

gyre_status report_draw_differences(const gyre_results *e, int control, const char *output) {
    report_figure f;
    char label[REPORT_UNIT_MAX];
    rows r = {0};
    gyre_status status = report_figure_open(output, &f);
    if (status != GYRE_OK) goto out;
    GYRE_GOTO(open_rows(e, &r));
    report_chart_widen(&r.range, 0);
    for (int i = 0; i < e->comparison_count; i++) {
        int arm = e->comparisons[i].arm;
        if (e->comparisons[i].control != control) continue;
        add_row(&r, arm, gyre_results_differences(e, arm, control, false, r.values));
    }
    const char *unit = e->metric->difference_unit;
    snprintf(label, sizeof label, "difference in %s; %s of 0: better",
             *unit == '\0' ? gyre_metric_prose(e->metric).text : unit, report_right(e->metric));
    report_chart_begin(&f, AROUND + ROW * r.count, label, "");
    fputs("set arrow from 0, graph 0 to 0, graph 1 nohead back linewidth 1.5 linecolor rgb "
          "'#303030'\n",
          f.gp);
    plot_rows(&f, e, &r);
    report_chart_end(&f);
    status = report_figure_finish(&f);
out:
    close_rows(&r);
    report_figure_close(&f);
    return status;
}
