/* A network as JSON: what every node says, in an order of its own, so that equal networks have
 * equal texts. What is the default, or stands beside "nodes" for all, is left out. */
#include "network.h"

#include <float.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

double network_short_number(float x) {
    char text[40];
    for (int digits = 1; digits < FLT_DECIMAL_DIG; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, (double)x);
        if (strtof(text, NULL) == x) return strtod(text, NULL);
    }
    return (double)x;
}

/* ---- what stands beside "nodes" */

/* The first weight, and the bias beside it, speak for all. */
typedef struct {
    start weight, bias;
    float lr_mult[2], decay_mult[2]; /* of "weight" and "bias" */
} common;

static const char *const common_names[] = {"weight", "bias"};

static common find_common(const gyre_model *m) {
    common c = {.weight = {.form = START_HE}, .lr_mult = {1, 1}, .decay_mult = {1, 1}};
    const gyre_param *first[2] = {NULL, NULL};
    for (int i = m->param_count - 1; i >= 0; i--) {
        const gyre_param *p = &m->params[i];
        if (network_is_weight(p)) first[0] = p;
        if (network_is_bias(p)) first[1] = p;
    }
    if (first[0] != NULL) c.weight = start_of(first[0]);
    if (first[0] == NULL || first[1] != first[0] + 1) first[1] = NULL;
    c.bias = first[1] != NULL ? start_of(first[1]) : start_of_bias(c.weight);
    for (int k = 0; k < 2; k++) {
        if (first[k] == NULL) continue;
        c.lr_mult[k] = first[k]->node_lr_mult;
        c.decay_mult[k] = first[k]->node_decay_mult;
    }
    return c;
}

static void print_common_mults(gyre_json *j, const char *key, const float mults[2]) {
    if (mults[0] == 1 && mults[1] == 1) return;
    gyre_json_enter_object(j, key);
    for (int k = 0; k < 2; k++) {
        if (mults[k] != 1) gyre_json_add_number(j, common_names[k], network_short_number(mults[k]));
    }
    gyre_json_leave(j);
}

static void print_common(gyre_json *j, const common *c) {
    if (start_same(c->bias, start_of_bias(c->weight))) {
        start_write(j, "init", c->weight);
    } else {
        gyre_json_enter_object(j, "init");
        start_write(j, common_names[0], c->weight);
        start_write(j, common_names[1], c->bias);
        gyre_json_leave(j);
    }
    print_common_mults(j, "lr_mult", c->lr_mult);
    print_common_mults(j, "decay_mult", c->decay_mult);
}

/* ---- a node */

static void print_inputs(gyre_json *j, const gyre_model *m, int index) {
    const gyre_node *n = &m->nodes[index];
    if (n->input_count == 1 && n->inputs[0] == index - 1) return;
    if (n->input_count != 1) gyre_json_enter_list(j, "inputs");
    for (int i = 0; i < n->input_count; i++) {
        const char *name = n->inputs[i] < 0 ? BUILDER_INPUT : m->nodes[n->inputs[i]].name;
        gyre_json_add_text(j, n->input_count == 1 ? "input" : NULL, name);
    }
    if (n->input_count != 1) gyre_json_leave(j);
}

/* One number where all are equal, else all of them. */
static void print_numbers(gyre_json *j, const gyre_node *n, const node_option *o) {
    int count = o->kind == OPTION_PAIR ? 2 : OPTION_NUMBERS_MAX;
    double first = node_option_value(n, o->name);
    bool equal = true;
    for (int i = 1; i < count; i++) equal = equal && node_option_number(n, o->name, i) == first;
    if (equal && first == o->fallback) return;
    if (equal) {
        gyre_json_add_number(j, o->name, first);
        return;
    }
    gyre_json_enter_list(j, o->name);
    for (int i = 0; i < count; i++)
        gyre_json_add_number(j, NULL, node_option_number(n, o->name, i));
    gyre_json_leave(j);
}

static void print_option(gyre_json *j, const gyre_node *n, const node_option *o) {
    double value = node_option_value(n, o->name);
    double fallback = o->kind == OPTION_REAL ? (double)(float)o->fallback : o->fallback;
    if (n->by_classes & 1u << (o - n->type->options)) {
        gyre_json_add_text(j, o->name, "classes");
        return;
    }
    if (o->kind == OPTION_PAIR || o->kind == OPTION_SIDES) {
        print_numbers(j, n, o);
        return;
    }
    if (value == fallback) return;
    switch (o->kind) {
    case OPTION_BOOL: gyre_json_add_flag(j, o->name, value != 0); break;
    case OPTION_CHOICE: gyre_json_add_text(j, o->name, o->choices[(int)value]); break;
    case OPTION_REAL: gyre_json_add_number(j, o->name, network_short_number((float)value)); break;
    default: gyre_json_add_number(j, o->name, value); break;
    }
}

