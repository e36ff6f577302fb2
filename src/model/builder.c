/* Appends nodes to a model: their options, then what their type makes of them. */
#include "builder.h"

#include "gyre/size.h"
#include "gyre/text.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Far beyond any machine, and far below where sizes wrap. */
static const size_t bytes_max = (size_t)1 << 40;

static void *grow(builder *b, void *array, int count, int *room, size_t size) {
    if (b->status != GYRE_OK || count < *room) return array;
    int wider = *room == 0 ? 32 : 2 * *room;
    void *more = realloc(array, (size_t)wider * size);
    if (more == NULL) {
        b->status = gyre_no_memory("a model of %d layers", wider);
        return array;
    }
    *room = wider;
    return more;
}

/* ---- parameters and statistics */

/* "NODE.WHAT"; too long a name would no longer be unique. */
static void join(builder *b, const char *node, const char *what, char out[GYRE_NODE_NAME_SIZE]) {
    if (snprintf(out, GYRE_NODE_NAME_SIZE, "%s.%s", node, what) >= GYRE_NODE_NAME_SIZE) {
        b->status = gyre_fail(GYRE_EUSAGE, "the name %s.%s has more than %d bytes", node, what,
                              GYRE_NODE_NAME_SIZE - 1);
    }
}

/* Uses an earlier node's parameter. Returns false where the next one is the node's own. */
static bool share(builder *b, gyre_node *n, int which, int ndim, const int *dims) {
    int owner = b->shared[which] - 1;
    if (owner < 0) return false;
    if (owner >= b->model->param_count) {
        b->status = gyre_fail(GYRE_EUSAGE, "%s: there is no parameter %d to use", n->name, owner);
        return true;
    }
    const gyre_param *p = &b->model->params[owner];
    for (int i = 0; i < which; i++) { /* its gradients would overwrite each other */
        if (n->params[i] != owner) continue;
        b->status = gyre_fail(GYRE_EUSAGE, "%s cannot use %s twice", n->name, p->name);
    }
    if (p->ndim != ndim || memcmp(p->dims, dims, (size_t)ndim * sizeof *dims) != 0) {
        b->status = gyre_fail(GYRE_EUSAGE, "%s cannot use %s: its own would have another shape",
                              n->name, p->name);
    }
    n->params[which] = owner;
    return true;
}

/* Counts what the network needs, before any of it is allocated. */
static void add_floats(builder *b, const gyre_node *n, size_t floats) {
    size_t bytes = gyre_size_of(floats, sizeof(float));
    if (bytes <= bytes_max - b->bytes) {
        b->bytes += bytes;
    } else if (b->status == GYRE_OK) {
        b->status = gyre_fail(GYRE_EUSAGE,
                              "node %s: with it, parameters and the activations of one sample "
                              "need more than 2^40 bytes",
                              n->name);
    }
}

/* The node's parameter `which`, all zeros so far; NULL when there is nothing to fill in. */
static gyre_param *add_param(builder *b, gyre_node *n, int which, const char *what, int ndim,
                             const int *dims) {
    gyre_model *m = b->model;
    if (b->status != GYRE_OK || share(b, n, which, ndim, dims)) return NULL;
    m->params = grow(b, m->params, m->param_count, &b->param_room, sizeof *m->params);
    if (b->status != GYRE_OK) return NULL;
    gyre_param *p = &m->params[m->param_count];
    memset(p, 0, sizeof *p);
    join(b, n->name, what, p->name);
    p->ndim = ndim;
    p->count = 1;
    for (int i = 0; i < ndim; i++) {
        p->dims[i] = dims[i];
        p->count = gyre_size_of(p->count, (size_t)dims[i]);
    }
    add_floats(b, n, p->count);
    if (b->status != GYRE_OK) return NULL;
    p->lr_mult = 1;
    p->decay_mult = 1;
    n->params[which] = m->param_count++;
    return p;
}

void builder_weight(builder *b, gyre_node *n, int ndim, const int *dims, double fan_in,
                    double fan_out) {
    gyre_param *p = add_param(b, n, 0, "weight", ndim, dims);
    if (p == NULL) return;
    p->fan_in = fan_in;
    p->fan_out = fan_out;
    p->init = b->init;
    p->decay_mult = b->weight_decay_mult;
    p->spread = b->spread_by_fan ? b->spread / sqrt(b->fan_out ? fan_out : fan_in) : b->spread;
}

void builder_normal(builder *b, gyre_node *n, int which, const char *what, int ndim,
                    const int *dims, double deviation) {
    gyre_param *p = add_param(b, n, which, what, ndim, dims);
    if (p == NULL) return;
    p->init = GYRE_INIT_NORMAL;
    p->spread = deviation;
}

