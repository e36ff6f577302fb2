/* From the study file's lists to arms: each is a name and an object of config keys.
 *
 * Shorthands replace the base's way of counting cycles, and keep the rest of its schedule; controls
 * replace the whole schedule except the warm-up, which every arm shares. */
#include "study_spec.h"

#include "gyre/schedule.h"
#include "gyre/text.h"
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Room for one more, zeroed. */
static study_arm_spec *add(study_spec *p) {
    study_arm_spec *more = realloc(p->arms, (size_t)(p->arm_count + 1) * sizeof *more);
    if (more == NULL) return NULL;
    p->arms = more;
    more[p->arm_count] = (study_arm_spec){0};
    return &more[p->arm_count++];
}

/* An arm. Takes `layer` over; names and sentences are copied. */
static gyre_status add_arm(study_spec *p, const char *key, const char *name, const char *sentence,
                           gyre_json_value *layer) {
    study_arm_spec *d = layer == NULL ? NULL : add(p);
    if (d == NULL) {
        gyre_json_close(layer);
        return gyre_no_memory("the study's arms");
    }
    d->layer = layer;
    d->key = key;
    d->control = strcmp(key, "controls") == 0;
    d->name = strdup(name);
    d->sentence = strdup(sentence);
    if (asprintf(&d->where, "%s: %s (%s)", p->path, key, name) < 0) d->where = NULL;
    return d->name != NULL && d->sentence != NULL && d->where != NULL
               ? GYRE_OK
               : gyre_no_memory("the study's arms");
}

/* ---- the warm-up that all arms share */

static bool has_warmup(const gyre_length *length) {
    return length->unit != GYRE_UNIT_NONE && length->value != 0;
}

static void add_warmup(gyre_json *j, const study_warmup *w) {
    if (!has_warmup(&w->length)) return;
    gyre_json_enter_object(j, "schedule.warmup");
    gyre_json_add_number(j, w->length.unit == GYRE_UNIT_STEPS ? "steps" : "epochs",
                         w->length.value);
    gyre_json_leave(j);
    gyre_json_add_number(j, "schedule.warmup.from", w->from);
}

/* One that is written above the stages stays when a layer changes the policy. Another that the base
 * begins with, a first stage's or hf_cosine's own, would be lost. */
static void find_implied_warmup(study_spec *p, int64_t budget) {
    const gyre_schedule_settings *s = &p->settings->schedule;
    const gyre_schedule_settings *first = s->stage_count > 0 ? &s->stages[0].schedule : s;
    int64_t steps = budget;
    if (s->stage_count > 0) {
        const gyre_length *length = &s->stages[0].length;
        steps = length->unit == GYRE_UNIT_STEPS ? (int64_t)length->value : 0;
    }
    p->warmup = (study_warmup){0};
    if (s->warmup.unit != GYRE_UNIT_NONE) return;
    p->warmup = (study_warmup){gyre_schedule_warmup(first, steps), first->warmup_from};
}

/* ---- shorthands */

/* The base's policy where it can count cycles, else the paper's. */
static void add_cyclic_policy(gyre_json *j, const study_spec *p) {
    gyre_policy policy = p->settings->schedule.policy;
    bool cyclic = gyre_schedule_counts_cycles(policy);
    if (!cyclic) gyre_json_add_text(j, "schedule.policy", "triangular");
}

/* Half a cycle more or less: started so that the run ends at its lowest rate. */
static gyre_status add_cycles(study_spec *p, const gyre_json_value *v) {
    char name[64], sentence[96];
    double cycles = gyre_json_number(v);
    if (!(cycles >= 0.5 && cycles <= 1e6 && 2 * cycles == floor(2 * cycles))) {
        return study_expected(p, "cycles", "numbers of cycles, in halves from 0.5", v);
    }
    bool high = cycles != floor(cycles);
    snprintf(name, sizeof name, "%.15g-cycle%s", cycles, cycles == 1 ? "" : "s");
    snprintf(sentence, sizeof sentence, "schedule.cycles %.15g%s", cycles,
             high ? ", schedule.start high" : "");
    gyre_json *j = gyre_json_begin();
    add_cyclic_policy(j, p);
    gyre_json_add_number(j, "schedule.cycles", cycles);
    gyre_json_add_null(j, "schedule.stepsize");
    gyre_json_add_null(j, "schedule.stages");
    gyre_json_add_text(j, "schedule.start", high ? "high" : "low");
    add_warmup(j, &p->warmup);
    return add_arm(p, "cycles", name, sentence, gyre_json_end_value(j));
}

