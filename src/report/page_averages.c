/* The last weights and the averages beside them, at the last step. */
#include "averages.h"
#include "gyre/text.h"
#include "html.h"
#include "labels.h"
#include "page_parts.h"
#include <math.h>
#include <stdlib.h>

static const char *title_of(gyre_average_kind kind) {
    return kind == GYRE_AVERAGE_NONE ? "last weights" : gyre_average_name(kind);
}

static void row(report_page *p, int arm, gyre_average_kind kind, double *values) {
    const gyre_results *e = p->e;
    char name[REPORT_NAME_MAX];
    const int count = report_averages_values(e, arm, kind, values);
    if (count == 0) return;
    report_arm(e, arm, name);
    report_html_row_begin(p->f, e->study->arms[arm].control ? "control" : "");
    report_html_cell_text(p->f, name);
    report_html_cell_text(p->f, title_of(kind));
    gyre_summary s = gyre_summary_of(values, count);
    report_html_cell_number(p->f, "%.4g", s.mean);
    report_html_cell_interval(p->f, "%.4g", s.interval);
    const bool itself = kind == GYRE_AVERAGE_NONE;
    const int gains = itself ? 0 : report_averages_gains(e, arm, kind, values);
    s = gyre_summary_of(values, gains);
    report_html_cell_number(p->f, "%+.3g", s.mean);
    report_html_cell_interval(p->f, "%+.3g", s.interval);
    report_html_cell_number(p->f, "%.2g",
                            gains < 2 ? (double)NAN : gyre_sign_flip_p(values, gains));
    report_html_row_end(p->f);
}

static gyre_status table(report_page *p, int group) {
    char heads[256], unit[REPORT_UNIT_MAX];
    const char *label = report_page_group(p->e, group);
    double *values = calloc((size_t)p->e->study->seed_count + 1, sizeof *values);
    if (values == NULL) return gyre_no_memory("a table");
    if (*label != '\0') report_html_element(p->f, "h3", p->e->study->groups[group]);
    snprintf(heads, sizeof heads, "arm|weights|%s|95 %% interval|against last|95 %% interval|p",
             report_capital(p->e->metric, unit));
    report_html_table_begin(p->f, heads);
    for (int i = 0; i < p->e->study->arm_count; i++) {
        if (p->e->study->arms[i].group != group) continue;
        for (int k = 0; k < GYRE_AVERAGE_COUNT; k++) row(p, i, (gyre_average_kind)k, values);
    }
    report_html_table_end(p->f);
    free(values);
    return GYRE_OK;
}

gyre_status report_page_averages(report_page *p) {
    bool begun = false;
    for (int g = 0; g < p->e->study->group_count; g++) {
        if (!report_averages_exist(p->e, g, GYRE_AVERAGE_NONE)) continue;
        if (!begun) report_html_element(p->f, "h2", "Averages of the weights");
        begun = true;
        GYRE_TRY(table(p, g));
    }
    if (!begun) return GYRE_OK;
    report_html_element(
        p->f, "p class=\"note\"",
        "At the last step, each of the same cells: the weights as training left them, and averages "
        "of them that were kept beside (average.kind and average.beside of the config). ema: a "
        "moving average over the steps; swa: the mean of the weights at equal distances over the "
        "last part; minima: their mean over the minima of the rate, which a schedule without "
        "minima has none of, so that it is the last weights. Differences are between weights of "
        "one cell; p is of sign flips, without a correction for the number of rows.");
    return GYRE_OK;
}
