/* Initial values and multipliers of a network that is given as JSON: of all nodes, and of one. */
#include "network.h"

#include <stdio.h>
#include <string.h>

static const double mult_max = 1e6;

/* ---- of all nodes */

static gyre_status read_start(const char *where, const gyre_json_value *v, start *out) {
    char found[NETWORK_TEXT];
    if (start_read(v, out)) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE, "%s: expected %s, found %s", where, start_expected,
                     network_text(v, found));
}

static bool is_map(const gyre_json_value *v) {
    return gyre_json_kind_of(v) == GYRE_JSON_OBJECT && !start_is_spread(v);
}

static gyre_status read_starts(const gyre_json_value *v, network_style *out) {
    static const char *const names[] = {"weight", "bias", NULL};
    char advice[NETWORK_TEXT];
    if (v == NULL) return GYRE_OK;
    if (start_read(v, &out->weight)) {
        out->bias = start_of_bias(out->weight);
        return GYRE_OK;
    }
    if (!is_map(v)) return read_start("\"init\"", v, &out->weight);
    for (const gyre_json_value *c = gyre_json_first(v); c != NULL; c = gyre_json_next(c)) {
        const char *key = gyre_json_key(c);
        bool weight = strcmp(key, names[0]) == 0;
        if (!weight && strcmp(key, names[1]) != 0) {
            return gyre_fail(GYRE_EUSAGE,
                             "\"init\": expected %s, or these for \"weight\" and \"bias\", found "
                             "\"%.40s\"%s",
                             start_expected, key, network_advice(key, names, advice));
        }
        GYRE_TRY(read_start(weight ? "\"init\": \"weight\"" : "\"init\": \"bias\"", c,
                            weight ? &out->weight : &out->bias));
    }
    return GYRE_OK;
}

static gyre_status check_mult(const char *where, const gyre_json_value *v) {
    char found[NETWORK_TEXT];
    double x = gyre_json_number(v);
    if (x >= 0 && x <= mult_max) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE, "%s: expected a number 0 to %g, found %s", where, mult_max,
                     network_text(v, found));
}

/* A number, or an object with a number for each name. */
static gyre_status check_mults(const char *key, const gyre_json_value *v) {
    char where[128];
    if (v == NULL) return GYRE_OK;
    snprintf(where, sizeof where, "\"%s\"", key);
    if (!is_map(v)) return check_mult(where, v);
    for (const gyre_json_value *c = gyre_json_first(v); c != NULL; c = gyre_json_next(c)) {
        snprintf(where, sizeof where, "\"%s\": \"%.60s\"", key, gyre_json_key(c));
        GYRE_TRY(check_mult(where, c));
    }
    return GYRE_OK;
}

gyre_status network_style_read(const gyre_json_value *list, network_style *out) {
    *out = (network_style){.weight = {.form = START_HE}, .bias = {.form = START_ZEROS}};
    out->lr_mult = gyre_json_get(list, "lr_mult");
    out->decay_mult = gyre_json_get(list, "decay_mult");
    GYRE_TRY(read_starts(gyre_json_get(list, "init"), out));
    GYRE_TRY(check_mults("lr_mult", out->lr_mult));
    return check_mults("decay_mult", out->decay_mult);
}

/* ---- of one */

gyre_status network_check_names(const gyre_model *m, const gyre_node *n, int first, const char *key,
                                const gyre_json_value *map) {
    const char *names[GYRE_NODE_PARAMS + 1] = {NULL};
    int count = 0;
    for (int i = 0; i < GYRE_NODE_PARAMS; i++) {
        if (n->params[i] < first) continue;
        names[count++] = network_short_name(n, &m->params[n->params[i]]);
    }
    return network_check_keys(n, names, key, map);
}

gyre_status network_check_keys(const gyre_node *n, const char *const *names, const char *key,
                               const gyre_json_value *map) {
    char advice[NETWORK_TEXT];
    for (const gyre_json_value *c = gyre_json_first(map); c != NULL; c = gyre_json_next(c)) {
        int i = 0;
        while (names[i] != NULL && strcmp(names[i], gyre_json_key(c)) != 0) i++;
        if (names[i] != NULL) continue;
        return gyre_fail(GYRE_EUSAGE, "node %s: \"%s\": it has no parameter \"%.40s\"%s", n->name,
                         key, gyre_json_key(c), network_advice(gyre_json_key(c), names, advice));
    }
    return GYRE_OK;
}

static gyre_status set_start(const gyre_node *n, gyre_param *p, const gyre_json_value *v) {
    char where[GYRE_NODE_NAME_SIZE + 32], found[NETWORK_TEXT];
    const gyre_param before = *p;
    start s;
    snprintf(where, sizeof where, "node %s: \"init\"", n->name);
    GYRE_TRY(read_start(where, v, &s));
    if (!start_set(s, p)) {
        return gyre_fail(GYRE_EUSAGE, "%s: \"%s\" sums over no inputs that %s could count", where,
                         network_short_name(n, p), network_text(v, found));
    }
    bool sums = network_is_weight(p) || network_is_bias(p);
    p->own_init = !sums && !start_same(start_of(p), start_of(&before));
    return GYRE_OK;
}