static gyre_status add_stepsize(study_spec *p, const gyre_json_value *v) {
    char name[64], sentence[96];
    double epochs = gyre_json_number(v);
    if (!(epochs > 0 && epochs <= 1e6)) {
        return study_expected(p, "stepsize_epochs", "numbers of epochs above 0", v);
    }
    snprintf(name, sizeof name, "stepsize-%.15g-epoch%s", epochs, epochs == 1 ? "" : "s");
    snprintf(sentence, sizeof sentence, "schedule.stepsize %.15g epoch%s", epochs,
             epochs == 1 ? "" : "s");
    gyre_json *j = gyre_json_begin();
    add_cyclic_policy(j, p);
    gyre_json_enter_object(j, "schedule.stepsize");
    gyre_json_add_number(j, "epochs", epochs);
    gyre_json_leave(j);
    gyre_json_add_null(j, "schedule.cycles");
    gyre_json_add_null(j, "schedule.stages");
    add_warmup(j, &p->warmup);
    return add_arm(p, "stepsize_epochs", name, sentence, gyre_json_end_value(j));
}

static gyre_status add_policy(study_spec *p, const gyre_json_value *v) {
    char sentence[96];
    const char *policy = gyre_json_text(v);
    if (policy == NULL || policy[strspn(policy, "abcdefghijklmnopqrstuvwxyz_0123456789")] != '\0' ||
        strlen(policy) > 40) {
        return study_expected(p, "policies", "names of policies (`gyre help config`)", v);
    }
    snprintf(sentence, sizeof sentence, "schedule.policy %s", policy);
    gyre_json *j = gyre_json_begin();
    gyre_json_add_text(j, "schedule.policy", policy);
    gyre_json_add_null(j, "schedule.stages");
    add_warmup(j, &p->warmup);
    return add_arm(p, "policies", policy, sentence, gyre_json_end_value(j));
}

/* Each item of a list; a list that is there has at least one. */
static gyre_status each(study_spec *p, const char *key,
                        gyre_status (*take)(study_spec *p, const gyre_json_value *v)) {
    const gyre_json_value *list = gyre_json_get(p->tree, key);
    if (list == NULL) return GYRE_OK;
    if (gyre_json_kind_of(list) != GYRE_JSON_LIST || gyre_json_first(list) == NULL) {
        return study_expected(p, key, "a list of at least one", list);
    }
    for (const gyre_json_value *v = gyre_json_first(list); v != NULL; v = gyre_json_next(v)) {
        GYRE_TRY(take(p, v));
    }
    return GYRE_OK;
}

/* ---- arms in full */

/* "schedule.cycles 3, optimizer.momentum 0.95" */
static void print_leaves(const gyre_json_value *object, const char *path, FILE *out, bool *first) {
    for (const gyre_json_value *v = gyre_json_first(object); v != NULL; v = gyre_json_next(v)) {
        char below[256];
        snprintf(below, sizeof below, "%s%s%s", path, path[0] == '\0' ? "" : ".", gyre_json_key(v));
        if (gyre_json_kind_of(v) == GYRE_JSON_OBJECT) {
            print_leaves(v, below, out, first);
            continue;
        }
        char *text = gyre_json_text(v) == NULL ? gyre_json_print(v, false) : NULL;
        fprintf(out, "%s%s %s", *first ? "" : ", ", below, text == NULL ? gyre_json_text(v) : text);
        free(text);
        *first = false;
    }
}

