/* Parameters that settings choose by their names: what is frozen, and groups with multipliers. */
#include "select.h"

#include "gyre/names.h"
#include <regex.h>
#include <string.h>

/* A name that may be meant, else the first. */
static const char *nearest_param(const gyre_model *m, const char *wrong, const char **how) {
    const char *near = NULL;
    int least = 0;
    for (int k = 0; k < m->param_count; k++) {
        const char *name = m->params[k].name;
        int d = gyre_name_distance(wrong, name);
        if (!gyre_name_is_near(wrong, name) || (near != NULL && d >= least)) continue;
        least = d;
        near = name;
    }
    *how = near != NULL ? "the nearest is" : "its first is";
    return near != NULL ? near : m->params[0].name;
}

/* "layer1" and "layer1." freeze layer1.0.conv1.weight; "conv1" does not freeze conv10.weight. */
static bool name_matches(const char *name, const char *pattern) {
    size_t n = strlen(pattern);
    if (n == 0 || strncmp(name, pattern, n) != 0) return false;
    return pattern[n - 1] == '.' || name[n] == '.' || name[n] == '\0';
}

gyre_status select_frozen(gyre_model *m, const gyre_model_settings *settings) {
    const char *how;
    for (int i = 0; i < settings->freeze_count; i++) {
        int matches = 0;
        for (int k = 0; k < m->param_count; k++) {
            if (!name_matches(m->params[k].name, settings->freeze[i])) continue;
            m->params[k].frozen = true;
            matches++;
        }
        if (matches > 0) continue;
        const char *near = nearest_param(m, settings->freeze[i], &how);
        return gyre_fail(GYRE_EUSAGE,
                         "model.freeze: \"%s\" matches no parameter of %s, by its name or its "
                         "beginning up to a dot; %s \"%s\"",
                         settings->freeze[i], m->name, how, near);
    }
    for (int k = 0; k < m->param_count; k++) {
        if (!m->params[k].frozen) return GYRE_OK;
    }
    return gyre_fail(GYRE_EUSAGE,
                     "model.freeze: every parameter of %s is frozen; leave one to "
                     "train",
                     m->name);
}

/* Several groups: the first end of all. Epochs become steps when a run is resolved. */
static int64_t first_end(int64_t until, const gyre_length *end) {
    if (end->unit != GYRE_UNIT_STEPS) return until;
    return until == 0 || end->value < (double)until ? (int64_t)end->value : until;
}

static int apply(gyre_model *m, const regex_t *pattern, const gyre_group_settings *g) {
    int matches = 0;
    for (int k = 0; k < m->param_count; k++) {
        gyre_param *p = &m->params[k];
        if (regexec(pattern, p->name, 0, NULL, 0) != 0) continue;
        p->lr_mult *= (float)g->lr_mult;
        p->decay_mult *= (float)g->decay_mult;
        p->until = first_end(p->until, &g->until);
        matches++;
    }
    return matches;
}

static gyre_status select_group(gyre_model *m, const gyre_group_settings *g, int index) {
    regex_t pattern;
    const char *how;
    char why[128];
    int failed = regcomp(&pattern, g->match, REG_EXTENDED | REG_NOSUB);
    if (failed == REG_ESPACE) return gyre_no_memory("optimizer.groups[%d]", index);
    if (failed != 0) {
        regerror(failed, &pattern, why, sizeof why);
        return gyre_fail(GYRE_EUSAGE,
                         "optimizer.groups[%d]: \"%s\" is no extended regular expression: %s",
                         index, g->match, why);
    }
    int matches = apply(m, &pattern, g);
    regfree(&pattern);
    if (matches > 0) return GYRE_OK;
    const char *near = nearest_param(m, g->match, &how);
    return gyre_fail(GYRE_EUSAGE,
                     "optimizer.groups[%d]: \"%s\" matches no parameter of %s; %s \"%s\"", index,
                     g->match, m->name, how, near);
}

gyre_status select_groups(gyre_model *m, const gyre_model_settings *settings) {
    for (int k = 0; k < m->param_count; k++) {
        m->params[k].node_lr_mult = m->params[k].lr_mult;
        m->params[k].node_decay_mult = m->params[k].decay_mult;
    }
    for (int i = 0; i < settings->group_count; i++) {
        GYRE_TRY(select_group(m, &settings->groups[i], i));
    }
    return GYRE_OK;
}