void builder_bias(builder *b, gyre_node *n, int count, double fan_in) {
    gyre_param *p = add_param(b, n, 1, "bias", 1, &count);
    if (p == NULL) return;
    p->fan_in = fan_in;
    p->init = b->bias_init;
    p->spread = 1.0 / sqrt(fan_in);
    p->lr_mult = b->bias_lr_mult;
    p->decay_mult = b->bias_decay_mult;
}

void builder_vector(builder *b, gyre_node *n, int which, const char *what, int count,
                    gyre_init init) {
    gyre_param *p = add_param(b, n, which, what, 1, &count);
    if (p != NULL) p->init = init;
}

void builder_constant(builder *b, gyre_node *n, int which, const char *what, int count,
                      double value) {
    gyre_param *p = add_param(b, n, which, what, 1, &count);
    if (p == NULL) return;
    p->init = GYRE_INIT_CONSTANT;
    p->spread = value;
}

void builder_table(builder *b, gyre_node *n, const int dims[2]) {
    gyre_param *p = add_param(b, n, 0, "weight", 2, dims);
    if (p == NULL) return;
    p->init = GYRE_INIT_NORMAL;
    p->spread = 1;
}

void builder_statistic(builder *b, gyre_node *n, const char *what, int count, float initial,
                       float momentum, bool frozen) {
    gyre_model *m = b->model;
    add_floats(b, n, (size_t)count);
    m->statistics =
        grow(b, m->statistics, m->statistic_count, &b->statistic_room, sizeof *m->statistics);
    if (b->status != GYRE_OK) return;
    gyre_statistic *s = &m->statistics[m->statistic_count++];
    *s = (gyre_statistic){.node = (int)(n - m->nodes),
                          .offset = m->buffers,
                          .count = (size_t)count,
                          .initial = initial,
                          .momentum = momentum,
                          .frozen = frozen || m->norm_frozen};
    join(b, n->name, what, s->name);
    m->buffers += s->count;
}

void builder_share(builder *b, int which, int owner) {
    b->shared[which] = 1 + owner;
}

/* ---- nodes */

/* A node without options, sizes and parameters; NULL: out of memory. */
static gyre_node *add_node(builder *b, const gyre_node_type *type, const char *name,
                           const int *inputs, int input_count) {
    gyre_model *m = b->model;
    m->nodes = grow(b, m->nodes, m->node_count, &b->node_room, sizeof *m->nodes);
    if (b->status != GYRE_OK) return NULL;
    gyre_node *n = &m->nodes[m->node_count++];
    memset(n, 0, sizeof *n);
    n->type = type;
    snprintf(n->name, sizeof n->name, "%s", name);
    n->input_count = input_count;
    for (int i = 0; i < input_count; i++) n->inputs[i] = inputs[i];
    for (int i = 0; i < GYRE_NODE_PARAMS; i++) n->params[i] = -1;
    n->statistics = m->buffers;
    return n;
}

/* A name is part of paths in files, and of messages. */
static gyre_status check_name(const builder *b, const gyre_node_type *type, const char *name) {
    char visible[GYRE_NODE_NAME_SIZE];
    if (strlen(name) >= GYRE_NODE_NAME_SIZE) {
        return gyre_fail(GYRE_EUSAGE, "the node name %.40s... has more than %d bytes", name,
                         GYRE_NODE_NAME_SIZE - 1);
    }
    gyre_text_visible(name, visible, sizeof visible);
    if (name[0] == '\0' || strchr(name, '/') != NULL || strcmp(name, visible) != 0) {
        return gyre_fail(GYRE_EUSAGE,
                         "the node name \"%s\": expected text in UTF-8 without \"/\" and control "
                         "characters",
                         name);
    }
    if (strcmp(name, BUILDER_INPUT) == 0 || (strcmp(name, BUILDER_LOSS) == 0 && !type->is_loss)) {
        return gyre_fail(GYRE_EUSAGE, "a node cannot have the name \"%s\": it is that of the %s",
                         name, name[0] == 'l' ? "loss, which is added" : "input");
    }
    if (node_names_find(&b->names, b->model, name) >= 0) {
        return gyre_fail(GYRE_EUSAGE, "two nodes have the name %s", name);
    }
    return GYRE_OK;
}

