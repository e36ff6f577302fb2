/* The graph: initialisers, input, operators in their order, output. */
#include "graph.h"

#include "attribute.h"
#include "equal.h"
#include "external.h"
#include "fold.h"
#include "gyre/settings.h"
#include "images.h"
#include "operators.h"
#include "origin.h"
#include "row.h"
#include <string.h>

/* Of the operators, some are shapes and constants, and others parts of a node. */
enum { OPERATORS_MAX = 5 * GYRE_NODES_MAX };

static gyre_status wrong(const onnx_import *m, const char *what, const char *name,
                         const char *advice) {
    return gyre_fail(GYRE_EIO, "'%s': %s '%s'; %s", m->work.file->path, what,
                     name == NULL ? "" : name, advice);
}

static gyre_status add_value(onnx_import *m, const char *name, onnx_value **out) {
    bool named = name != NULL && name[0] != '\0';
    *out = named ? onnx_values_add(&m->values, name) : NULL;
    if (*out != NULL) return GYRE_OK;
    return wrong(
        m, "two values have the name", name,
        "the file is damaged: dynamo makes such ones where a parameter or buffer is called "
        "as an operator is; rename it, or export by to_gyre of gyre-exchange");
}

/* ---- what is there before the operators */

/* "" of ONNX's own. */
static const char *domain_of(const char *domain) {
    return domain == NULL || strcmp(domain, "ai.onnx") == 0 ? "" : domain;
}

static gyre_status check_opset(onnx_import *m) {
    const Onnx__ModelProto *p = m->work.file->model;
    for (size_t i = 0; i < p->n_opset_import; i++) {
        const Onnx__OperatorSetIdProto *o = p->opset_import[i], *other = p->opset_import[0];
        const char *domain = domain_of(o->domain);
        for (size_t k = 0; strcmp(domain_of(other->domain), domain) != 0;)
            other = p->opset_import[++k];
        if (other->version != o->version)
            return gyre_fail(GYRE_EIO,
                             "'%s' is of opset %lld and %lld of the domain '%.60s'; one was "
                             "expected: export it anew",
                             m->work.file->path, (long long)other->version, (long long)o->version,
                             domain);
        if (domain[0] == '\0') m->opset = o->version;
    }
    if (m->opset >= ONNX_OPSET_MIN && m->opset <= ONNX_OPSET_MAX) return GYRE_OK;
    return gyre_fail(GYRE_EIO,
                     "'%s' is of opset %lld; %d to %d was expected: export it with "
                     "opset_version=17",
                     m->work.file->path, (long long)m->opset, ONNX_OPSET_MIN, ONNX_OPSET_MAX);
}

static gyre_status add_initialiser(onnx_import *m, const Onnx__TensorProto *t) {
    onnx_value *v = NULL;
    GYRE_TRY(add_value(m, t->name, &v));
    v->unread = onnx_type_bytes(t->data_type) == 0 ? t : NULL;
    if (v->unread != NULL) return GYRE_OK; /* a node that reads it is refused */
    v->kind = ONNX_CONSTANT;
    v->constant = onnx_constant_of(&m->work, t, v->name);
    return m->work.status;
}

static gyre_status add_initialisers(onnx_import *m) {
    const Onnx__GraphProto *g = m->work.file->model->graph;
    if (g->n_sparse_initializer > 0) {
        return wrong(m, "it has sparse weights, as graph", g->name, "gyre reads dense ones alone");
    }
    for (size_t i = 0; i < g->n_initializer; i++) GYRE_TRY(add_initialiser(m, g->initializer[i]));
    return onnx_external_check(m->work.file);
}

/* ---- operators */

static gyre_status find_inputs(onnx_import *m, onnx_call *c) {
    size_t unused;
    for (size_t i = 0; i < c->node->n_input; i++) {
        const char *name = c->node->input[i];
        if (name[0] == '\0') continue;
        c->in[i] = onnx_values_find(&m->values, name);
        if (c->in[i] != NULL && c->in[i]->unread != NULL)
            return onnx_tensor_check(m->work.file, c->in[i]->unread, &unused);
        if (c->in[i] != NULL) continue;
        return gyre_fail(GYRE_EIO,
                         "'%s': node '%s' (%s) reads '%s', which nothing before it gives: an "
                         "initialiser is missing, or the graph goes in a circle",
                         m->work.file->path, c->node->name == NULL ? "" : c->node->name,
                         c->node->op_type, name);
    }
    c->in_count = (int)c->node->n_input;
    return GYRE_OK;
}

static gyre_status add_outputs(onnx_import *m, onnx_call *c) {
    for (size_t i = 0; i < c->node->n_output; i++) {
        onnx_value *v = NULL;
        if (c->node->output[i][0] == '\0') continue;
        GYRE_TRY(add_value(m, c->node->output[i], &v));
        if (i < ONNX_CALL_OUTPUTS) c->out[i] = v;
    }
    return GYRE_OK;
}

