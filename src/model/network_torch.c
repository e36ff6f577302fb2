/* What a node's parameters and running statistics are in the network of PyTorch that they come from
 * and go back to: "names" and "shapes" of a node, where they do not follow from its own name and
 * type. */
#include "network.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS_MAX = GYRE_NODE_PARAMS + 2 };

/* A parameter or statistic of the node's own. */
typedef struct {
    const char *name; /* "weight" */
    size_t count;
    gyre_torch_param *torch;
} part;

/* The first statistic of a node from `node` on; they lie in the nodes' order. */
static int find_statistic(const gyre_model *m, int node) {
    int low = 0, high = m->statistic_count;
    while (low < high) {
        const int middle = (low + high) / 2;
        if (m->statistics[middle].node < node)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* Their number. */
static int list_parts(const gyre_model *m, const gyre_node *n, part out[PARTS_MAX]) {
    const int node = (int)(n - m->nodes);
    int count = 0;
    for (int i = 0; i < GYRE_NODE_PARAMS; i++) {
        gyre_param *p = n->params[i] < 0 ? NULL : &m->params[n->params[i]];
        if (p == NULL || !node_owns(n, p)) continue;
        out[count++] = (part){network_short_name(n, p), p->count, &p->torch};
    }
    for (int i = find_statistic(m, node);
         i < m->statistic_count && m->statistics[i].node == node && count < PARTS_MAX; i++) {
        gyre_statistic *s = &m->statistics[i];
        out[count++] = (part){s->name + strlen(n->name) + 1, s->count, &s->torch};
    }
    return count;
}

/* ---- reading */

static gyre_status wrong(const gyre_node *n, const char *key, const part *p, const char *expected,
                         const gyre_json_value *v) {
    char found[NETWORK_TEXT];
    return gyre_fail(GYRE_EUSAGE, "node %s: \"%s\": \"%s\": expected %s, found %s", n->name, key,
                     p->name, expected, network_text(v, found));
}

static gyre_status read_name(const gyre_node *n, const part *p, const gyre_json_value *v) {
    const char *name = gyre_json_text(v);
    p->torch->computed = gyre_json_kind_of(v) == GYRE_JSON_NULL;
    if (p->torch->computed) return GYRE_OK;
    if (name == NULL || name[0] == '\0' || strlen(name) >= GYRE_TORCH_NAME_SIZE) {
        return wrong(n, "names", p,
                     "its name in PyTorch's state_dict (1 to 1023 bytes), or null where it was "
                     "computed from parameters there",
                     v);
    }
    p->torch->name = strdup(name);
    return p->torch->name != NULL ? GYRE_OK : gyre_no_memory("the names of a network");
}

/* A layer with as many outputs as there are classes may have got another number of them. */
static gyre_status read_shape(const gyre_node *n, const part *p, const gyre_json_value *v) {
    gyre_torch_param t = *p->torch;
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
    if (usable && count == p->count) *p->torch = t;
    if (usable && (count == p->count || n->by_classes != 0)) return GYRE_OK;
    char expected[80];
    snprintf(expected, sizeof expected, "at most 4 sizes whose product is %zu", p->count);
    return wrong(n, "shapes", p, expected, v);
}

static gyre_status
read(const gyre_node *n, const part *parts, int count, const char *key, const gyre_json_value *map,
     gyre_status (*one)(const gyre_node *, const part *, const gyre_json_value *)) {
    const char *names[PARTS_MAX + 1] = {NULL};
    char found[NETWORK_TEXT];
    if (map == NULL) return GYRE_OK;
    if (gyre_json_kind_of(map) != GYRE_JSON_OBJECT) {
        return gyre_fail(GYRE_EUSAGE,
                         "node %s: \"%s\": expected an object with a key for each parameter, as "
                         "\"weight\", found %s",
                         n->name, key, network_text(map, found));
    }
    for (int i = 0; i < count; i++) names[i] = parts[i].name;
    GYRE_TRY(network_check_keys(n, names, key, map));
    for (int i = 0; i < count; i++) {
        const gyre_json_value *v = gyre_json_get(map, parts[i].name);
        if (v != NULL) GYRE_TRY(one(n, &parts[i], v));
    }
    return GYRE_OK;
}

gyre_status network_torch_node(gyre_model *m, const gyre_node *n, const gyre_json_value *v) {
    part parts[PARTS_MAX];
    const int count = list_parts(m, n, parts);
    GYRE_TRY(read(n, parts, count, "names", gyre_json_get(v, "names"), read_name));
    return read(n, parts, count, "shapes", gyre_json_get(v, "shapes"), read_shape);
}

/* ---- printing */

static void print_names(gyre_json *j, const part *parts, int count) {
    bool any = false;
    for (int i = 0; i < count; i++) {
        const gyre_torch_param *t = parts[i].torch;
        if (!t->computed && t->name == NULL) continue;
        if (!any) gyre_json_enter_object(j, "names");
        any = true;
        gyre_json_add_text(j, parts[i].name, t->computed ? NULL : t->name);
    }
    if (any) gyre_json_leave(j);
}

static void print_shapes(gyre_json *j, const part *parts, int count) {
    bool any = false;
    for (int i = 0; i < count; i++) {
        const gyre_torch_param *t = parts[i].torch;
        if (!t->shaped) continue;
        if (!any) gyre_json_enter_object(j, "shapes");
        any = true;
        gyre_json_enter_list(j, parts[i].name);
        for (int k = 0; k < t->ndim; k++) gyre_json_add_integer(j, NULL, t->dims[k]);
        gyre_json_leave(j);
    }
    if (any) gyre_json_leave(j);
}

void network_torch_print(gyre_json *j, const gyre_model *m, const gyre_node *n) {
    part parts[PARTS_MAX];
    const int count = list_parts(m, n, parts);
    print_names(j, parts, count);
    print_shapes(j, parts, count);
}