/* Whitening filters: half of them of the patches of images, and their negatives. */
static gyre_status check_whiten(const gyre_model *m, const gyre_node *n, const gyre_param *p) {
    if (n->inputs[0] >= 0 || p->ndim != 4 || p->dims[3] != m->c) {
        return gyre_fail(
            GYRE_EUSAGE,
            "node %s: \"init\": expected \"whiten\" in a convolution of one group that "
            "reads the images, found it elsewhere",
            n->name);
    }
    const int most = 2 * p->dims[1] * p->dims[2] * p->dims[3];
    if (p->dims[0] % 2 == 0 && p->dims[0] <= most) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "node %s: \"init\": \"whiten\": expected an even number of channels, at most "
                     "%d for patches of %d x %d x %d, found %d",
                     n->name, most, p->dims[1], p->dims[2], p->dims[3], p->dims[0]);
}

static gyre_status set_starts(const network_style *s, gyre_model *m, const gyre_node *n, int first,
                              const gyre_json_value *v) {
    start weight = s->weight, bias = s->bias, own;
    char found[NETWORK_TEXT];
    bool all = v != NULL && start_read(v, &own), any = false;
    if (v != NULL && !all && is_map(v)) GYRE_TRY(network_check_names(m, n, first, "init", v));
    if (all) {
        weight = own;
        bias = start_of_bias(own);
    }
    for (int i = 0; i < GYRE_NODE_PARAMS; i++) {
        if (n->params[i] < first) continue;
        gyre_param *p = &m->params[n->params[i]];
        const gyre_json_value *given = NULL;
        if (v != NULL && is_map(v) && !all) given = gyre_json_get(v, network_short_name(n, p));
        if (network_is_weight(p)) start_set(weight, p);
        if (network_is_bias(p)) start_set(bias, p);
        any = any || network_is_weight(p);
        if (given != NULL) GYRE_TRY(set_start(n, p, given));
        if (p->init == GYRE_INIT_WHITEN) GYRE_TRY(check_whiten(m, n, p));
    }
    if (v == NULL || (all && any) || (!all && is_map(v))) return GYRE_OK;
    if (!all) {
        char where[GYRE_NODE_NAME_SIZE + 32];
        snprintf(where, sizeof where, "node %s: \"init\"", n->name);
        return read_start(where, v, &own);
    }
    return gyre_fail(GYRE_EUSAGE,
                     "node %s: \"init\": it has no weights that sum, which %s is for; an object "
                     "names a parameter, as {\"weight\": \"zeros\"}",
                     n->name, network_text(v, found));
}

/* A number for all its parameters needs some; names are looked up. */
static gyre_status check_own(const gyre_model *m, const gyre_node *n, int first, const char *key,
                             const gyre_json_value *v) {
    char where[GYRE_NODE_NAME_SIZE + 32];
    snprintf(where, sizeof where, "node %s", n->name);
    if (v == NULL) return GYRE_OK;
    GYRE_TRY(gyre_fail_in(where, check_mults(key, v)));
    if (is_map(v)) return network_check_names(m, n, first, key, v);
    for (int i = 0; i < GYRE_NODE_PARAMS; i++) {
        if (n->params[i] >= first) return GYRE_OK;
    }
    return gyre_fail(GYRE_EUSAGE, "%s: \"%s\": it has no parameters to multiply for; leave it out",
                     where, key);
}

/* The multiplier for a name; what the node says hides what stands beside "nodes". */
static float mult_of(const gyre_json_value *own, const gyre_json_value *all, const char *name) {
    const gyre_json_value *both[] = {own, all};
    for (int i = 0; i < 2; i++) {
        const gyre_json_value *v = both[i];
        if (v != NULL && is_map(v)) v = gyre_json_get(v, name);
        if (v != NULL) return (float)gyre_json_number(v);
    }
    return 1;
}

gyre_status network_style_node(const network_style *s, gyre_model *m, const gyre_node *n, int first,
                               const gyre_json_value *v) {
    const gyre_json_value *lr = gyre_json_get(v, "lr_mult"),
                          *decay = gyre_json_get(v, "decay_mult");
    GYRE_TRY(set_starts(s, m, n, first, gyre_json_get(v, "init")));
    GYRE_TRY(check_own(m, n, first, "lr_mult", lr));
    GYRE_TRY(check_own(m, n, first, "decay_mult", decay));
    for (int i = 0; i < GYRE_NODE_PARAMS; i++) {
        if (n->params[i] < first) continue;
        gyre_param *p = &m->params[n->params[i]];
        p->lr_mult = mult_of(lr, s->lr_mult, network_short_name(n, p));
        p->decay_mult = mult_of(decay, s->decay_mult, network_short_name(n, p));
    }
    return GYRE_OK;
}

static bool is_used(const gyre_model *m, const char *name) {
    for (int i = 0; i < m->param_count; i++) {
        const char *dot = strrchr(m->params[i].name, '.');
        if (strcmp(dot + 1, name) == 0) return true;
    }
    return false;
}

gyre_status network_style_check(const network_style *s, const gyre_model *m) {
    const gyre_json_value *both[] = {s->lr_mult, s->decay_mult};
    for (int i = 0; i < 2; i++) {
        const gyre_json_value *c =
            both[i] != NULL && is_map(both[i]) ? gyre_json_first(both[i]) : NULL;
        for (; c != NULL; c = gyre_json_next(c)) {
            if (is_used(m, gyre_json_key(c))) continue;
            return gyre_fail(GYRE_EUSAGE, "\"%s\": no node has a parameter \"%.40s\"",
                             i == 0 ? "lr_mult" : "decay_mult", gyre_json_key(c));
        }
    }
    return GYRE_OK;
}
