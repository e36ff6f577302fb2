/* Figures of a report: narrow enough for a telephone, two of them side by side on a wide screen;
 * titles are the page's business. Internal to src/report. */
#ifndef GYRE_REPORT_CHART_H
#define GYRE_REPORT_CHART_H

#include "figure.h"
#include "gyre/results.h"

enum { REPORT_CHART_WIDTH = 560 };

/* Terminal, borders and labels of a chart; a plot command must follow. */
void report_chart_begin(report_figure *f, int height, const char *x_label, const char *y_label);
void report_chart_end(report_figure *f);
/* Axis ranges with numbers at sensible distances. */
void report_chart_x(report_figure *f, double low, double high);
void report_chart_y(report_figure *f, report_range range);
/* Names of `count` arms (-1: none) beside rows 1..count, the first on top. */
void report_chart_names(report_figure *f, const gyre_results *e, const int *arms, int count);
/* " linecolor rgb '#…' dashtype n": an arm's look in all figures. Arms that are no controls go
 * through a ramp of colours in their order, controls are grey and dashed. */
void report_chart_style(report_figure *f, const gyre_results *e, int arm);
/* Room for a legend of `count` names below the chart, in pixels; and the legend itself, in a figure
 * of `height` pixels. A single name needs none. */
int report_chart_legend_height(int count);
void report_chart_legend(report_figure *f, int height, int count);
/* " title 'NAME'" of an arm, quoted. */
void report_chart_title(report_figure *f, const gyre_results *e, int arm);
/* `low` and `high` made to hold the finite `value`; they begin as NaN. */
void report_chart_widen(report_range *range, double value);
report_range report_chart_margins(report_range range, double share);

/* ---- the figures; each writes `output`, a name that ends in .svg */
gyre_status report_draw_rates(const gyre_results *e, int group, const char *output);
/* The final metric: a dot per seed, mean and interval of each arm. */
gyre_status report_draw_final(const gyre_results *e, int group, const char *output);
/* Differences against one control: a dot per seed, mean and interval. */
gyre_status report_draw_differences(const gyre_results *e, int control, const char *output);
/* Mean curves of a group's arms with bands from the least to the greatest seed. */
typedef enum {
    REPORT_CURVE_METRIC,
    REPORT_CURVE_LOSS,
    REPORT_CURVE_TRAIN,
    REPORT_CURVE_MINIMA
} report_curve;
gyre_status report_draw_curves(const gyre_results *e, int group, report_curve curve,
                               const char *output);
/* The metric by the time of the noise (times.h): means of a group's arms, and their differences
 * from its main control. */
gyre_status report_draw_times(const gyre_results *e, int group, const char *output);
gyre_status report_draw_time_differences(const gyre_results *e, int group, const char *output);
/* Difference against the main control of each group. */
gyre_status report_draw_groups(const gyre_results *e, const char *output);

/* The band that a curve is drawn from. */
const gyre_band *report_curve_band(const gyre_results_arm *a, report_curve curve);
/* Is there anything to draw? */
bool report_curve_exists(const gyre_results *e, int group, report_curve curve);

#endif
