/* A network that is given as JSON, into nodes: who reads whom, options by their types' tables. */
#include "network.h"

#include "gyre/names.h"
#include "gyre/text.h"
#include <stdio.h>
#include <string.h>

static const char *const list_keys[] = {"nodes", "init", "lr_mult", "decay_mult", NULL};
static const char *const node_keys[] = {"name",       "type",   "input",   "inputs",
                                        "parameters", "init",   "lr_mult", "decay_mult",
                                        "names",      "shapes", NULL};
/* what only a node with parameters of its own may say */
static const char *const style_keys[] = {"init", "lr_mult", "decay_mult", "names", "shapes", NULL};

enum { NAMES_MAX = 128, VALUES_MAX = 256 };

typedef struct {
    builder *b;
    const gyre_json_value *nodes; /* the list */
    network_style style;
} reader;

/* The node being read. */
typedef struct {
    const gyre_json_value *v;
    const char *name;
    const gyre_node_type *type;
    int inputs[GYRE_NODE_INPUTS], input_count;
    node_value options[VALUES_MAX + 1];
    int option_count;
} entry;

static bool is_one_of(const char *key, const char *const *names) {
    while (*names != NULL && strcmp(*names, key) != 0) names++;
    return *names != NULL;
}

/* ---- name and type */

static gyre_status read_name(const gyre_json_value *v, int index, const char **out) {
    char found[NETWORK_TEXT];
    if (gyre_json_kind_of(v) != GYRE_JSON_OBJECT) {
        return gyre_fail(GYRE_EUSAGE,
                         "nodes[%d]: expected an object with \"name\" and \"type\", found %s",
                         index, network_text(v, found));
    }
    const gyre_json_value *name = gyre_json_get(v, "name");
    if (name == NULL) {
        return gyre_fail(GYRE_EUSAGE, "nodes[%d] lacks \"name\": %s", index,
                         network_text(v, found));
    }
    *out = gyre_json_text(name);
    if (*out != NULL && strlen(*out) >= GYRE_NODE_NAME_SIZE) { /* messages have whole names */
        return gyre_fail(GYRE_EUSAGE,
                         "nodes[%d]: \"name\": expected at most %d bytes, found %zu: %s", index,
                         GYRE_NODE_NAME_SIZE - 1, strlen(*out), network_text(name, found));
    }
    if (*out != NULL) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE, "nodes[%d]: \"name\": expected text, found %s", index,
                     network_text(name, found));
}

static gyre_status read_type(entry *e) {
    const char *names[NAMES_MAX + 1] = {NULL};
    char found[NETWORK_TEXT];
    const gyre_json_value *given = gyre_json_get(e->v, "type");
    if (given == NULL) return gyre_fail(GYRE_EUSAGE, "node %s lacks \"type\"", e->name);
    const char *name = gyre_json_text(given);
    if (name == NULL) {
        return gyre_fail(GYRE_EUSAGE, "node %s: \"type\": expected text, found %s", e->name,
                         network_text(given, found));
    }
    e->type = node_type_named(name);
    if (e->type != NULL && !e->type->is_loss) return GYRE_OK;
    if (e->type != NULL) {
        return gyre_fail(GYRE_EUSAGE,
                         "node %s: the loss %s is no node of the list: model.loss names it, and it "
                         "is added behind the last node; leave this one out",
                         e->name, name);
    }
    int count = 0;
    for (int i = 0; node_type_at(i) != NULL && count < NAMES_MAX; i++) {
        if (!node_type_at(i)->is_loss) names[count++] = node_type_at(i)->name;
    }
    return gyre_fail(GYRE_EUSAGE,
                     "node %s: there is no type \"%.60s\"%s (`gyre help nodes` lists the types)",
                     e->name, name, network_advice(name, names, found));
}

/* ---- inputs */

static const char *name_of(const gyre_json_value *node) {
    const gyre_json_value *name = gyre_json_get(node, "name");
    return name == NULL ? NULL : gyre_json_text(name);
}

