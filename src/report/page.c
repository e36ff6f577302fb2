/* The page as a whole: its head, and the sections one after the other. A stranger who reads the
 * first lines alone knows what was found, and how far to trust it. */
#include "page.h"

#include "chart.h"
#include "guesses.h"
#include "gyre/overwrite.h"
#include "html.h"
#include "words.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

gyre_status gyre_page_path(const gyre_page *p, const char *name, int group, char **out) {
    bool several = group >= 0 && p->e->study->group_count > 1;
    int n = several ? asprintf(out, "%s/%s-g%d.svg", p->folder, name, group + 1)
                    : asprintf(out, "%s/%s.svg", p->folder, name);
    if (n >= 0) return gyre_overwrite_check_signed(*out);
    *out = NULL;
    return gyre_no_memory("a figure");
}

gyre_status gyre_page_figure(gyre_page *p, const char *path, const char *caption) {
    char prefix[16];
    snprintf(prefix, sizeof prefix, "f%d-", ++p->figures);
    return gyre_html_figure(p->f, path, prefix, caption);
}

const char *gyre_page_group(const gyre_evidence *e, int group) {
    return e->study->group_count > 1 ? e->study->groups[group] : "";
}

/* ---- the head */

static void verdict_of_group(gyre_page *p, int group) {
    char sentence[GYRE_SENTENCE_MAX];
    const char *name = gyre_page_group(p->e, group);
    bool several = *name != '\0';
    gyre_words_verdict(p->e, group, sentence);
    fputs(several ? "<li><b>" : "<p class=\"verdict\">", p->f);
    gyre_html_text(p->f, name);
    fputs(several ? ":</b> " : "", p->f);
    gyre_html_text(p->f, sentence);
    gyre_words_choice(p->e, group, sentence);
    if (*sentence != '\0') {
        fputs(several ? " <span class=\"note\">" : "</p>\n<p class=\"choice\">", p->f);
        gyre_html_text(p->f, sentence);
        fputs(several ? "</span>" : "", p->f);
    }
    fputs(several ? "</li>\n" : "</p>\n", p->f);
}

static void verdicts(gyre_page *p) {
    const gyre_study *s = p->e->study;
    char sentence[GYRE_SENTENCE_MAX];
    if (s->group_count == 1) {
        verdict_of_group(p, 0);
        return;
    }
    int group = s->planned_arm >= 0 ? s->arms[s->planned_arm].group : s->group_count - 1;
    gyre_words_verdict(p->e, group, sentence);
    fputs("<p class=\"verdict\">", p->f);
    gyre_html_text(p->f, s->groups[group]);
    fputs(": ", p->f);
    gyre_html_text(p->f, sentence);
    fputs("</p>\n<ul class=\"sentences\">\n", p->f);
    for (int g = 0; g < s->group_count; g++) verdict_of_group(p, g);
    fputs("</ul>\n", p->f);
}

static void facts(gyre_page *p) {
    const gyre_evidence *e = p->e;
    const gyre_study *s = e->study;
    const gyre_settings *set = NULL;
    int done = 0, diverged = 0, open = 0;
    for (int i = 0; i < s->arm_count; i++) {
        if (set == NULL) set = e->arms[i].settings;
        done += e->arms[i].done;
        diverged += e->arms[i].diverged;
        open += e->arms[i].open;
    }
    char line[GYRE_SENTENCE_MAX] = "";
    if (!e->single) {
        gyre_words_add(line, "%d of %d cells done (%d arms × %d seed%s)", done,
                       s->arm_count * s->seed_count, s->arm_count, s->seed_count,
                       s->seed_count == 1 ? "" : "s");
        if (diverged > 0) gyre_words_add(line, ", %d diverged", diverged);
        gyre_words_add(line, " · ");
    }
    if (s->budget_steps > 0)
        gyre_words_add(line, "%lld steps%s · ", (long long)s->budget_steps,
                       e->single ? "" : " each");
    if (set != NULL && set->data.path != NULL) {
        const char *slash = strrchr(set->data.path, '/');
        gyre_words_add(line, "%.60s on %.60s, batch %d · ",
                       set->model.name == NULL ? "?" : set->model.name,
                       slash == NULL ? set->data.path : slash + 1, set->batch_size);
    }
    gyre_words_add(line, "measured: %s accuracy at the last step", gyre_words_part(e));
    gyre_html_element(p->f, "p class=\"facts\"", line);
    gyre_words_guesses(e, line);
    if (*line != '\0') gyre_html_element(p->f, "p class=\"warning\"", line);
    gyre_words_machines(e, line);
    if (*line != '\0') gyre_html_element(p->f, "p class=\"warning\"", line);
    if (*p->differing != '\0') {
        gyre_html_element(
            p->f, "p class=\"warning\"",
            "The arms differ in more than their schedule; “What was compared” says in "
            "what.");
    }
    if (open == 0 || e->single) return;
    *line = '\0';
    gyre_words_add(line,
                   "This study is not whole: %d of %d cells have no result yet. They are named "
                   "below; what is said here may change with them.",
                   open, s->arm_count * s->seed_count);
    gyre_html_element(p->f, "p class=\"warning\"", line);
}

