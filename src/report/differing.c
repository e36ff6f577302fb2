/* What arms differ in besides their schedule, by their resolved configs and the content of their
 * datasets: names and paths say neither that two are the same nor that they are not. */
#include "differing.h"

#include "gyre/config.h"
#include <string.h>

typedef struct {
    char *out;
    gyre_status status;
} list;

static void add(list *l, const char *key) {
    char entry[96];
    snprintf(entry, sizeof entry, ", %s,", key);
    char known[REPORT_SENTENCE_MAX + 4];
    snprintf(known, sizeof known, ", %s,", l->out);
    if (strstr(known, entry) != NULL) return;
    report_add(l->out, "%s%s", *l->out == '\0' ? "" : ", ", key);
}

static void add_key(void *context, const char *key) {
    bool paired = strcmp(key, "seed") == 0; /* cells of one seed are compared */
    if (!paired && strncmp(key, "schedule.", strlen("schedule.")) != 0) add(context, key);
}

static void compare(const gyre_results *e, int a, int b, list *l) {
    const gyre_settings *first = e->arms[a].settings, *second = e->arms[b].settings;
    if (e->study->arms[a].data_hash != e->study->arms[b].data_hash) add(l, "the dataset");
    if (first == NULL || second == NULL || l->status != GYRE_OK) return;
    l->status = gyre_config_differences(first, second, add_key, l);
}

gyre_status report_differing(const gyre_results *e, int arm, int other,
                             char out[REPORT_SENTENCE_MAX]) {
    list l = {.out = out};
    *out = '\0';
    compare(e, arm, other, &l);
    return l.status;
}

/* Two arms differ in a key only when one of them differs in it from the first of the group. */
gyre_status report_all_differing(const gyre_results *e, char out[REPORT_SENTENCE_MAX]) {
    list l = {.out = out};
    *out = '\0';
    for (int group = 0; group < e->study->group_count; group++) {
        int first = -1;
        for (int arm = 0; arm < e->study->arm_count; arm++) {
            if (e->study->arms[arm].group != group) continue;
            bool begun = e->arms[arm].settings != NULL;
            if (first >= 0) compare(e, first, arm, &l);
            if (first < 0 && begun) first = arm;
        }
    }
    return l.status;
}
