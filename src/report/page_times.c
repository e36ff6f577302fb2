/* The metric by the time of the noise schedule: two figures and a table. */
#include "chart.h"
#include "gyre/text.h"
#include "html.h"
#include "labels.h"
#include "page_parts.h"
#include "times.h"
#include <math.h>
#include <stdlib.h>

typedef gyre_status draw(const gyre_results *e, int group, const char *output);

static gyre_status figure(report_page *p, int group, const char *name, draw *drawn,
                          const char *title) {
    char *path = NULL, caption[REPORT_SENTENCE_MAX];
    const char *label = report_page_group(p->e, group);
    snprintf(caption, sizeof caption, "%.200s%s%s", label, *label == '\0' ? "" : ": ", title);
    gyre_status status = report_page_path(p, name, group, &path);
    if (status == GYRE_OK) status = drawn(p->e, group, path);
    if (status == GYRE_OK) status = report_page_figure(p, path, caption);
    free(path);
    return status;
}

static void arm_row(report_page *p, int arm, double *values) {
    const gyre_results *e = p->e;
    char name[REPORT_NAME_MAX];
    report_arm(e, arm, name);
    report_html_row_begin(p->f, e->study->arms[arm].control ? "control" : "");
    report_html_cell_text(p->f, name);
    for (int b = 0; b < GYRE_LOSS_BANDS_MAX; b++) {
        const int count = report_times_values(e, arm, b, values);
        const double mean = count > 0 ? gyre_summary_of(values, count).mean : (double)NAN;
        report_html_cell_number(p->f, "%.4g", gyre_metric_shown(e->metric, mean));
    }
    report_html_row_end(p->f);
}

static gyre_status table(report_page *p, int group) {
    char heads[256] = "arm", text[REPORT_UNIT_MAX];
    double *values = calloc((size_t)p->e->study->seed_count + 1, sizeof *values);
    if (values == NULL) return gyre_no_memory("a table");
    for (int b = 0; b < GYRE_LOSS_BANDS_MAX; b++) {
        const int width = 100 / GYRE_LOSS_BANDS_MAX;
        gyre_text_add(heads, sizeof heads, "|%d to %d %%", width * b, width * (b + 1));
    }
    fputs("<details><summary>", p->f);
    report_html_text(p->f, report_capital(p->e->metric, text));
    fputs(" by time, as a table of means</summary>\n", p->f);
    report_html_table_begin(p->f, heads);
    for (int i = 0; i < p->e->study->arm_count; i++) {
        if (p->e->study->arms[i].group == group) arm_row(p, i, values);
    }
    report_html_table_end(p->f);
    fputs("</details>\n", p->f);
    free(values);
    return GYRE_OK;
}

static gyre_status group_part(report_page *p, int group) {
    char title[2 * REPORT_UNIT_MAX], name[REPORT_UNIT_MAX];
    snprintf(title, sizeof title, "%s at the last step, by the time of the noise",
             report_capital(p->e->metric, name));
    fputs("<div class=\"figures\">\n", p->f);
    GYRE_TRY(figure(p, group, "times", report_draw_times, title));
    if (!p->e->single && p->e->main_control[group] >= 0) {
        GYRE_TRY(figure(p, group, "time-differences", report_draw_time_differences,
                        "The same as differences from the control with the same seed, in % of its "
                        "mean, with 95 % intervals"));
    }
    fputs("</div>\n", p->f);
    return table(p, group);
}

gyre_status report_page_times(report_page *p) {
    bool begun = false;
    for (int g = 0; g < p->e->study->group_count; g++) {
        if (!report_times_exist(p->e, g)) continue;
        if (!begun) {
            report_html_element(p->f, "h2", "By time of the noise");
            report_html_element(p->f, "p class=\"note\"",
                                "Small times: little noise, fine detail. Large times: little "
                                "of the image is left, its outline is decided. One mean hides "
                                "that an arm may be better at some times and worse at others.");
        }
        begun = true;
        GYRE_TRY(group_part(p, g));
    }
    return GYRE_OK;
}