static gyre_status sentence_of(const gyre_json_value *set, char **out) {
    size_t size = 0;
    bool first = true;
    FILE *f = open_memstream(out, &size);
    if (f == NULL) return gyre_no_memory("the study's arms");
    print_leaves(set, "", f, &first);
    if (first) fprintf(f, "the base config");
    return fclose(f) == 0 ? GYRE_OK : gyre_no_memory("the study's arms");
}

static gyre_status add_given_arm(study_spec *p, const gyre_json_value *v) {
    const gyre_json_value *name = gyre_json_get(v, "name"), *set = gyre_json_get(v, "set");
    int keys = 0, known = (name != NULL) + (set != NULL);
    if (gyre_json_kind_of(v) == GYRE_JSON_OBJECT) {
        for (const gyre_json_value *k = gyre_json_first(v); k != NULL; k = gyre_json_next(k)) {
            keys++;
        }
    }
    if (keys != 2 || known != 2 || gyre_json_text(name) == NULL ||
        gyre_json_kind_of(set) != GYRE_JSON_OBJECT) {
        return study_expected(p, "arms", "{\"name\": \"...\", \"set\": {config keys}}", v);
    }
    char *sentence = NULL;
    gyre_status status = sentence_of(set, &sentence);
    if (status == GYRE_OK) {
        status = add_arm(p, "arms", gyre_json_text(name), sentence, gyre_json_copy(set));
    }
    free(sentence);
    return status;
}

/* ---- controls */

/* An optimizer of its own kind: Nesterov's form and averages of the base do not go with it. */
static void set_schedule_free(gyre_json *j) {
    gyre_json_add_flag(j, "optimizer.schedule_free", true);
    gyre_json_add_null(j, "optimizer.nesterov");
    gyre_json_add_null(j, "average.kind");
}

static gyre_status add_control(study_spec *p, const char *name) {
    const gyre_schedule_settings *s = &p->settings->schedule;
    bool linear = strcmp(name, "linear") == 0, wsd = strcmp(name, "wsd") == 0;
    bool is_free = strcmp(name, "schedule_free") == 0;
    double rate = strcmp(name, "midpoint") == 0 ? (s->base_lr + s->max_lr) / 2 : s->max_lr;
    char sentence[128];
    if (!(s->max_lr > s->base_lr)) {
        return gyre_fail(GYRE_EUSAGE,
                         "%s: controls need schedule.base_lr below schedule.max_lr in the base "
                         "config, found %g and %g; set them, or \"controls\": false",
                         p->path, s->base_lr, s->max_lr);
    }
    if (linear)
        snprintf(sentence, sizeof sentence, "linear from %.6g to 0", rate);
    else if (wsd)
        snprintf(sentence, sizeof sentence, "constant %.6g, and to 0 in the last fifth", rate);
    else if (is_free)
        snprintf(sentence, sizeof sentence, "schedule-free at %.6g", rate);
    else
        snprintf(sentence, sizeof sentence, "constant %.6g", rate);
    gyre_json *j = gyre_json_begin();
    gyre_json_add_null(j, "schedule");
    gyre_json_add_text(j, "schedule.policy", linear ? "linear" : wsd ? "wsd" : "constant");
    gyre_json_add_number(j, linear || wsd ? "schedule.max_lr" : "schedule.base_lr", rate);
    if (is_free) set_schedule_free(j);
    add_warmup(j, has_warmup(&s->warmup) ? &(study_warmup){s->warmup, s->warmup_from} : &p->warmup);
    return add_arm(p, "controls", name, sentence, gyre_json_end_value(j));
}

