/* The head of the page. A stranger who reads the first lines alone knows what was found, and how
 * far to trust it. */
#include "html.h"
#include "page_parts.h"
#include "sentences.h"
#include "verdict.h"
#include <string.h>

static void verdict_of_group(report_page *p, int group) {
    char sentence[REPORT_SENTENCE_MAX];
    const char *name = report_page_group(p->e, group);
    bool several = *name != '\0';
    report_verdict(p->e, group, sentence);
    fputs(several ? "<li><b>" : "<p class=\"verdict\">", p->f);
    report_html_text(p->f, name);
    fputs(several ? ":</b> " : "", p->f);
    report_html_text(p->f, sentence);
    report_choice(p->e, group, sentence);
    if (*sentence != '\0') {
        fputs(several ? " <span class=\"note\">" : "</p>\n<p class=\"choice\">", p->f);
        report_html_text(p->f, sentence);
        fputs(several ? "</span>" : "", p->f);
    }
    fputs(several ? "</li>\n" : "</p>\n", p->f);
}

static void verdicts(report_page *p) {
    const gyre_study *s = p->e->study;
    char sentence[REPORT_SENTENCE_MAX];
    if (s->group_count == 1) {
        verdict_of_group(p, 0);
        return;
    }
    int group = s->planned_arm >= 0 ? s->arms[s->planned_arm].group : s->group_count - 1;
    report_verdict(p->e, group, sentence);
    fputs("<p class=\"verdict\">", p->f);
    report_html_text(p->f, s->groups[group]);
    fputs(": ", p->f);
    report_html_text(p->f, sentence);
    fputs("</p>\n<ul class=\"sentences\">\n", p->f);
    for (int g = 0; g < s->group_count; g++) verdict_of_group(p, g);
    fputs("</ul>\n", p->f);
}

static void facts(report_page *p) {
    const gyre_results *e = p->e;
    const gyre_study *s = e->study;
    const gyre_settings *set = NULL;
    int done = 0, diverged = 0, open = 0;
    for (int i = 0; i < s->arm_count; i++) {
        if (set == NULL) set = e->arms[i].settings;
        done += e->arms[i].done;
        diverged += e->arms[i].diverged;
        open += e->arms[i].open;
    }
    char line[REPORT_SENTENCE_MAX] = "";
    if (!e->single) {
        report_add(line, "%d of %d cells done (%d arms × %d seed%s)", done,
                   s->arm_count * s->seed_count, s->arm_count, s->seed_count,
                   s->seed_count == 1 ? "" : "s");
        if (diverged > 0) report_add(line, ", %d diverged", diverged);
        report_add(line, " · ");
    }
    if (s->budget_steps > 0)
        report_add(line, "%lld steps%s · ", (long long)s->budget_steps, e->single ? "" : " each");
    if (set != NULL && set->data.path != NULL) {
        const char *slash = strrchr(set->data.path, '/');
        report_add(line, "%.60s on %.60s, batch %d · ",
                   set->model.name != NULL     ? set->model.name
                   : set->model.layers == NULL ? "?"
                                               : "network",
                   slash == NULL ? set->data.path : slash + 1, set->batch_size);
    }
    report_add(line, "measured: %s %s at the last step", report_part(e),
               gyre_metric_prose(e->metric).text);
    report_html_element(p->f, "p class=\"facts\"", line);
    report_guesses(e, line);
    if (*line != '\0') report_html_element(p->f, "p class=\"warning\"", line);
    report_machines(e, line);
    if (*line != '\0') report_html_element(p->f, "p class=\"warning\"", line);
    if (*p->differing != '\0') {
        report_html_element(
            p->f, "p class=\"warning\"",
            "The arms differ in more than their schedule; “What was compared” says in "
            "what.");
    }
    if (open == 0 || e->single) return;
    *line = '\0';
    report_add(line,
               "This study is not whole: %d of %d cells have no result yet. They are named "
               "below; what is said here may change with them.",
               open, s->arm_count * s->seed_count);
    report_html_element(p->f, "p class=\"warning\"", line);
}

void report_page_head(report_page *p) {
    report_html_element(p->f, "h1", p->e->study->name);
    verdicts(p);
    facts(p);
}
