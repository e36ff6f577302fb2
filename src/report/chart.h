/* Figures of a report: narrow enough for a telephone, two of them side by side on a wide screen;
 * titles are the page's business. Internal to src/report. */
#ifndef GYRE_CHART_H
#define GYRE_CHART_H

#include "evidence.h"
#include "figure.h"

enum { GYRE_CHART_WIDTH = 560 };

/* Terminal, borders and labels of a chart; a plot command must follow. */
void gyre_chart_begin(gyre_figure *f, int height, const char *x_label, const char *y_label);
void gyre_chart_end(gyre_figure *f);
/* Axis ranges with numbers at sensible distances. */
void gyre_chart_x(gyre_figure *f, double low, double high);
void gyre_chart_y(gyre_figure *f, gyre_range range);
/* Names of `count` arms (-1: none) beside rows 1..count, the first on top. */
void gyre_chart_names(gyre_figure *f, const gyre_evidence *e, const int *arms, int count);
/* " linecolor rgb '#…' dashtype n": an arm's look in all figures. Arms that are no controls go
 * through a ramp of colours in their order, controls are grey and dashed. */
void gyre_chart_style(gyre_figure *f, const gyre_evidence *e, int arm);
/* Room for a legend of `count` names below the chart, in pixels; and the legend itself, in a figure
 * of `height` pixels. A single name needs none. */
int gyre_chart_legend_height(int count);
void gyre_chart_legend(gyre_figure *f, int height, int count);
/* " title 'NAME'" of an arm, quoted. */
void gyre_chart_title(gyre_figure *f, const gyre_evidence *e, int arm);
/* `low` and `high` made to hold the finite `value`; they begin as NaN. */
void gyre_chart_widen(gyre_range *range, double value);
gyre_range gyre_chart_margins(gyre_range range, double share);

/* ---- the figures; each writes `output`, a name that ends in .svg */
gyre_status gyre_draw_rates(const gyre_evidence *e, int group, const char *output);
/* Final accuracy: a dot per seed, mean and interval of each arm. */
gyre_status gyre_draw_final(const gyre_evidence *e, int group, const char *output);
/* Differences against one control: a dot per seed, mean and interval. */
gyre_status gyre_draw_differences(const gyre_evidence *e, int control, const char *output);
/* Mean curves of a group's arms with bands from the least to the greatest seed. */
typedef enum {
    GYRE_CURVE_ACCURACY,
    GYRE_CURVE_LOSS,
    GYRE_CURVE_TRAIN,
    GYRE_CURVE_MINIMA
} gyre_curve;
gyre_status gyre_draw_curves(const gyre_evidence *e, int group, gyre_curve curve,
                             const char *output);
/* Difference against the main control of each group. */
gyre_status gyre_draw_groups(const gyre_evidence *e, const char *output);

/* The band that a curve is drawn from. */
const gyre_band *gyre_curve_band(const gyre_evidence_arm *a, gyre_curve curve);
/* Is there anything to draw? */
bool gyre_curve_exists(const gyre_evidence *e, int group, gyre_curve curve);

#endif
