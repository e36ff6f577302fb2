/* Curves over steps, steps to the target, and what another seed would tell. */
#include "chart.h"
#include "html.h"
#include "page.h"
#include "words.h"
#include <math.h>
#include <stdlib.h>

static gyre_status curve(gyre_page *p, int group, gyre_curve which, const char *name,
                         const char *title) {
    char *path = NULL, caption[GYRE_SENTENCE_MAX];
    const char *words = gyre_page_group(p->e, group);
    if (!gyre_curve_exists(p->e, group, which)) return GYRE_OK;
    snprintf(caption, sizeof caption, "%.200s%s%s", words, *words == '\0' ? "" : ": ", title);
    gyre_status status = gyre_page_path(p, name, group, &path);
    if (status == GYRE_OK) status = gyre_draw_curves(p->e, group, which, path);
    if (status == GYRE_OK) status = gyre_page_figure(p, path, caption);
    free(path);
    return status;
}

/* The accuracy-versus-budget points of each arm. */
static void minima_table(gyre_page *p, int group) {
    const gyre_evidence *e = p->e;
    fputs("<details><summary>Accuracy at each minimum of the rate, as a table</summary>\n", p->f);
    gyre_html_table_begin(p->f, "arm|minimum at step|seeds|accuracy, mean (%)|least|greatest");
    for (int i = 0; i < e->study->arm_count; i++) {
        const gyre_band *b = &e->arms[i].minima_accuracy;
        char name[GYRE_NAME_MAX];
        if (e->study->arms[i].group != group) continue;
        gyre_words_arm(e, i, name);
        for (size_t k = 0; k < b->count; k++) {
            gyre_html_row_begin(p->f, "");
            gyre_html_cell_text(p->f, name);
            gyre_html_cell_number(p->f, "%.0f", b->points[k].step);
            gyre_html_cell_number(p->f, "%.0f", b->points[k].seeds);
            gyre_html_cell_number(p->f, "%.2f", b->points[k].mean);
            gyre_html_cell_number(p->f, "%.2f", b->points[k].least);
            gyre_html_cell_number(p->f, "%.2f", b->points[k].greatest);
            gyre_html_row_end(p->f);
        }
    }
    gyre_html_table_end(p->f);
    fputs("</details>\n", p->f);
}

gyre_status gyre_page_curves(gyre_page *p) {
    const gyre_evidence *e = p->e;
    gyre_html_element(p->f, "h2", "Curves");
    gyre_html_element(p->f, "p class=\"note\"",
                      e->single ? "The axis leaves out what the first fifth of the run may show."
                                : "Lines are means over seeds, bands reach from the least to the "
                                  "greatest seed. The axis leaves out what the first fifth of the "
                                  "run may show.");
    for (int g = 0; g < e->study->group_count; g++) {
        fputs("<div class=\"figures\">\n", p->f);
        GYRE_TRY(curve(p, g, GYRE_CURVE_ACCURACY, "accuracy", "Accuracy"));
        GYRE_TRY(curve(p, g, GYRE_CURVE_LOSS, "loss", "Loss"));
        GYRE_TRY(
            curve(p, g, GYRE_CURVE_MINIMA, "minima",
                  "Accuracy at each minimum of the rate: what stopping there would have given"));
        GYRE_TRY(curve(p, g, GYRE_CURVE_TRAIN, "training-loss",
                       "Training loss (means of at most 200 stretches)"));
        fputs("</div>\n", p->f);
        if (gyre_curve_exists(e, g, GYRE_CURVE_MINIMA)) minima_table(p, g);
    }
    return GYRE_OK;
}

/* ---- steps to the target */

static void target_words(const gyre_evidence *e, int group, char out[GYRE_SENTENCE_MAX]) {
    char name[GYRE_NAME_MAX];
    const char *words = gyre_page_group(e, group);
    *out = '\0';
    if (*words != '\0') gyre_words_add(out, "%.100s: ", words);
    gyre_words_add(out, "target %.2f %%", e->target[group]);
    if (e->target_given) {
        gyre_words_add(out, ", as asked for.");
        return;
    }
    gyre_words_arm(e, e->main_control[group], name);
    gyre_words_add(out, ", the final mean of %s.", name);
}

void gyre_page_target(gyre_page *p) {
    const gyre_evidence *e = p->e;
    char line[GYRE_SENTENCE_MAX];
    bool begun = false;
    for (int g = 0; g < e->study->group_count; g++) {
        if (isnan(e->target[g])) continue;
        if (!begun) {
            gyre_html_element(p->f, "h2", "Steps to the target");
            gyre_html_element(p->f, "p class=\"note\"",
                              "At which evaluation a run was there first. A run that never was "
                              "counts as infinite, so the median may be “never”.");
        }
        begun = true;
        target_words(e, g, line);
        gyre_html_element(p->f, "p", line);
        gyre_html_table_begin(p->f, "arm|reached|of seeds|median steps");
        for (int i = 0; i < e->study->arm_count; i++) {
            char name[GYRE_NAME_MAX];
            if (e->study->arms[i].group != g) continue;
            gyre_words_arm(e, i, name);
            gyre_html_row_begin(p->f, e->study->arms[i].control ? "control" : "");
            gyre_html_cell_text(p->f, name);
            gyre_html_cell_number(p->f, "%.0f", e->arms[i].reached);
            gyre_html_cell_number(p->f, "%.0f", e->arms[i].tried);
            gyre_html_cell_number(p->f, "%.0f", e->arms[i].to_target);
            gyre_html_row_end(p->f);
        }
        gyre_html_table_end(p->f);
    }
}

/* ---- one more seed */

void gyre_page_next(gyre_page *p) {
    const gyre_evidence *e = p->e;
    char line[GYRE_SENTENCE_MAX];
    bool begun = false;
    for (int g = 0; g < e->study->group_count; g++) {
        const gyre_comparison *c = gyre_words_main(e, g);
        if (c == NULL || c->final.count == 0) continue;
        if (!begun)
            fputs("<h2>What one more seed would tell</h2>\n<ul class=\"sentences\">\n", p->f);
        begun = true;
        gyre_words_one_more(e, c, line);
        fputs("<li>", p->f);
        const char *words = gyre_page_group(e, g);
        gyre_html_text(p->f, words);
        fputs(*words == '\0' ? "" : ": ", p->f);
        gyre_html_text(p->f, line);
        fputs("</li>\n", p->f);
    }
    if (begun) fputs("</ul>\n", p->f);
}
