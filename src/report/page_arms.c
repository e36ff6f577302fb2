/* What was compared: the arms and their learning rates. */
#include "chart.h"
#include "html.h"
#include "labels.h"
#include "page_parts.h"
#include <stdlib.h>

static void arms_table(report_page *p) {
    const gyre_study *s = p->e->study;
    report_html_table_begin(p->f, s->group_count > 1 ? "arm|what differs from the base|role|group"
                                                     : "arm|what differs from the base|role");
    for (int i = 0; i < s->arm_count; i++) {
        const char *role = s->arms[i].control ? "control" : "";
        if (i == s->planned_arm) role = "planned comparison";
        if (i == s->planned_control) role = "control of the planned comparison";
        report_html_row_begin(p->f, s->arms[i].control ? "control" : "");
        report_html_cell_text(p->f, s->arms[i].name);
        report_html_cell_text(p->f, s->arms[i].sentence);
        report_html_cell_text(p->f, role);
        if (s->group_count > 1) report_html_cell_text(p->f, s->groups[s->arms[i].group]);
        report_html_row_end(p->f);
    }
    report_html_table_end(p->f);
}

/* Only where nothing but the schedule differs do cells of one seed share all the rest. */
static void sharing(report_page *p) {
    if (*p->differing == '\0') {
        report_html_element(p->f, "p",
                            "Arms of one seed share initial weights, order of samples and "
                            "augmentation; they differ in what this table says, and in nothing "
                            "else.");
        return;
    }
    char line[REPORT_SENTENCE_MAX + 256];
    snprintf(line, sizeof line,
             "The arms differ in more than their schedule: %s. A difference between them is the "
             "effect of all of it together, and cells of one seed share what these leave the same.",
             p->differing);
    report_html_element(p->f, "p class=\"warning\"", line);
}

static bool has_schedule(const gyre_results *e, int group) {
    for (int i = 0; i < e->study->arm_count; i++) {
        if (e->study->arms[i].group == group && e->arms[i].schedule != NULL) return true;
    }
    return false;
}

gyre_status report_page_compared(report_page *p) {
    gyre_status status = GYRE_OK;
    char *path = NULL;
    if (p->e->single) {
        report_html_element(p->f, "h2", "The run");
        report_html_element(p->f, "p", p->e->study->arms[0].sentence);
    } else {
        report_html_element(p->f, "h2", "What was compared");
        sharing(p);
        arms_table(p);
    }
    for (int g = 0; g < p->e->study->group_count && path == NULL; g++) {
        if (!has_schedule(p->e, g)) continue;
        GYRE_GOTO(report_page_path(p, "learning-rates", -1, &path));
        GYRE_GOTO(report_draw_rates(p->e, g, path));
        fputs("<div class=\"figures\">\n", p->f);
        GYRE_GOTO(report_page_figure(p, path, "Learning rate over steps"));
        fputs("</div>\n", p->f);
    }
out:
    free(path);
    return status;
}
