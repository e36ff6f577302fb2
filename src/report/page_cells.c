/* Cells without a result, and what the cells cost. */
#include "html.h"
#include "labels.h"
#include "page_parts.h"
#include <inttypes.h>
#include <math.h>

static bool is_whole(const gyre_results *e) {
    for (int i = 0; i < e->study->arm_count * e->study->seed_count; i++) {
        if (!gyre_cell_counts(&e->cells[i])) return false;
    }
    return true;
}

void report_page_cells(report_page *p) {
    const gyre_results *e = p->e;
    const gyre_study *s = e->study;
    if (is_whole(e)) return;
    report_html_element(p->f, "h2", e->single ? "State" : "Cells without a result");
    if (!e->single) {
        report_html_element(
            p->f, "p class=\"note\"",
            "They are in no mean and no comparison. A diverged cell is a result of its "
            "arm all the same: it missed the target, and its arm is not chosen while another "
            "finished with all seeds.");
    }
    report_html_table_begin(p->f, "arm|seed|state|steps|what it said");
    for (int arm = 0; arm < s->arm_count; arm++) {
        for (int seed = 0; seed < s->seed_count; seed++) {
            const gyre_results_cell *c = gyre_results_at(e, arm, seed);
            char number[32];
            if (gyre_cell_counts(c)) continue;
            snprintf(number, sizeof number, "%" PRIu64, s->seeds[seed]);
            report_html_row_begin(p->f, "");
            report_html_cell_text(p->f, s->arms[arm].name);
            report_html_cell_text(p->f, number);
            report_html_cell_text(p->f, report_state(c));
            report_html_cell_number(p->f, "%.0f", (double)c->result.steps);
            report_html_cell_text(p->f, c->result.message);
            report_html_row_end(p->f);
        }
    }
    report_html_table_end(p->f);
}

void report_page_cost(report_page *p) {
    const gyre_results *e = p->e;
    fputs("<section id=\"cost\">\n", p->f);
    report_html_element(p->f, "h2", "Cost");
    report_html_element(p->f, "p class=\"note\"",
                        "Seconds are the machine's; nothing else on this page is.");
    report_html_table_begin(p->f, "arm|steps of a cell|samples of a cell|seconds of a cell, mean");
    for (int i = 0; i < e->study->arm_count; i++) {
        const gyre_results_arm *a = &e->arms[i];
        double steps = a->schedule == NULL ? (double)NAN : (double)gyre_schedule_steps(a->schedule);
        report_html_row_begin(p->f, e->study->arms[i].control ? "control" : "");
        report_html_cell_text(p->f, e->study->arms[i].name);
        report_html_cell_number(p->f, "%.0f", steps);
        report_html_cell_number(
            p->f, "%.0f", a->settings == NULL ? (double)NAN : steps * a->settings->batch_size);
        report_html_cell_number(p->f, "%.1f",
                                e->single ? gyre_results_at(e, i, 0)->result.seconds : a->seconds);
        report_html_row_end(p->f);
    }
    report_html_table_end(p->f);
    fputs("</section>\n", p->f);
}
