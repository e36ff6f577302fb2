/* What a node's parameters are in the network of PyTorch that they come from and go back to:
 * "names" and "shapes" of a node, where they do not follow from its own name and type. */
#include "network.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static gyre_status wrong(const gyre_node *n, const char *key, const char *parameter,
                         const char *expected, const gyre_json_value *v) {
    char found[NETWORK_TEXT];
    return gyre_fail(GYRE_EUSAGE, "node %s: \"%s\": \"%s\": expected %s, found %s", n->name, key,
                     parameter, expected, network_text(v, found));
}

static gyre_status read_name(const gyre_node *n, gyre_param *p, const gyre_json_value *v) {
    const char *name = gyre_json_text(v);
    p->torch.computed = gyre_json_kind_of(v) == GYRE_JSON_NULL;
    if (p->torch.computed) return GYRE_OK;
    if (name == NULL || name[0] == '\0' || strlen(name) >= GYRE_NODE_NAME_SIZE) {
        return wrong(n, "names", network_short_name(n, p),
                     "its name in PyTorch's state_dict (1 to 127 bytes), or null where it was "
                     "computed from parameters there",
                     v);
    }
    snprintf(p->torch.name, sizeof p->torch.name, "%s", name);
    return GYRE_OK;
}

/* A layer with as many outputs as there are classes may have got another number of them. */
static gyre_status read_shape(const gyre_node *n, gyre_param *p, const gyre_json_value *v) {
    gyre_torch_param t = p->torch;
    size_t count = 1;
    bool usable = gyre_json_kind_of(v) == GYRE_JSON_LIST;
    t.ndim = 0;
    for (const gyre_json_value *d = usable ? gyre_json_first(v) : NULL; d != NULL && usable;
         d = gyre_json_next(d)) {
        const double size = gyre_json_number(d);
        usable = t.ndim < 4 && size >= 1 && size <= INT_MAX && size == floor(size) &&
                 (size_t)size <= SIZE_MAX / count;
        if (!usable) break;
        count *= (size_t)size;
        t.dims[t.ndim++] = (int)size;
    }
    t.shaped = true;
    if (usable && count == p->count) p->torch = t;
    if (usable && (count == p->count || n->by_classes != 0)) return GYRE_OK;
    char expected[80];
    snprintf(expected, sizeof expected, "at most 4 sizes whose product is %zu", p->count);
    return wrong(n, "shapes", network_short_name(n, p), expected, v);
}

static gyre_status
read(gyre_model *m, const gyre_node *n, int first, const char *key, const gyre_json_value *map,
     gyre_status (*one)(const gyre_node *, gyre_param *, const gyre_json_value *)) {
    char found[NETWORK_TEXT];
    if (map == NULL) return GYRE_OK;
    if (gyre_json_kind_of(map) != GYRE_JSON_OBJECT) {
        return gyre_fail(GYRE_EUSAGE,
                         "node %s: \"%s\": expected an object with a key for each parameter, as "
                         "\"weight\", found %s",
                         n->name, key, network_text(map, found));
    }
    GYRE_TRY(network_check_names(m, n, first, key, map));
    for (int i = 0; i < GYRE_NODE_PARAMS; i++) {
        if (n->params[i] < first) continue;
        gyre_param *p = &m->params[n->params[i]];
        const gyre_json_value *v = gyre_json_get(map, network_short_name(n, p));
        if (v != NULL) GYRE_TRY(one(n, p, v));
    }
    return GYRE_OK;
}

gyre_status network_torch_node(gyre_model *m, const gyre_node *n, int first,
                               const gyre_json_value *v) {
    GYRE_TRY(read(m, n, first, "names", gyre_json_get(v, "names"), read_name));
    return read(m, n, first, "shapes", gyre_json_get(v, "shapes"), read_shape);
}

/* ---- printing */

static bool has_name(const gyre_param *p) {
    return p->torch.computed || p->torch.name[0] != '\0';
}

static void print_name(gyre_json *j, const char *key, const gyre_param *p) {
    gyre_json_add_text(j, key, p->torch.computed ? NULL : p->torch.name);
}

static bool has_shape(const gyre_param *p) {
    return p->torch.shaped;
}

static void print_shape(gyre_json *j, const char *key, const gyre_param *p) {
    gyre_json_enter_list(j, key);
    for (int i = 0; i < p->torch.ndim; i++) gyre_json_add_integer(j, NULL, p->torch.dims[i]);
    gyre_json_leave(j);
}

static void print(gyre_json *j, const gyre_model *m, const gyre_node *n, const char *key,
                  bool (*has)(const gyre_param *),
                  void (*one)(gyre_json *, const char *, const gyre_param *)) {
    bool any = false;
    for (int i = 0; i < GYRE_NODE_PARAMS; i++) {
        const gyre_param *p = n->params[i] < 0 ? NULL : &m->params[n->params[i]];
        if (p == NULL || !node_owns(n, p) || !has(p)) continue;
        if (!any) gyre_json_enter_object(j, key);
        any = true;
        one(j, network_short_name(n, p), p);
    }
    if (any) gyre_json_leave(j);
}

void network_torch_print(gyre_json *j, const gyre_model *m, const gyre_node *n) {
    print(j, m, n, "names", has_name, print_name);
    print(j, m, n, "shapes", has_shape, print_shape);
}