/* Why no node before this one has the name. */
static gyre_status refuse_input(const reader *r, const entry *e, const char *input) {
    const gyre_model *m = r->b->model;
    const char *near = gyre_name_is_near(input, BUILDER_INPUT) ? BUILDER_INPUT : NULL;
    int least = near == NULL ? 0 : gyre_name_distance(input, near);
    if (strcmp(input, e->name) == 0) {
        return gyre_fail(GYRE_EUSAGE, "node %s reads itself", e->name);
    }
    for (const gyre_json_value *v = e->v; v != NULL; v = gyre_json_next(v)) {
        const char *name = name_of(v);
        if (name == NULL || strcmp(name, input) != 0) continue;
        return gyre_fail(GYRE_EUSAGE,
                         "node %s reads %s, which comes after it; a node reads nodes before it",
                         e->name, input);
    }
    for (int i = 0; i < m->node_count; i++) {
        const char *name = m->nodes[i].name;
        int distance = gyre_name_distance(input, name);
        if (!gyre_name_is_near(input, name) || (near != NULL && distance >= least)) continue;
        near = name;
        least = distance;
    }
    return gyre_fail(GYRE_EUSAGE, "node %s reads \"%.127s\", but there is no such node%s%s%s",
                     e->name, input, near == NULL ? "" : "; did you mean \"",
                     near == NULL ? "" : near, near == NULL ? "" : "\"?");
}

static gyre_status read_input(const reader *r, entry *e, const gyre_json_value *v) {
    char found[NETWORK_TEXT];
    const char *input = gyre_json_text(v);
    if (input == NULL) {
        return gyre_fail(GYRE_EUSAGE, "node %s: expected the name of an input, found %s", e->name,
                         network_text(v, found));
    }
    int node = BUILDER_IMAGES;
    if (strcmp(input, BUILDER_INPUT) != 0) {
        node = node_names_find(&r->b->names, r->b->model, input);
        if (node < 0) return refuse_input(r, e, input);
    }
    e->inputs[e->input_count++] = node;
    return GYRE_OK;
}

static gyre_status read_inputs(const reader *r, entry *e) {
    const gyre_json_value *one = gyre_json_get(e->v, "input"),
                          *list = gyre_json_get(e->v, "inputs");
    char found[NETWORK_TEXT];
    if (one != NULL && list != NULL) {
        return gyre_fail(GYRE_EUSAGE, "node %s has \"input\" and \"inputs\"; leave one out",
                         e->name);
    }
    if (one != NULL) return read_input(r, e, one);
    if (list == NULL) { /* the node before it, or the images */
        e->inputs[e->input_count++] = r->b->model->node_count - 1;
        return GYRE_OK;
    }
    if (gyre_json_kind_of(list) != GYRE_JSON_LIST) {
        return gyre_fail(GYRE_EUSAGE, "node %s: \"inputs\": expected a list of names, found %s",
                         e->name, network_text(list, found));
    }
    int count = 0;
    const gyre_json_value *v = gyre_json_first(list);
    for (; v != NULL; v = gyre_json_next(v)) count++;
    GYRE_TRY(builder_check_inputs(e->type, e->name, count));
    for (v = gyre_json_first(list); v != NULL; v = gyre_json_next(v)) {
        GYRE_TRY(read_input(r, e, v));
    }
    return GYRE_OK;
}

/* ---- options */

static gyre_status wrong(const entry *e, const node_option *o, const char *expected,
                         const gyre_json_value *v, const char *advice) {
    char found[NETWORK_TEXT];
    return gyre_fail(GYRE_EUSAGE, "node %s: \"%s\": expected %s, found %s%s", e->name, o->name,
                     expected, network_text(v, found), advice);
}

static gyre_status read_choice(const entry *e, const node_option *o, const gyre_json_value *v,
                               double *out) {
    const char *text = gyre_json_text(v);
    char expected[256] = "", advice[NETWORK_TEXT] = "";
    *out = text != NULL ? node_option_choice(o, text) : -1;
    if (*out >= 0) return GYRE_OK;
    for (int i = 0; o->choices[i] != NULL; i++) {
        const char *between = i == 0 ? "" : o->choices[i + 1] == NULL ? " or " : ", ";
        gyre_text_add(expected, sizeof expected, "%s\"%s\"", between, o->choices[i]);
    }
    if (text != NULL) network_advice(text, o->choices, advice);
    return wrong(e, o, expected, v, advice);
}

