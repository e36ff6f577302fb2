/* Values and differences: the figures and tables that the verdict rests on. */
#include "chart.h"
#include "html.h"
#include "labels.h"
#include "page_parts.h"
#include "sentences.h"
#include <limits.h>
#include <math.h>
#include <stdlib.h>

static const char *heading(const gyre_results *e, int group, const char *title,
                           char out[REPORT_SENTENCE_MAX]) {
    const char *name = report_page_group(e, group);
    snprintf(out, REPORT_SENTENCE_MAX, "%s%s%.200s", title, *name == '\0' ? "" : ": ", name);
    return out;
}

static bool has_controls(const gyre_results *e) {
    for (int g = 0; g < e->study->group_count; g++) {
        if (e->main_control[g] >= 0) return true;
    }
    return false;
}

static void count_in(const gyre_results *e, int group, int *done, int *diverged) {
    *done = *diverged = 0;
    for (int i = 0; i < e->study->arm_count; i++) {
        if (e->study->arms[i].group != group) continue;
        *done += e->arms[i].done;
        *diverged += e->arms[i].diverged;
    }
}

/* ---- tables */

static bool is_tested(const gyre_results *e) {
    for (int i = 0; i < e->study->arm_count; i++) {
        if (e->arms[i].test.count > 0) return true;
    }
    return false;
}

static bool is_uneven(const gyre_results *e, int group) {
    for (int i = 0; i < e->study->arm_count; i++) {
        if (e->study->arms[i].group == group && e->arms[i].done < e->study->seed_count) return true;
    }
    return false;
}

/* "6" where all arms have all, else "6 of 10, 4 diverged". */
static void seeds_cell(report_page *p, int arm) {
    const gyre_results_arm *a = &p->e->arms[arm];
    char text[REPORT_SENTENCE_MAX] = "";
    if (!is_uneven(p->e, p->e->study->arms[arm].group)) {
        report_html_cell_number(p->f, "%.0f", a->done);
        return;
    }
    report_add(text, "%d of %d", a->done, p->e->study->seed_count);
    if (a->diverged > 0) report_add(text, ", %d diverged", a->diverged);
    if (a->open > 0) report_add(text, ", %d not there yet", a->open);
    report_html_cell_text(p->f, text);
}

static void values_table(report_page *p, int group) {
    const gyre_results *e = p->e;
    const bool tested = is_tested(e);
    const int leader = e->rankings[group].leader;
    const char *unit = e->metric->unit;
    char heads[512], final[REPORT_UNIT_MAX], best[REPORT_UNIT_MAX], test[REPORT_UNIT_MAX];
    snprintf(heads, sizeof heads, "arm|seeds|%s|sd|95 %% interval|%s|sd|95 %% interval%s%s%s",
             report_quantity("final, mean", unit, "", final),
             report_quantity("best, mean", unit, "", best), tested ? "|" : "",
             tested ? report_quantity("test, mean", unit, "", test) : "", tested ? "|sd" : "");
    const char *format = report_number(e->metric, false, final);
    report_html_table_begin(p->f, heads);
    for (int i = 0; i < e->study->arm_count; i++) {
        const gyre_results_arm *a = &e->arms[i];
        char name[REPORT_NAME_MAX];
        if (e->study->arms[i].group != group) continue;
        report_arm(e, i, name);
        report_html_row_begin(p->f, e->study->arms[i].control ? "control"
                                    : i == leader             ? "leader"
                                                              : "");
        report_html_cell_text(p->f, name);
        seeds_cell(p, i);
        report_html_cell_number(p->f, format, a->final.mean);
        report_html_cell_number(p->f, format, a->final.sd);
        report_html_cell_interval(p->f, format, a->final.interval);
        report_html_cell_number(p->f, format, a->best.mean);
        report_html_cell_number(p->f, format, a->best.sd);
        report_html_cell_interval(p->f, format, a->best.interval);
        if (tested) report_html_cell_number(p->f, format, a->test.mean);
        if (tested) report_html_cell_number(p->f, format, a->test.sd);
        report_html_row_end(p->f);
    }
    report_html_table_end(p->f);
    if (e->single) return;
    report_html_element(p->f, "p class=\"note\"",
                        "Final: at the last step. Best: the best of a run's evaluations. sd: "
                        "standard deviation over the seeds.");
}

static const char *row_kind(const gyre_comparison *c) {
    if (c->finding == GYRE_FINDING_BETTER) return c->planned ? "planned better" : "better";
    if (c->finding == GYRE_FINDING_WORSE) return c->planned ? "planned worse" : "worse";
    return c->planned ? "planned" : "";
}

static bool has_bootstrap(const gyre_results *e) {
    for (int i = 0; i < e->comparison_count; i++) {
        if (!isnan(e->comparisons[i].bootstrap.low)) return true;
    }
    return false;
}

