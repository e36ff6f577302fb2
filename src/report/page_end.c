/* The end of the page: cells without a result, cost, and how to read it. */
#include "html.h"
#include "page.h"
#include "words.h"
#include <inttypes.h>
#include <math.h>

static bool is_whole(const gyre_evidence *e) {
    for (int i = 0; i < e->study->arm_count * e->study->seed_count; i++) {
        if (!gyre_cell_counts(&e->cells[i])) return false;
    }
    return true;
}

void gyre_page_cells(gyre_page *p) {
    const gyre_evidence *e = p->e;
    const gyre_study *s = e->study;
    if (is_whole(e)) return;
    gyre_html_element(p->f, "h2", e->single ? "State" : "Cells without a result");
    if (!e->single) {
        gyre_html_element(
            p->f, "p class=\"note\"",
            "They are in no mean and no comparison. A diverged cell is a result of its "
            "arm all the same: it missed the target, and its arm is not chosen while another "
            "finished with all seeds.");
    }
    gyre_html_table_begin(p->f, "arm|seed|state|steps|what it said");
    for (int arm = 0; arm < s->arm_count; arm++) {
        for (int seed = 0; seed < s->seed_count; seed++) {
            const gyre_evidence_cell *c = gyre_evidence_at(e, arm, seed);
            char number[32];
            if (gyre_cell_counts(c)) continue;
            snprintf(number, sizeof number, "%" PRIu64, s->seeds[seed]);
            gyre_html_row_begin(p->f, "");
            gyre_html_cell_text(p->f, s->arms[arm].name);
            gyre_html_cell_text(p->f, number);
            gyre_html_cell_text(p->f, gyre_words_state(c));
            gyre_html_cell_number(p->f, "%.0f", (double)c->result.steps);
            gyre_html_cell_text(p->f, c->result.message);
            gyre_html_row_end(p->f);
        }
    }
    gyre_html_table_end(p->f);
}

void gyre_page_cost(gyre_page *p) {
    const gyre_evidence *e = p->e;
    fputs("<section id=\"cost\">\n", p->f);
    gyre_html_element(p->f, "h2", "Cost");
    gyre_html_element(p->f, "p class=\"note\"",
                      "Seconds are the machine's; nothing else on this page is.");
    gyre_html_table_begin(p->f, "arm|steps of a cell|samples of a cell|seconds of a cell, mean");
    for (int i = 0; i < e->study->arm_count; i++) {
        const gyre_evidence_arm *a = &e->arms[i];
        double steps = a->schedule == NULL ? (double)NAN : (double)gyre_schedule_steps(a->schedule);
        gyre_html_row_begin(p->f, e->study->arms[i].control ? "control" : "");
        gyre_html_cell_text(p->f, e->study->arms[i].name);
        gyre_html_cell_number(p->f, "%.0f", steps);
        gyre_html_cell_number(p->f, "%.0f",
                              a->settings == NULL ? (double)NAN : steps * a->settings->batch_size);
        gyre_html_cell_number(p->f, "%.1f",
                              e->single ? gyre_evidence_at(e, i, 0)->result.seconds : a->seconds);
        gyre_html_row_end(p->f);
    }
    gyre_html_table_end(p->f);
    fputs("</section>\n", p->f);
}

void gyre_page_method(gyre_page *p) {
    static const char *const lines[] = {
        "Intervals are 95 % Student intervals of the mean; those of differences are of the paired "
        "differences.",
        "p comes from the sign-flip permutation test: how often would signs tossed at random give "
        "a "
        "mean difference as large? All 2ⁿ ways are counted up to 20 seeds. A difference is called "
        "one when p is at most 0.05.",
        "The planned comparison's p stands as it is. All others are corrected together by Holm's "
        "method, for among many questions some answer looks large by chance.",
        "Only arms are ranked whose cells have all ended, and of these only those that diverged "
        "with "
        "the fewest seeds. The choice is the highest mean over the seeds that these share.",
        "“Too few seeds” means that even the clearest outcome could not have reached 0.05; it does "
        "not mean that there is no difference.",
        "Intervals of many arms looked at together hold less often than 95 %; the choice of an arm "
        "rests on them and is exploratory.",
    };
    if (p->e->single) return;
    gyre_html_element(p->f, "h2", "How to read this");
    fputs("<ul>\n", p->f);
    gyre_html_element(p->f, "li",
                      *p->differing == '\0'
                          ? "A comparison is made within a group, seed by seed: the difference of "
                            "two cells that share everything but the schedule. Only seeds count "
                            "with which both are done."
                          : "A comparison is made within a group, seed by seed. What the two cells "
                            "share, besides the seed, is said under “What was compared”. Only "
                            "seeds count with which both are done.");
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        gyre_html_element(p->f, "li", lines[i]);
    }
    fputs("</ul>\n", p->f);
}