static gyre_status read_value(const entry *e, const node_option *o, const gyre_json_value *v,
                              double *out) {
    const char *text = gyre_json_text(v);
    gyre_json_kind kind = gyre_json_kind_of(v);
    switch (o->kind) {
    case OPTION_BOOL:
        if (kind != GYRE_JSON_FLAG) return wrong(e, o, "true or false", v, "");
        *out = gyre_json_is_true(v);
        return GYRE_OK;
    case OPTION_CHOICE: return read_choice(e, o, v, out);
    case OPTION_REAL:
        if (kind != GYRE_JSON_NUMBER) return wrong(e, o, "a number", v, "");
        *out = gyre_json_number(v);
        return GYRE_OK;
    case OPTION_COUNT:
        if (kind != GYRE_JSON_NUMBER) return wrong(e, o, "a whole number", v, "");
        *out = gyre_json_number(v);
        return GYRE_OK;
    case OPTION_PAIR:
    case OPTION_SIDES:
        if (kind != GYRE_JSON_NUMBER) return wrong(e, o, "a whole number or a list of them", v, "");
        *out = gyre_json_number(v);
        return GYRE_OK;
    case OPTION_INT: break;
    }
    bool classes = o->kind == OPTION_INT && text != NULL && strcmp(text, "classes") == 0;
    *out = classes ? NODE_CLASSES : gyre_json_number(v);
    if (classes || kind == GYRE_JSON_NUMBER) return GYRE_OK;
    return wrong(e, o, "a whole number or \"classes\"", v, "");
}

static void add_value(entry *e, const char *name, double value) {
    if (e->option_count == VALUES_MAX) return; /* tables of options are far shorter */
    e->options[e->option_count++] = (node_value){name, value};
}

static gyre_status read_option(entry *e, const gyre_json_value *v) {
    const node_option *o = node_option_named(e->type, gyre_json_key(v));
    bool several = o->kind == OPTION_PAIR || o->kind == OPTION_SIDES;
    bool list = several && gyre_json_kind_of(v) == GYRE_JSON_LIST && gyre_json_first(v) != NULL;
    for (const gyre_json_value *one = list ? gyre_json_first(v) : v; one != NULL;
         one = list ? gyre_json_next(one) : NULL) {
        double value = 0;
        GYRE_TRY(read_value(e, o, one, &value));
        add_value(e, o->name, value);
    }
    return GYRE_OK;
}

/* Names of options elsewhere, and here. */
static const struct {
    const char *theirs, *ours;
} other_names[] = {
    {"kernel_size", "size"},
    {"kernel", "size"},
    {"pool_size", "size"},
    {"filters", "channels"},
    {"out_channels", "channels"},
    {"padding", "pad"},
    {"strides", "stride"},
    {"epsilon", "eps"},
    {"negative_slope", "slope"},
    {"num_groups", "groups"},
    {"out_features", "out"},
    {"units", "out"},
    {"rate", "p"},
    {"use_bias", "bias"},
    {"ceil_mode", "ceil"},
    {"scale_factor", "factor"},
    {"dilation_rate", "dilation"},
};

/* What the type calls an option that others call `key`; NULL: nothing. */
static const char *our_name(const gyre_node_type *type, const char *key) {
    for (size_t i = 0; i < sizeof other_names / sizeof *other_names; i++) {
        if (strcmp(other_names[i].theirs, key) != 0) continue;
        if (node_option_named(type, other_names[i].ours) != NULL) return other_names[i].ours;
    }
    return NULL;
}

static gyre_status refuse_key(const entry *e, const char *key) {
    const char *names[NAMES_MAX + 1] = {NULL};
    char advice[NETWORK_TEXT];
    int count = 0;
    const node_option *o = e->type->options;
    for (; o != NULL && o->name != NULL && count < NAMES_MAX / 2; o++) names[count++] = o->name;
    for (int i = 0; node_keys[i] != NULL; i++) names[count++] = node_keys[i];
    const char *ours = our_name(e->type, key);
    network_advice(ours != NULL ? ours : key, names, advice);
    return gyre_fail(GYRE_EUSAGE, "node %s: type %s has no option \"%.60s\"%s", e->name,
                     e->type->name, key, advice);
}

static gyre_status read_options(entry *e) {
    for (const gyre_json_value *v = gyre_json_first(e->v); v != NULL; v = gyre_json_next(v)) {
        const char *key = gyre_json_key(v);
        if (is_one_of(key, node_keys)) continue;
        if (node_option_named(e->type, key) == NULL) return refuse_key(e, key);
        GYRE_TRY(read_option(e, v));
    }
    return GYRE_OK;
}

/* ---- parameters of another node */

