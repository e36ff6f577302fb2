/* Opening a study from its file, and the ends of all of them. */
#include "gyre/study.h"

#include "gyre/config.h"
#include "gyre/log.h"
#include "gyre/text.h"
#include "study_spec.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

gyre_status gyre_study_open(const char *path, gyre_study **out) {
    gyre_status status = GYRE_OK;
    study_spec plan = {0};
    gyre_study *s = calloc(1, sizeof *s);
    if (s == NULL) return gyre_no_memory("the study");
    GYRE_GOTO(study_spec_read(&plan, path, s));
    GYRE_GOTO(study_spec_resolve(&plan, s));
    *out = s;
    s = NULL;
out:
    study_spec_close(&plan);
    gyre_study_close(s);
    return status;
}

void gyre_study_close(gyre_study *s) {
    if (s == NULL) return;
    for (int i = 0; i < s->arm_count; i++) {
        free(s->arms[i].name);
        free(s->arms[i].sentence);
        free(s->arms[i].warnings);
        gyre_config_close(s->arms[i].settings);
    }
    for (int i = 0; i < s->group_count; i++) free(s->groups[i]);
    free(s->arms);
    free(s->groups);
    free(s->seeds);
    free(s->name);
    free(s->gaps);
    free(s->features);
    free(s->folder);
    free(s);
}

/* Cells run with their warnings muted, so these come once, before the first. */
static void warn_of_schedules(const gyre_study *s) {
    for (int i = 0; i < s->arm_count; i++) {
        const char *line = s->arms[i].warnings;
        for (size_t n; line != NULL && *line != '\0'; line += n + (line[n] == '\n')) {
            n = strcspn(line, "\n");
            gyre_warn("arm %s: %.*s", s->arms[i].name, (int)n, line);
        }
    }
}

void gyre_study_warn(const gyre_study *s) {
    const gyre_metric *m = s->arm_count > 0 ? s->arms[0].metric : NULL;
    const int64_t few = 100; /* one image is a hundredth */
    if (s->gaps != NULL && m != NULL && m->is_share) gyre_warn("%s", s->gaps);
    warn_of_schedules(s);
    if (s->validation_images >= few || m == NULL || !m->is_share) return;
    bool part = s->validation_split == 0;
    char what[64] = "validation part";
    if (!part) {
        snprintf(what, sizeof what, "split that arms are compared on (validation_split %g)",
                 s->validation_split);
    }
    gyre_warn("the %s has %lld image%s, each is %.3g %s of %s %s; %lld or more were expected, %s "
              "validation_split",
              what, (long long)s->validation_images, s->validation_images == 1 ? "" : "s",
              m->factor / (double)s->validation_images, m->unit,
              gyre_text_article(gyre_metric_prose(m).text), gyre_metric_prose(m).text,
              (long long)few, part ? "give a" : "raise");
}

int gyre_study_cell_count(const gyre_study *s) {
    return s->arm_count * s->seed_count;
}

gyre_study_cell gyre_study_cell_at(const gyre_study *s, int index) {
    return (gyre_study_cell){.arm = index % s->arm_count, .seed = index / s->arm_count};
}

char *gyre_study_cell_folder(const gyre_study *s, int arm, int seed) {
    char *out = NULL;
    int n = asprintf(&out, "%s/cells/%s/seed-%llu", s->folder, s->arms[arm].name,
                     (unsigned long long)s->seeds[seed]);
    return n < 0 ? NULL : out;
}
