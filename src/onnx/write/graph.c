/* Writes operators and constants as ONNX's messages; see graph.h. Numbers of fields and types are
 * those of onnx.proto. */
#include "graph.h"

#include "gyre/size.h"
#include "gyre/state_dict.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TYPE_FLOAT = 1, TYPE_INT64 = 7 };

void graph_begin_node(graph *g, const char *name) {
    g->node = name;
    g->count = 0;
}

static graph_value fresh_value(graph *g, bool flat) {
    graph_value v = {.flat = flat};
    snprintf(v.name, sizeof v.name, "%s/%d", g->node, ++g->count);
    return v;
}

/* ---- operators */

/* AttributeProto: name 1, f 2, i 3, s 4, ints 8, type 20. */
static void put_attribute(gyre_wire *node, const graph_attribute *a) {
    static const int types[] = {
        [GRAPH_INTEGER] = 2, [GRAPH_FLOAT] = 1, [GRAPH_TEXT] = 3, [GRAPH_INTEGERS] = 7};
    gyre_wire w = {0};
    gyre_wire_text(&w, 1, a->name);
    switch (a->kind) {
    case GRAPH_INTEGER: gyre_wire_integer(&w, 3, (uint64_t)(int64_t)a->number); break;
    case GRAPH_FLOAT: gyre_wire_float(&w, 2, (float)a->number); break;
    case GRAPH_TEXT: gyre_wire_text(&w, 4, a->text); break;
    case GRAPH_INTEGERS:
        for (int i = 0; i < a->count; i++) gyre_wire_integer(&w, 8, (uint64_t)a->integers[i]);
        break;
    }
    gyre_wire_integer(&w, 20, (uint64_t)types[a->kind]);
    gyre_wire_message(node, 5, w);
}

/* NodeProto: input 1, output 2, name 3, op_type 4, attribute 5. */
graph_value graph_operator(graph *g, const char *operator, const graph_value * const * inputs,
                           int count, const graph_attribute *attributes) {
    const graph_value y = fresh_value(g, inputs[0]->flat);
    gyre_wire w = {0};
    for (int i = 0; i < count; i++) gyre_wire_text(&w, 1, inputs[i] == NULL ? "" : inputs[i]->name);
    gyre_wire_text(&w, 2, y.name);
    gyre_wire_text(&w, 3, y.name);
    gyre_wire_text(&w, 4, operator);
    for (int i = 0; attributes != NULL && attributes[i].name != NULL; i++) {
        put_attribute(&w, &attributes[i]);
    }
    gyre_wire_message(&g->nodes, 1, w);
    return y;
}

graph_value graph_unary(graph *g, const char *operator, graph_value x,
                        const graph_attribute *attributes) {
    return graph_operator(g, operator,(const graph_value *const[]){&x}, 1, attributes);
}

graph_value graph_binary(graph *g, const char *operator, graph_value x, graph_value y) {
    return graph_operator(g, operator,(const graph_value *const[]){&x, &y}, 2, NULL);
}

graph_value graph_with(graph *g, const char *operator, graph_value x, float number) {
    return graph_binary(g, operator, x, graph_floats(g, &number, NULL, 0));
}

/* ---- constants */

/* TensorProto: dims 1, data_type 2, name 8, raw_data 9, doc_string 12. `beside`: the name in
 * PyTorch's network, where the tensor's own does not tell; NULL: it does. */
static void put_tensor(graph *g, const char *name, const char *beside, int type,
                       const int64_t *dims, int ndim, const void *values, size_t bytes) {
    gyre_wire w = {0};
    for (int i = 0; i < ndim; i++) gyre_wire_integer(&w, 1, (uint64_t)dims[i]);
    gyre_wire_integer(&w, 2, (uint64_t)type);
    gyre_wire_text(&w, 8, name);
    gyre_wire_bytes(&w, 9, values, bytes);
    if (beside != NULL) gyre_wire_text(&w, 12, beside);
    gyre_wire_message(&g->constants, 5, w);
}

graph_value graph_floats(graph *g, const float *values, const int64_t *dims, int ndim) {
    const graph_value v = fresh_value(g, false);
    size_t count = 1;
    for (int i = 0; i < ndim; i++) count = gyre_size_of(count, (size_t)dims[i]);
    put_tensor(g, v.name, NULL, TYPE_FLOAT, dims, ndim, values, count * sizeof *values);
    return v;
}

graph_value graph_integers(graph *g, const int64_t *values, int count) {
    const graph_value v = fresh_value(g, false);
    const int64_t dims[] = {count};
    put_tensor(g, v.name, NULL, TYPE_INT64, dims, 1, values, (size_t)count * sizeof *values);
    return v;
}

/* ---- names of parameters */

static bool is_node(const gyre_model *m, const char *name, size_t length) {
    for (int i = 0; i < m->node_count; i++) {
        const char *node = m->nodes[i].name;
        if (strncmp(node, name, length) == 0 && node[length] == '\0') return true;
    }
    return length == 6 && (memcmp(name, "images", 6) == 0 || memcmp(name, "logits", 6) == 0);
}