/* `owner`: the node whose parameters this one uses; -1: it has its own. */
static gyre_status read_owner(const reader *r, const entry *e, int *owner) {
    const gyre_json_value *v = gyre_json_get(e->v, "parameters");
    const char *name = v == NULL ? NULL : gyre_json_text(v);
    char found[NETWORK_TEXT];
    *owner = name == NULL ? -1 : node_names_find(&r->b->names, r->b->model, name);
    if (v == NULL) return GYRE_OK;
    if (*owner < 0) {
        return gyre_fail(GYRE_EUSAGE,
                         "node %s: \"parameters\": expected the name of a node before it, found %s",
                         e->name, network_text(v, found));
    }
    for (int i = 0; style_keys[i] != NULL; i++) {
        if (gyre_json_get(e->v, style_keys[i]) == NULL) continue;
        return gyre_fail(GYRE_EUSAGE,
                         "node %s uses the parameters of %s, so \"%s\" stands there; leave it out",
                         e->name, name, style_keys[i]);
    }
    const gyre_node *n = &r->b->model->nodes[*owner];
    for (int i = 0; i < GYRE_NODE_PARAMS; i++) {
        if (n->params[i] >= 0) builder_share(r->b, i, n->params[i]);
    }
    return GYRE_OK;
}

/* A type of another kind, or without the bias, has other parameters. */
static gyre_status check_owner(const gyre_model *m, int owner) {
    const gyre_node *n = &m->nodes[m->node_count - 1], *o = &m->nodes[owner];
    bool any = false;
    for (int i = 0; i < GYRE_NODE_PARAMS; i++) any = any || o->params[i] >= 0;
    if (any && n->type == o->type && memcmp(n->params, o->params, sizeof n->params) == 0) {
        return GYRE_OK;
    }
    return gyre_fail(GYRE_EUSAGE,
                     "node %s of type %s cannot use the parameters of %s of type %s: both need the "
                     "same ones",
                     n->name, n->type->name, o->name, o->type->name);
}

/* ---- the list */

static gyre_status read_node(const reader *r, const gyre_json_value *v, int index) {
    gyre_model *m = r->b->model;
    entry e = {.v = v};
    int first = m->param_count, owner;
    GYRE_TRY(read_name(v, index, &e.name));
    GYRE_TRY(read_type(&e));
    GYRE_TRY(read_inputs(r, &e));
    GYRE_TRY(read_options(&e));
    GYRE_TRY(read_owner(r, &e, &owner));
    builder_node(r->b, e.type->name, e.name, e.inputs, e.input_count, e.options);
    GYRE_TRY(r->b->status);
    if (owner >= 0) return check_owner(m, owner);
    GYRE_TRY(network_style_node(&r->style, m, &m->nodes[m->node_count - 1], first, v));
    return network_torch_node(m, &m->nodes[m->node_count - 1], v);
}

static gyre_status find_list(const gyre_json_value *layers, const gyre_json_value **out) {
    char text[NETWORK_TEXT];
    *out = gyre_json_kind_of(layers) == GYRE_JSON_OBJECT ? gyre_json_get(layers, "nodes") : layers;
    for (const gyre_json_value *v = gyre_json_first(layers); v != NULL && *out != layers;
         v = gyre_json_next(v)) {
        const char *key = gyre_json_key(v);
        if (is_one_of(key, list_keys)) continue;
        return gyre_fail(GYRE_EUSAGE,
                         "unknown key \"%.60s\"; the keys of a network are \"nodes\", \"init\", "
                         "\"lr_mult\" and \"decay_mult\"",
                         key);
    }
    if (*out != NULL && gyre_json_kind_of(*out) == GYRE_JSON_LIST &&
        gyre_json_first(*out) != NULL) {
        return GYRE_OK;
    }
    return gyre_fail(GYRE_EUSAGE, "expected a list of nodes, or an object with \"nodes\", found %s",
                     network_text(*out == NULL ? layers : *out, text));
}

static gyre_status read_list(builder *b, const gyre_json_value *layers) {
    reader r = {.b = b};
    int index = 0;
    GYRE_TRY(find_list(layers, &r.nodes));
    GYRE_TRY(network_style_read(layers, &r.style));
    for (const gyre_json_value *v = gyre_json_first(r.nodes); v != NULL; v = gyre_json_next(v)) {
        GYRE_TRY(read_node(&r, v, index++));
    }
    return network_style_check(&r.style, b->model);
}

gyre_status network_read(builder *b, const char *layers) {
    gyre_json_value *v = NULL;
    gyre_status status = gyre_json_parse(layers, "text", &v);
    if (status == GYRE_OK) status = read_list(b, v);
    gyre_json_close(v);
    if (b->status == GYRE_OK) b->status = status;
    return b->status;
}