void gyre_page_head(gyre_page *p) {
    gyre_html_element(p->f, "h1", p->e->study->name);
    verdicts(p);
    facts(p);
}

/* ---- what was compared */

static void arms_table(gyre_page *p) {
    const gyre_study *s = p->e->study;
    gyre_html_table_begin(p->f, s->group_count > 1 ? "arm|what differs from the base|role|group"
                                                   : "arm|what differs from the base|role");
    for (int i = 0; i < s->arm_count; i++) {
        const char *role = s->arms[i].control ? "control" : "";
        if (i == s->planned_arm) role = "planned comparison";
        if (i == s->planned_control) role = "control of the planned comparison";
        gyre_html_row_begin(p->f, s->arms[i].control ? "control" : "");
        gyre_html_cell_text(p->f, s->arms[i].name);
        gyre_html_cell_text(p->f, s->arms[i].sentence);
        gyre_html_cell_text(p->f, role);
        if (s->group_count > 1) gyre_html_cell_text(p->f, s->groups[s->arms[i].group]);
        gyre_html_row_end(p->f);
    }
    gyre_html_table_end(p->f);
}

/* Only where nothing but the schedule differs do cells of one seed share all the rest. */
static void sharing(gyre_page *p) {
    if (*p->differing == '\0') {
        gyre_html_element(p->f, "p",
                          "Arms of one seed share initial weights, order of samples and "
                          "augmentation; they differ in what this table says, and in nothing "
                          "else.");
        return;
    }
    char line[GYRE_SENTENCE_MAX + 256];
    snprintf(line, sizeof line,
             "The arms differ in more than their schedule: %s. A difference between them is the "
             "effect of all of it together, and cells of one seed share what these leave the same.",
             p->differing);
    gyre_html_element(p->f, "p class=\"warning\"", line);
}

static bool has_schedule(const gyre_evidence *e, int group) {
    for (int i = 0; i < e->study->arm_count; i++) {
        if (e->study->arms[i].group == group && e->arms[i].schedule != NULL) return true;
    }
    return false;
}

gyre_status gyre_page_compared(gyre_page *p) {
    gyre_status status = GYRE_OK;
    char *path = NULL;
    if (p->e->single) {
        gyre_html_element(p->f, "h2", "The run");
        gyre_html_element(p->f, "p", p->e->study->arms[0].sentence);
    } else {
        gyre_html_element(p->f, "h2", "What was compared");
        sharing(p);
        arms_table(p);
    }
    for (int g = 0; g < p->e->study->group_count && path == NULL; g++) {
        if (!has_schedule(p->e, g)) continue;
        GYRE_GOTO(gyre_page_path(p, "learning-rates", -1, &path));
        GYRE_GOTO(gyre_draw_rates(p->e, g, path));
        fputs("<div class=\"figures\">\n", p->f);
        GYRE_GOTO(gyre_page_figure(p, path, "Learning rate over steps"));
        fputs("</div>\n", p->f);
    }
out:
    free(path);
    return status;
}

/* ---- all of it */

gyre_status gyre_page_write(FILE *f, const gyre_evidence *e, const char *folder) {
    gyre_page page = {.f = f, .e = e, .folder = folder}, *p = &page;
    GYRE_TRY(gyre_words_all_differing(e, page.differing));
    gyre_html_begin(f, e->study->name);
    gyre_page_head(p);
    GYRE_TRY(gyre_page_results(p));
    GYRE_TRY(gyre_page_compared(p));
    GYRE_TRY(gyre_page_curves(p));
    if (!e->single || e->target_given) gyre_page_target(p);
    gyre_page_next(p);
    gyre_page_cells(p);
    gyre_page_cost(p);
    gyre_page_method(p);
    gyre_html_end(f);
    return GYRE_OK;
}