/* The input's name, the output's, or one that a node gives to its values. */
static bool is_ours(const gyre_model *m, const char *name) {
    const char *slash = strchr(name, '/');
    if (slash == NULL) return strcmp(name, "input") == 0 || strcmp(name, "logits") == 0;
    return strchr(slash + 1, '/') == NULL && is_node(m, name, (size_t)(slash - name));
}

static bool is_theirs(const gyre_model *m, const char *name) {
    for (int i = 0; i < m->param_count; i++) {
        if (strcmp(gyre_state_of_type(m, i).name, name) == 0) return true;
    }
    for (int i = 0; i < m->statistic_count; i++) {
        if (strcmp(gyre_state_of_statistic(m, i).name, name) == 0) return true;
    }
    return false;
}

/* A tensor is called as in PyTorch's network. Where that name is taken, it has strokes behind it,
 * and the right name lies beside it, as it does where a reader could take it for one of ours. */
static const char *name_tensor(const gyre_model *m, const char *there, char out[GRAPH_NAME]) {
    size_t length = strlen(there);
    snprintf(out, GRAPH_NAME, "%s", there);
    for (bool taken = is_ours(m, out); taken && length + 1 < GRAPH_NAME;
         taken = is_ours(m, out) || is_theirs(m, out)) {
        out[length++] = '_';
        out[length] = '\0';
    }
    return strchr(there, '/') != NULL || strcmp(out, there) != 0 ? there : NULL;
}

/* ---- parameters and statistics */

static void put_param(graph *g, const char *name, const char *beside, const gyre_param *p,
                      const gyre_state_array *a, bool own_order) {
    int64_t dims[4];
    const float *own = g->network->parameters + p->offset;
    float *there = own_order ? NULL : malloc(gyre_size_of(p->count, sizeof *there));
    for (int i = 0; i < a->ndim; i++) dims[i] = a->dims[i];
    if (there != NULL) gyre_state_to_torch(a, own, there);
    g->constants.failed = g->constants.failed || (there == NULL && !own_order);
    put_tensor(g, name, beside, TYPE_FLOAT, dims, a->ndim, own_order ? own : there,
               g->constants.failed ? 0 : p->count * sizeof *own);
    free(there);
}

graph_value graph_parameter(graph *g, int param, int ndim, bool own_order) {
    const gyre_param *p = &g->network->model->params[param];
    gyre_state_array a = gyre_state_of_type(g->network->model, param);
    graph_value v = {.flat = false};
    a.ndim = ndim;
    for (int i = p->ndim; i < ndim; i++) a.dims[i] = 1;
    const char *beside = a.computed ? NULL : name_tensor(g->network->model, a.name, v.name);
    if (a.computed) {
        snprintf(v.name, sizeof v.name, "%s", a.name);
        *strrchr(v.name, '.') = '/'; /* as model.file knows it again */
    }
    if (!g->written[param]) put_param(g, v.name, beside, p, &a, own_order);
    g->written[param] = true;
    return v;
}

static const gyre_statistic *statistic_of(const gyre_model *m, int node, int which) {
    int i = 0;
    while (m->statistics[i].node != node || which-- > 0) i++;
    return &m->statistics[i];
}

graph_value graph_statistic(graph *g, int node, int which) {
    const gyre_statistic *s = statistic_of(g->network->model, node, which);
    graph_value v = {.flat = false};
    const int64_t dims[] = {(int64_t)s->count};
    const gyre_model *m = g->network->model;
    const char *there = gyre_state_of_statistic(m, (int)(s - m->statistics)).name;
    const char *beside = name_tensor(m, there, v.name);
    put_tensor(g, v.name, beside, TYPE_FLOAT, dims, 1, g->network->buffers + s->offset,
               s->count * sizeof(float));
    return v;
}

graph_value graph_constants(graph *g, int node, int which, int ndim) {
    const gyre_statistic *s = statistic_of(g->network->model, node, which);
    graph_value v = {.flat = false};
    const int64_t dims[] = {(int64_t)s->count, 1, 1};
    snprintf(v.name, sizeof v.name, "%s", s->name);
    *strrchr(v.name, '.') = '/';
    put_tensor(g, v.name, NULL, TYPE_FLOAT, dims, ndim, g->network->buffers + s->offset,
               s->count * sizeof(float));
    return v;
}

/* ---- ranks */

graph_value graph_flat(graph *g, graph_value x) {
    if (x.flat) return x;
    graph_value y = graph_unary(g, "Flatten", x, GRAPH_ATTRIBUTES(GRAPH_INT("axis", 1)));
    y.flat = true;
    return y;
}

graph_value graph_picture(graph *g, graph_value x) {
    static const int64_t axes[] = {2, 3};
    if (!x.flat) return x;
    graph_value y = graph_binary(g, "Unsqueeze", x, graph_integers(g, axes, 2));
    y.flat = false;
    return y;
}