/* The node's own parameter `i`, NULL when there is none. */
static const gyre_param *param_of(const gyre_model *m, const gyre_node *n, int i) {
    if (n->params[i] < 0) return NULL;
    const gyre_param *p = &m->params[n->params[i]];
    return node_owns(n, p) ? p : NULL;
}

static void print_owner(gyre_json *j, const gyre_model *m, const gyre_node *n) {
    char owner[GYRE_NODE_NAME_SIZE];
    for (int i = 0; i < GYRE_NODE_PARAMS; i++) {
        if (n->params[i] < 0 || param_of(m, n, i) != NULL) continue;
        snprintf(owner, sizeof owner, "%s", m->params[n->params[i]].name);
        *strrchr(owner, '.') = '\0';
        gyre_json_add_text(j, "parameters", owner);
        return;
    }
}

static bool begins_as_all(const gyre_param *p, start weight, start bias) {
    if (network_is_weight(p)) return start_same(start_of(p), weight);
    if (network_is_bias(p)) return start_same(start_of(p), bias);
    return !p->own_init;
}

static bool all_begin(const gyre_model *m, const gyre_node *n, start weight, start bias) {
    for (int i = 0; i < GYRE_NODE_PARAMS; i++) {
        const gyre_param *p = param_of(m, n, i);
        if (p != NULL && !begins_as_all(p, weight, bias)) return false;
    }
    return true;
}

static void print_init(gyre_json *j, const gyre_model *m, const gyre_node *n, const common *c) {
    if (all_begin(m, n, c->weight, c->bias)) return;
    for (int i = 0; i < GYRE_NODE_PARAMS; i++) {
        const gyre_param *p = param_of(m, n, i);
        if (p == NULL || !network_is_weight(p)) continue;
        start own = start_of(p);
        if (!all_begin(m, n, own, start_of_bias(own))) break;
        start_write(j, "init", own);
        return;
    }
    gyre_json_enter_object(j, "init");
    for (int i = 0; i < GYRE_NODE_PARAMS; i++) {
        const gyre_param *p = param_of(m, n, i);
        if (p == NULL || begins_as_all(p, c->weight, c->bias)) continue;
        start_write(j, network_short_name(n, p), start_of(p));
    }
    gyre_json_leave(j);
}

static float mult_of_all(const float mults[2], const char *name) {
    for (int k = 0; k < 2; k++) {
        if (strcmp(name, common_names[k]) == 0) return mults[k];
    }
    return 1;
}

static void print_mults(gyre_json *j, const gyre_model *m, const gyre_node *n, const char *key,
                        const common *c, bool lr) {
    bool any = false;
    for (int i = 0; i < GYRE_NODE_PARAMS; i++) {
        const gyre_param *p = param_of(m, n, i);
        if (p == NULL) continue;
        float mult = lr ? p->node_lr_mult : p->node_decay_mult;
        if (mult == mult_of_all(lr ? c->lr_mult : c->decay_mult, network_short_name(n, p)))
            continue;
        if (!any) gyre_json_enter_object(j, key);
        any = true;
        gyre_json_add_number(j, network_short_name(n, p), network_short_number(mult));
    }
    if (any) gyre_json_leave(j);
}

static void print_node(gyre_json *j, const gyre_model *m, int index, const common *c) {
    const gyre_node *n = &m->nodes[index];
    gyre_json_enter_object(j, NULL);
    gyre_json_add_text(j, "name", n->name);
    gyre_json_add_text(j, "type", n->type->name);
    print_inputs(j, m, index);
    for (const node_option *o = n->type->options; o != NULL && o->name != NULL; o++) {
        print_option(j, n, o);
    }
    print_owner(j, m, n);
    print_init(j, m, n, c);
    print_mults(j, m, n, "lr_mult", c, true);
    print_mults(j, m, n, "decay_mult", c, false);
    network_torch_print(j, m, n);
    gyre_json_leave(j);
}

gyre_status gyre_model_print(const gyre_model *m, char **out) {
    const common c = find_common(m);
    gyre_json *j = gyre_json_begin();
    print_common(j, &c);
    gyre_json_enter_list(j, "nodes");
    for (int i = 0; i < m->node_count; i++) {
        if (!m->nodes[i].type->is_loss) print_node(j, m, i, &c);
    }
    gyre_json_leave(j);
    gyre_json_value *v = gyre_json_end_value(j);
    *out = v == NULL ? NULL : gyre_json_print_rows(v);
    gyre_json_close(v);
    if (*out != NULL) (*out)[strlen(*out) - 1] = '\0'; /* without its last newline */
    return *out != NULL ? GYRE_OK : gyre_no_memory("a model of %d layers as text", m->node_count);
}