static void give_attribute(onnx_import *m, onnx_call *c) {
    const Onnx__NodeProto *n = c->node;
    const Onnx__AttributeProto *a = n->n_attribute == 1 ? n->attribute[0] : NULL;
    bool integers = a != NULL && (a->n_ints > 0 || a->has_i);
    bool reals = a != NULL && (a->n_floats > 0 || a->has_f);
    bool outside = a != NULL && a->t != NULL && onnx_tensor_is_outside(a->t);
    onnx_constant *k = NULL;
    bool read = a != NULL && a->t != NULL && onnx_type_bytes(a->t->data_type) > 0;
    if (!outside && read && onnx_attribute(n, "value") == a) {
        k = onnx_constant_of(&m->work, a->t, NULL);
    } else if (integers || reals) {
        bool one = integers ? a->n_ints == 0 : a->n_floats == 0;
        int64_t count = one ? 1 : (int64_t)(integers ? a->n_ints : a->n_floats);
        k = onnx_constant_make(&m->work, one ? 0 : 1, &count, integers);
        for (int64_t i = 0; k != NULL && i < count; i++) {
            k->values[i] =
                integers ? (double)(one ? a->i : a->ints[i]) : (double)(one ? a->f : a->floats[i]);
        }
    }
    if (outside)
        onnx_refuse(m, c,
                    "its numbers lie in another file, from which gyre reads initialisers alone");
    else if (k == NULL)
        onnx_refuse(m, c, "gyre reads constants that are one tensor or a list of numbers");
    else
        onnx_give_constant(c, k);
}

static bool all_constant(const onnx_call *c) {
    int given = 0;
    for (int i = 0; i < c->in_count; i++) {
        if (c->in[i] == NULL) continue;
        if (c->in[i]->kind != ONNX_CONSTANT) return false;
        given++;
    }
    return given > 0;
}

static gyre_status run_node(onnx_import *m, const Onnx__NodeProto *n, onnx_call *c);

/* The branch that a constant condition chooses; NULL: the input decides, or the graph is missing.
 */
static const Onnx__GraphProto *branch_of(onnx_import *m, const onnx_call *c) {
    double condition = 0;
    onnx_constant *k = onnx_constant_in(c, 0);
    if (k == NULL || !onnx_constant_all(&m->work, k, &condition)) return NULL;
    const Onnx__AttributeProto *a =
        onnx_attribute(c->node, condition != 0 ? "then_branch" : "else_branch");
    return a == NULL ? NULL : a->g;
}

static gyre_status run_branch(onnx_import *m, onnx_call *c, const Onnx__GraphProto *g) {
    onnx_call *inner = onnx_take(&m->work, 1, sizeof *inner);
    const int before = m->values.count;
    if (inner == NULL) return m->work.status;
    for (size_t i = 0; i < g->n_initializer; i++) GYRE_TRY(add_initialiser(m, g->initializer[i]));
    for (size_t i = 0; i < g->n_node; i++) GYRE_TRY(run_node(m, g->node[i], inner));
    for (size_t i = 0; i < g->n_output && i < ONNX_CALL_OUTPUTS; i++) {
        const char *name = g->output[i]->name;
        const onnx_value *v = name == NULL ? NULL : onnx_values_find(&m->values, name);
        if (v == NULL)
            return wrong(m, "nothing gives a branch's output", name, "the file is damaged");
        if (c->out[i] == NULL) continue;
        const char *outside = c->out[i]->name;
        *c->out[i] = *v;
        c->out[i]->name = outside;
    }
    onnx_values_forget(&m->values, before); /* another branch may have the same names */
    return GYRE_OK;
}

/* If: the exporter asked a question about sizes, whose answer is known here. */
static void choose_branch(onnx_import *m, onnx_call *c) {
    const Onnx__GraphProto *g = branch_of(m, c);
    bool outside = false;
    for (size_t i = 0; g != NULL && i < g->n_initializer; i++) {
        outside = outside || onnx_tensor_is_outside(g->initializer[i]);
    }
    if (g == NULL || outside || c->node->n_output > ONNX_CALL_OUTPUTS) {
        onnx_refuse(m, c, "it has graphs of its own, and gyre's networks have no branches");
        return;
    }
    gyre_status status = run_branch(m, c, g);
    if (m->work.status == GYRE_OK) m->work.status = status;
}

static void refuse_constant(onnx_import *m, onnx_call *c) {
    bool weights = false;
    for (int i = 0; i < c->in_count; i++) {
        const onnx_constant *k = onnx_constant_in(c, i);
        weights = weights || (k != NULL && !k->integer && onnx_parameter_of(k) != NULL);
    }
    onnx_refuse(m, c, "gyre does not compute this constant%s",
                weights ? "; weights that follow from others, as by weight_norm, become plain ones "
                          "by torch.nn.utils.parametrize.remove_parametrizations before the export"
                        : "");
}