gyre_status builder_check_inputs(const gyre_node_type *type, const char *name, int count) {
    int least = type->inputs_min, most = type->inputs_max;
    if (count >= least && count <= most) return GYRE_OK;
    char range[32] = "1 input";
    if (most > 1) snprintf(range, sizeof range, "%d to %d inputs", least, most);
    return gyre_fail(GYRE_EUSAGE, "node %s of type %s reads %s, found %d%s", name, type->name,
                     range, count, most > 1 && count > most ? "; chain several of them" : "");
}

static gyre_status check(const builder *b, const gyre_node_type *type, const char *type_name,
                         const char *name, const int *inputs, int count) {
    if (type == NULL) {
        return gyre_fail(GYRE_EUSAGE, "node %s: there is no type \"%s\"", name, type_name);
    }
    if (b->model->node_count >= GYRE_NODES_MAX && !type->is_loss) {
        return gyre_fail(GYRE_EUSAGE, "node %s: expected at most %d nodes, found one more", name,
                         GYRE_NODES_MAX);
    }
    GYRE_TRY(check_name(b, type, name));
    GYRE_TRY(builder_check_inputs(type, name, count));
    for (int i = 0; i < count; i++) {
        bool before = inputs[i] < b->model->node_count && inputs[i] >= BUILDER_IMAGES;
        if (before && (inputs[i] < 0 || !b->model->nodes[inputs[i]].type->is_loss)) continue;
        return gyre_fail(GYRE_EUSAGE, "node %s reads a node without an output before it", name);
    }
    return GYRE_OK;
}

static gyre_status define(builder *b, gyre_node *n, const node_value *options) {
    node_size in[GYRE_NODE_INPUTS] = {0};
    for (int i = 0; i < n->input_count; i++) in[i] = node_output(b->model, n->inputs[i]);
    GYRE_TRY(node_set_options(n, options, b->model->classes));
    GYRE_TRY(n->type->define(b, n, in));
    if (n->type->is_loss) return GYRE_OK;
    if (n->h >= 1 && n->w >= 1) {
        add_floats(b, n, gyre_size_of(gyre_size_of((size_t)n->h, (size_t)n->w), (size_t)n->c));
        return b->status;
    }
    return gyre_fail(GYRE_EUSAGE,
                     "%s needs larger images than %dx%d: nothing is left at node %s of the "
                     "%d x %d x %d that it reads",
                     b->model->name, b->model->h, b->model->w, n->name, in->h, in->w, in->c);
}

int builder_node(builder *b, const char *type, const char *name, const int *inputs, int input_count,
                 const node_value *options) {
    const gyre_node_type *found = node_type_named(type);
    if (b->status == GYRE_OK) b->status = check(b, found, type, name, inputs, input_count);
    if (b->status != GYRE_OK) return -1;
    gyre_node *n = add_node(b, found, name, inputs, input_count);
    if (n != NULL) b->status = node_names_add(&b->names, b->model, b->model->node_count - 1);
    if (b->status == GYRE_OK) b->status = define(b, n, options);
    memset(b->shared, 0, sizeof b->shared);
    return b->model->node_count - 1;
}

void builder_close(builder *b) {
    node_names_close(&b->names);
}

int builder_node_of(builder *b, const char *type, const char *name, int input,
                    const node_value *options) {
    return builder_node(b, type, name, &input, 1, options);
}

const char *builder_input_name(const builder *b, const gyre_node *n) {
    return n->inputs[0] < 0 ? BUILDER_INPUT : b->model->nodes[n->inputs[0]].name;
}

gyre_status builder_same_size(builder *b, gyre_node *n, const node_size *in) {
    n->h = in->h;
    n->w = in->w;
    n->c = in->c;
    return b->status;
}

/* ---- styles */

void builder_style_caffe(builder *b, double deviation) {
    b->init = GYRE_INIT_NORMAL;
    b->spread = deviation;
    b->spread_by_fan = false;
    b->bias_init = GYRE_INIT_ZERO;
    b->bias_lr_mult = 2;
    b->weight_decay_mult = b->bias_decay_mult = 1;
}

void builder_style_xavier(builder *b) {
    builder_style_caffe(b, sqrt(3.0));
    b->init = GYRE_INIT_UNIFORM;
    b->spread_by_fan = true;
    b->fan_out = false;
}

void builder_style_he(builder *b) {
    builder_style_caffe(b, sqrt(2.0));
    b->spread_by_fan = true;
    b->fan_out = true;
    b->bias_lr_mult = 1;
}

void builder_style_torch(builder *b) {
    builder_style_xavier(b);
    b->spread = 1.0; /* kaiming_uniform with a = sqrt(5): half width 1 / sqrt(fan in) */
    b->bias_init = GYRE_INIT_UNIFORM;
    b->bias_lr_mult = 1;
}