/* What was found, and whether it leaves something out. */
static void finding_cell(FILE *f, const gyre_results *e, const gyre_comparison *c) {
    char text[REPORT_SENTENCE_MAX] = "";
    bool diverged = e->arms[c->arm].diverged > 0 || e->arms[c->control].diverged > 0;
    bool shown = c->finding == GYRE_FINDING_BETTER || c->finding == GYRE_FINDING_WORSE;
    report_add(text, "%s%s", report_finding(c->finding),
               diverged && shown ? " where both finished" : "");
    report_html_cell_text(f, text);
}

static void difference_row(FILE *f, const gyre_results *e, const gyre_comparison *c,
                           bool bootstrap) {
    const bool known = c->final.count > 1;
    char name[REPORT_NAME_MAX], plain[REPORT_UNIT_MAX], sign[REPORT_UNIT_MAX];
    report_number(e->metric, false, plain);
    report_number(e->metric, true, sign);
    report_html_row_begin(f, row_kind(c));
    report_arm(e, c->arm, name);
    report_html_cell_text(f, name);
    report_arm(e, c->control, name);
    report_html_cell_text(f, name);
    report_html_cell_number(f, "%.0f", c->final.count);
    report_html_cell_number(f, sign, c->final.mean);
    report_html_cell_interval(f, plain, c->final.interval);
    report_html_cell_number(f, "%.2g", known ? c->p : (double)NAN);
    report_html_cell_number(f, "%.2g", known && !c->planned ? c->corrected : (double)NAN);
    finding_cell(f, e, c);
    report_html_cell_number(f, plain, c->final.sd);
    if (bootstrap) report_html_cell_interval(f, plain, c->bootstrap);
    report_html_cell_number(f, sign, c->best.mean);
    report_html_cell_interval(f, plain, c->best.interval);
    report_html_row_end(f);
}

static void differences_table(report_page *p, int group) {
    const gyre_results *e = p->e;
    const bool bootstrap = has_bootstrap(e);
    char heads[512], difference[REPORT_UNIT_MAX];
    snprintf(
        heads, sizeof heads,
        "arm|against|pairs|%s|95 %% interval|p|corrected p|verdict|sd%s|best: difference|best: "
        "95 %% interval",
        report_quantity("difference", e->metric->difference_unit, "", difference),
        bootstrap ? "|bootstrap interval" : "");
    report_html_table_begin(p->f, heads);
    for (int i = 0; i < e->comparison_count; i++) {
        const gyre_comparison *c = &e->comparisons[i];
        if (e->study->arms[c->arm].group == group) difference_row(p->f, e, c, bootstrap);
    }
    report_html_table_end(p->f);
    report_html_element(p->f, "p class=\"note\"",
                        "Pairs: seeds with which both are done. sd: standard deviation of the "
                        "differences over these. The columns “best” compare the best of each "
                        "run's evaluations in place of the last.");
}

static void sentences(report_page *p, int group) {
    char sentence[REPORT_SENTENCE_MAX];
    fputs("<details><summary>The same in sentences</summary>\n<ul class=\"sentences\">\n", p->f);
    for (int i = 0; i < p->e->comparison_count; i++) {
        const gyre_comparison *c = &p->e->comparisons[i];
        if (p->e->study->arms[c->arm].group != group) continue;
        report_comparison(p->e, c, sentence);
        report_html_element(p->f, c->planned ? "li class=\"planned\"" : "li", sentence);
    }
    fputs("</ul></details>\n", p->f);
}

/* ---- figures */

static gyre_status final_figure(report_page *p, int group) {
    char *path = NULL, title[2 * REPORT_UNIT_MAX], caption[REPORT_SENTENCE_MAX];
    int done, diverged;
    count_in(p->e, group, &done, &diverged);
    gyre_status status = report_page_path(p, "final", group, &path);
    if (status == GYRE_OK) status = report_draw_final(p->e, group, path);
    snprintf(title, sizeof title, "Final %s: rings are seeds, dots means with 95 %% intervals",
             gyre_metric_prose(p->e->metric).text);
    heading(p->e, group, title, caption);
    if (diverged > 0) {
        report_add(caption, " (%d cell%s diverged and %s not in it)", diverged,
                   diverged == 1 ? "" : "s", diverged == 1 ? "is" : "are");
    }
    if (status == GYRE_OK) status = report_page_figure(p, path, caption);
    free(path);
    return status;
}

static bool is_compared_with(const gyre_results *e, int control) {
    for (int i = 0; i < e->comparison_count; i++) {
        if (e->comparisons[i].control == control && e->comparisons[i].final.count > 0) return true;
    }
    return false;
}

