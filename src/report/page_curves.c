/* Curves over steps, steps to the target, and what another seed would tell. */
#include "chart.h"
#include "html.h"
#include "labels.h"
#include "page_parts.h"
#include <math.h>
#include <stdlib.h>

static gyre_status curve(report_page *p, int group, report_curve which, const char *name,
                         const char *title) {
    char *path = NULL, caption[REPORT_SENTENCE_MAX];
    const char *label = report_page_group(p->e, group);
    if (!report_curve_exists(p->e, group, which)) return GYRE_OK;
    snprintf(caption, sizeof caption, "%.200s%s%s", label, *label == '\0' ? "" : ": ", title);
    gyre_status status = report_page_path(p, name, group, &path);
    if (status == GYRE_OK) status = report_draw_curves(p->e, group, which, path);
    if (status == GYRE_OK) status = report_page_figure(p, path, caption);
    free(path);
    return status;
}

/* Its file is called after it: "absolute-error.svg". */
static gyre_status metric_curve(report_page *p, int group) {
    char title[REPORT_UNIT_MAX], name[REPORT_UNIT_MAX];
    snprintf(name, sizeof name, "%s", gyre_metric_prose(p->e->metric).text);
    for (char *c = name; *c != '\0'; c++) {
        if (*c == ' ') *c = '-';
    }
    return curve(p, group, REPORT_CURVE_METRIC, name, report_capital(p->e->metric, title));
}

static gyre_status minima_curve(report_page *p, int group) {
    char name[REPORT_UNIT_MAX], title[2 * REPORT_UNIT_MAX];
    snprintf(title, sizeof title,
             "%s at each minimum of the rate: what stopping there would have given",
             report_capital(p->e->metric, name));
    return curve(p, group, REPORT_CURVE_MINIMA, "minima", title);
}

/* The metric-versus-budget points of each arm. */
static void minima_table(report_page *p, int group) {
    const gyre_results *e = p->e;
    char text[REPORT_UNIT_MAX], mean[REPORT_UNIT_MAX + 8], heads[2 * REPORT_UNIT_MAX];
    fputs("<details><summary>", p->f);
    report_html_text(p->f, report_capital(e->metric, text));
    fputs(" at each minimum of the rate, as a table</summary>\n", p->f);
    snprintf(mean, sizeof mean, "%s, mean", gyre_metric_prose(e->metric).text);
    snprintf(heads, sizeof heads, "arm|minimum at step|seeds|%s|least|greatest",
             report_quantity(mean, e->metric->unit, "", text));
    report_html_table_begin(p->f, heads);
    const char *format = report_number(e->metric, false, text);
    for (int i = 0; i < e->study->arm_count; i++) {
        const gyre_band *b = &e->arms[i].minima_metric;
        char name[REPORT_NAME_MAX];
        if (e->study->arms[i].group != group) continue;
        report_arm(e, i, name);
        for (size_t k = 0; k < b->count; k++) {
            report_html_row_begin(p->f, "");
            report_html_cell_text(p->f, name);
            report_html_cell_number(p->f, "%.0f", b->points[k].step);
            report_html_cell_number(p->f, "%.0f", b->points[k].seeds);
            report_html_cell_number(p->f, format, b->points[k].mean);
            report_html_cell_number(p->f, format, b->points[k].least);
            report_html_cell_number(p->f, format, b->points[k].greatest);
            report_html_row_end(p->f);
        }
    }
    report_html_table_end(p->f);
    fputs("</details>\n", p->f);
}

gyre_status report_page_curves(report_page *p) {
    const gyre_results *e = p->e;
    report_html_element(p->f, "h2", "Curves");
    report_html_element(p->f, "p class=\"note\"",
                        e->single
                            ? "The axis leaves out what the first fifth of the run may show."
                            : "Lines are means over seeds, bands reach from the least to the "
                              "greatest seed. The axis leaves out what the first fifth of the "
                              "run may show.");
    for (int g = 0; g < e->study->group_count; g++) {
        fputs("<div class=\"figures\">\n", p->f);
        GYRE_TRY(metric_curve(p, g));
        GYRE_TRY(curve(p, g, REPORT_CURVE_LOSS, "loss", "Loss"));
        GYRE_TRY(minima_curve(p, g));
        GYRE_TRY(curve(p, g, REPORT_CURVE_TRAIN, "training-loss",
                       "Training loss (means of at most 200 stretches)"));
        fputs("</div>\n", p->f);
        if (report_curve_exists(e, g, REPORT_CURVE_MINIMA)) minima_table(p, g);
    }
    return GYRE_OK;
}
