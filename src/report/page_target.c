/* Steps to the target, and what one more seed would tell. */
#include "html.h"
#include "page_parts.h"
#include "sentences.h"
#include "verdict.h"
#include <math.h>

/* ---- steps to the target */

static void describe_target(const gyre_results *e, int group, char out[REPORT_SENTENCE_MAX]) {
    char name[REPORT_NAME_MAX], value[REPORT_UNIT_MAX];
    const char *label = report_page_group(e, group);
    *out = '\0';
    if (*label != '\0') report_add(out, "%.100s: ", label);
    report_add(out, "target %s", report_value(e->metric, e->target[group], value));
    if (e->target_given) {
        report_add(out, ", as asked for.");
        return;
    }
    report_arm(e, e->main_control[group], name);
    report_add(out, ", the final mean of %s.", name);
}

void report_page_target(report_page *p) {
    const gyre_results *e = p->e;
    char line[REPORT_SENTENCE_MAX];
    bool begun = false;
    for (int g = 0; g < e->study->group_count; g++) {
        if (isnan(e->target[g])) continue;
        if (!begun) {
            report_html_element(p->f, "h2", "Steps to the target");
            report_html_element(p->f, "p class=\"note\"",
                                "At which evaluation a run was there first. A run that never was "
                                "counts as infinite, so the median may be “never”.");
        }
        begun = true;
        describe_target(e, g, line);
        report_html_element(p->f, "p", line);
        report_html_table_begin(p->f, "arm|reached|of seeds|median steps");
        for (int i = 0; i < e->study->arm_count; i++) {
            char name[REPORT_NAME_MAX];
            if (e->study->arms[i].group != g) continue;
            report_arm(e, i, name);
            report_html_row_begin(p->f, e->study->arms[i].control ? "control" : "");
            report_html_cell_text(p->f, name);
            report_html_cell_number(p->f, "%.0f", e->arms[i].reached);
            report_html_cell_number(p->f, "%.0f", e->arms[i].tried);
            report_html_cell_number(p->f, "%.0f", e->arms[i].to_target);
            report_html_row_end(p->f);
        }
        report_html_table_end(p->f);
    }
}

/* ---- one more seed */

void report_page_next(report_page *p) {
    const gyre_results *e = p->e;
    char line[REPORT_SENTENCE_MAX];
    bool begun = false;
    for (int g = 0; g < e->study->group_count; g++) {
        const gyre_comparison *c = report_main(e, g);
        if (c == NULL || c->final.count == 0) continue;
        if (!begun)
            fputs("<h2>What one more seed would tell</h2>\n<ul class=\"sentences\">\n", p->f);
        begun = true;
        report_one_more(e, c, line);
        fputs("<li>", p->f);
        const char *label = report_page_group(e, g);
        report_html_text(p->f, label);
        fputs(*label == '\0' ? "" : ": ", p->f);
        report_html_text(p->f, line);
        fputs("</li>\n", p->f);
    }
    if (begun) fputs("</ul>\n", p->f);
}