static gyre_status difference_figure(report_page *p, int control) {
    const int group = p->e->study->arms[control].group;
    char *path = NULL, name[REPORT_NAME_MAX], file[32], text[REPORT_NAME_MAX + 32];
    char caption[REPORT_SENTENCE_MAX];
    report_arm(p->e, control, name);
    snprintf(file, sizeof file, "difference-%d", control + 1);
    snprintf(text, sizeof text, "Difference from %s, pair by pair", name);
    gyre_status status = report_page_path(p, file, group, &path);
    if (status == GYRE_OK) status = report_draw_differences(p->e, control, path);
    if (status == GYRE_OK) {
        status = report_page_figure(p, path, heading(p->e, group, text, caption));
    }
    free(path);
    return status;
}

static gyre_status group_figures(report_page *p, int group) {
    const gyre_results *e = p->e;
    const int first = e->main_control[group];
    gyre_status status = GYRE_OK;
    fputs("<div class=\"figures\">\n", p->f);
    if (first >= 0 && is_compared_with(e, first)) GYRE_TRY(difference_figure(p, first));
    GYRE_TRY(final_figure(p, group));
    for (int i = 0; i < e->study->arm_count && status == GYRE_OK; i++) {
        if (i == first || e->study->arms[i].group != group) continue;
        if (is_compared_with(e, i)) status = difference_figure(p, i);
    }
    fputs("</div>\n", p->f);
    return status;
}

static gyre_status over_groups(report_page *p) {
    char *path = NULL, caption[REPORT_SENTENCE_MAX];
    gyre_status status = report_page_path(p, "groups", -1, &path);
    if (status == GYRE_OK) status = report_draw_groups(p->e, path);
    report_html_element(p->f, "h2", "Over dataset sizes");
    fputs("<div class=\"figures\">\n", p->f);
    if (status == GYRE_OK) {
        snprintf(caption, sizeof caption,
                 "Difference from the control of the same dataset size, with 95 %% intervals; %s "
                 "0: better",
                 report_above(p->e->metric));
        status = report_page_figure(p, path, caption);
    }
    fputs("</div>\n", p->f);
    free(path);
    return status;
}

/* The least values that a mean or, where there are comparisons, a difference rests on. */
static int least_count(const gyre_results *e) {
    int least = INT_MAX;
    for (int i = 0; i < e->comparison_count; i++) {
        int count = e->comparisons[i].final.count;
        if (count > 0 && count < least) least = count;
    }
    for (int i = 0; i < e->study->arm_count && e->comparison_count == 0; i++) {
        if (e->arms[i].done > 0 && e->arms[i].done < least) least = e->arms[i].done;
    }
    return least;
}

static void caveats(report_page *p) {
    const int least = least_count(p->e);
    char line[REPORT_SENTENCE_MAX];
    report_correction(p->e, line);
    if (*line != '\0') report_html_element(p->f, "p", line);
    if (least < GYRE_CAVEAT_SEEDS) {
        *line = '\0';
        report_add(line,
                   "Intervals from fewer than 10 %s (here from %d) lean on the %s being "
                   "roughly normal, which so few cannot show.",
                   p->e->comparison_count > 0 ? "pairs" : "seeds", least,
                   p->e->comparison_count > 0 ? "differences" : "values");
        report_html_element(p->f, "p class=\"note\"", line);
    }
    report_html_element(
        p->f, "p class=\"note\"",
        "Final values are the primary metric. The best of a run is exploratory: it is "
        "chosen by the same samples that measure it, and so flatters.");
}

gyre_status report_page_results(report_page *p) {
    const gyre_results *e = p->e;
    char title[REPORT_SENTENCE_MAX];
    if (e->study->group_count > 1 && has_controls(e)) GYRE_TRY(over_groups(p));
    for (int g = 0; g < e->study->group_count; g++) {
        report_html_element(p->f, "h2", heading(e, g, e->single ? "Result" : "Results", title));
        int done, diverged;
        count_in(e, g, &done, &diverged);
        if (done == 0) {
            report_html_element(p->f, "p", "No cell is done with a finite result.");
            continue;
        }
        if (!e->single) GYRE_TRY(group_figures(p, g));
        bool compared = false;
        for (int i = 0; i < e->comparison_count; i++) {
            compared |= e->study->arms[e->comparisons[i].arm].group == g;
        }
        if (compared) {
            report_html_element(p->f, "h3", "Differences, from paired seeds");
            differences_table(p, g);
            sentences(p, g);
            report_html_element(p->f, "h3", "Values");
        }
        values_table(p, g);
        if (!e->single && is_uneven(e, g)) {
            report_html_element(
                p->f, "p class=\"note\"",
                "Means of arms with different seeds are not to be compared: they are "
                "of other runs. The choice and the differences are of shared seeds.");
        }
    }
    if (!e->single) caveats(p);
    return GYRE_OK;
}