static gyre_status add_controls(study_spec *p) {
    static const char *const names[] = {"midpoint", "max_lr", "linear", "wsd", "schedule_free"};
    enum { ALL = 3, NAMES = sizeof names / sizeof *names }; /* ALL: of "controls": true */
    const gyre_json_value *v = gyre_json_get(p->tree, "controls");
    bool list = v != NULL && gyre_json_kind_of(v) == GYRE_JSON_LIST;
    bool all = v == NULL || gyre_json_is_true(v);
    int wanted = 0, found = 0;
    if (v != NULL && !list && gyre_json_kind_of(v) != GYRE_JSON_FLAG) {
        return study_expected(p, "controls", "true, false, or a list of names", v);
    }
    for (int i = 0; i < NAMES; i++) {
        bool named = false;
        const gyre_json_value *c = list ? gyre_json_first(v) : NULL;
        for (; c != NULL; c = gyre_json_next(c)) {
            const char *text = gyre_json_text(c);
            named = named || (text != NULL && strcmp(text, names[i]) == 0);
        }
        found += named;
        if ((all && i < ALL) || named) GYRE_TRY(add_control(p, names[i]));
    }
    const gyre_json_value *c = list ? gyre_json_first(v) : NULL;
    for (; c != NULL; c = gyre_json_next(c)) wanted++;
    if (wanted == found) return GYRE_OK;
    return study_expected(
        p, "controls", "each at most once of midpoint, max_lr, linear, wsd and schedule_free", v);
}

/* ---- all */

/* What "controls" would be without the one of this name: a list, or false. */
static void print_other_controls(const study_spec *p, const char *name, char *out, size_t size) {
    int count = 0;
    out[0] = '\0';
    for (int i = 0; i < p->arm_count; i++) {
        const study_arm_spec *d = &p->arms[i];
        if (!d->control || strcmp(d->name, name) == 0) continue;
        gyre_text_add(out, size, "%s\"%s\"", count++ == 0 ? "[" : ", ", d->name);
    }
    gyre_text_add(out, size, "%s", count == 0 ? "false" : "]");
}

/* Names of shorthands and controls are given; only arms can be renamed. */
static gyre_status same_name(const study_spec *p, const study_arm_spec *a,
                             const study_arm_spec *b) {
    char others[64], advice[64], control[160] = "";
    bool arms = strcmp(a->key, "arms") == 0 || strcmp(b->key, "arms") == 0;
    if (arms)
        snprintf(advice, sizeof advice, "rename the one in arms");
    else
        snprintf(advice, sizeof advice, "take it out of %s", a->key);
    if (b->control) {
        print_other_controls(p, b->name, others, sizeof others);
        snprintf(control, sizeof control,
                 ", or leave the control of that name out by \"controls\": %s", others);
    }
    return gyre_fail(GYRE_EUSAGE, "%s: two arms have the name '%s', this one and one of %s; %s%s",
                     a->where, a->name, b->key, advice, control);
}

/* A name is also a folder's. */
static gyre_status check_names(const study_spec *p) {
    for (int i = 0; i < p->arm_count; i++) {
        const char *name = p->arms[i].name;
        bool plain = name[strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                       "0123456789._+-")] == '\0';
        if (!plain || name[0] == '\0' || name[0] == '.' || strlen(name) > 64) {
            return gyre_fail(GYRE_EUSAGE,
                             "%s: expected a name of 1 to 64 letters, digits, '_', '-', '+' and "
                             "'.' that does not begin with '.', found '%.80s'",
                             p->arms[i].where, name);
        }
        for (int k = 0; k < i; k++) {
            if (strcmp(p->arms[k].name, name) != 0) continue;
            return same_name(p, &p->arms[k], &p->arms[i]);
        }
    }
    return GYRE_OK;
}

gyre_status study_spec_add_arms(study_spec *p, int64_t budget) {
    find_implied_warmup(p, budget);
    GYRE_TRY(each(p, "cycles", add_cycles));
    GYRE_TRY(each(p, "stepsize_epochs", add_stepsize));
    GYRE_TRY(each(p, "policies", add_policy));
    GYRE_TRY(each(p, "arms", add_given_arm));
    if (p->arm_count == 0) {
        return gyre_fail(GYRE_EUSAGE,
                         "%s: no arms to compare; give \"cycles\": [1, 5, 10], stepsize_epochs, "
                         "policies or arms",
                         p->path);
    }
    GYRE_TRY(add_controls(p));
    return check_names(p);
}