static void run_operator(onnx_import *m, onnx_call *c) {
    const Onnx__NodeProto *n = c->node;
    const char *domain = domain_of(n->domain);
    onnx_operator run = onnx_operator_find(n->op_type);
    const bool is_random = strcmp(n->op_type, "RandomUniformLike") == 0;
    if (domain[0] != '\0')
        onnx_refuse(m, c, "it is no operator of ONNX, but of %.100s", domain);
    else if (strcmp(n->op_type, "If") == 0)
        choose_branch(m, c);
    else if (onnx_has_subgraph(n))
        onnx_refuse(m, c,
                    "it has a graph of its own, and gyre's networks have no branches or loops");
    else if (strcmp(n->op_type, "Constant") == 0)
        give_attribute(m, c);
    else if (all_constant(c) && onnx_fold(m, c))
        return;
    else if (all_constant(c) && !is_random)
        refuse_constant(m, c);
    else if (run == NULL)
        onnx_refuse(m, c, "gyre has no such node");
    else
        run(m, c);
}

static gyre_status run_node(onnx_import *m, const Onnx__NodeProto *n, onnx_call *c) {
    *c = (onnx_call){.node = n};
    if (n->op_type == NULL || n->n_input > ONNX_CALL_INPUTS) {
        return wrong(m, "no operator, or too many inputs, has node", n->name,
                     "the file is damaged");
    }
    if (domain_of(n->domain)[0] == '\0') GYRE_TRY(onnx_attributes_check(m->work.file->path, n));
    GYRE_TRY(find_inputs(m, c));
    GYRE_TRY(add_outputs(m, c));
    uint64_t key = 0;
    if (onnx_equal_take(m, c, &key)) return m->work.status;
    run_operator(m, c);
    if (c->out[0] != NULL && m->fork != NULL && strcmp(c->out[0]->name, m->fork) == 0)
        c->out[0]->forked = true;
    onnx_equal_keep(m, c, key);
    return m->work.status;
}

/* Nodes and values of a graph and of all that are in it. */
static void count(const Onnx__GraphProto *g, size_t *nodes, size_t *values) {
    *nodes += g->n_node;
    *values += g->n_initializer + g->n_input;
    for (size_t i = 0; i < g->n_node; i++) {
        const Onnx__NodeProto *n = g->node[i];
        *values += n->n_output;
        for (size_t k = 0; k < n->n_attribute; k++) {
            if (n->attribute[k]->g != NULL) count(n->attribute[k]->g, nodes, values);
        }
    }
}

gyre_status onnx_graph_read(onnx_import *m) {
    const Onnx__GraphProto *g = m->work.file->model->graph;
    size_t nodes = 0, names = 0;
    count(g, &nodes, &names);
    if (nodes > OPERATORS_MAX) {
        return gyre_fail(GYRE_EIO, "'%s' has %zu operators; at most %d were expected",
                         m->work.file->path, nodes, OPERATORS_MAX);
    }
    if (names > INT32_MAX / 4) return wrong(m, "too many values has graph", g->name, "split it");
    onnx_values_open(&m->work, &m->values, (int)names);
    onnx_values_open(&m->work, &m->equal, (int)nodes);
    GYRE_TRY(m->work.status);
    GYRE_TRY(check_opset(m));
    GYRE_TRY(add_initialisers(m));
    onnx_origin_mark(m);
    GYRE_TRY(onnx_images_add(m));
    onnx_call *c = onnx_take(&m->work, 1, sizeof *c);
    if (c == NULL) return m->work.status;
    for (size_t i = 0; i < g->n_node; i++) GYRE_TRY(run_node(m, g->node[i], c));
    return GYRE_OK;
}

/* ---- the output */

static Onnx__NodeProto end = {.op_type = "output"}; /* what reads the output */

/* Cross-entropy takes what a softmax is given; who asks for another loss is told (gyre/onnx.h). */
static int without_softmax(onnx_import *m, int layer) {
    const onnx_layer *l = onnx_layer_at(m, layer);
    bool softmax =
        l->type == NULL && l->why == NULL && !l->silent &&
        (strcmp(l->from->op_type, "Softmax") == 0 || strcmp(l->from->op_type, "LogSoftmax") == 0);
    if (!softmax || l->inputs[0] < 0) return layer;
    m->softmax = l->from->op_type;
    return l->inputs[0];
}

gyre_status onnx_graph_finish(onnx_import *m) {
    const char *name = m->work.file->model->graph->output[0]->name;
    onnx_value *v = name == NULL ? NULL : onnx_values_find(&m->values, name);
    if (v == NULL) return wrong(m, "nothing gives the output", name, "the file is damaged");
    onnx_call *c = onnx_take(&m->work, 1, sizeof *c);
    if (c == NULL) return m->work.status;
    *c = (onnx_call){.node = &end};
    bool layered = (v->kind == ONNX_PICTURE || v->kind == ONNX_UNKNOWN) && v->layer >= 0;
    if (!layered) return wrong(m, "no layer gives the output", name, "gyre trains networks");
    const onnx_view *w = &v->view;
    bool picture = v->kind == ONNX_UNKNOWN || onnx_view_is(w, "NC") || onnx_view_is(w, "NCHW") ||
                   onnx_view_is(w, "NHWC") || onnx_row_of_one(m, c, v);
    if (!picture)
        return wrong(m, "neither a row nor a picture of each sample is the output", name,
                     "reshape it");
    m->output = without_softmax(m, v->layer);
    return m->work.status;
}
