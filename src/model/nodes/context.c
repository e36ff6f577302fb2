/* What a network attends to besides the sample: the context that the sample's label names, of a
 * table that comes with the dataset and that training leaves as it is (diffusers'
 * encoder_hidden_states). Its tokens are the pixels of a row. With `drop` training takes the first
 * context, that of no caption, in the label's place with this probability (Ho & Salimans 2022,
 * arXiv 2207.12598, algorithm 1). */
#include "diffuse.h"

#include <limits.h>

const gyre_node_type node_context;

typedef struct {
    int tokens, channels;
    float drop;
} context_options;

static const node_option options[] = {
    {"tokens", OPTION_COUNT, offsetof(context_options, tokens), 1, INT_MAX, NAN, NULL, NULL},
    {"channels", OPTION_COUNT, offsetof(context_options, channels), 1, INT_MAX, NAN, NULL, NULL},
    {"drop", OPTION_REAL, offsetof(context_options, drop), 0, 1, 0, NULL, NULL},
    {0},
};

static size_t row_of(const context_options *o) {
    return gyre_size_of((size_t)o->tokens, (size_t)o->channels);
}

static gyre_status check_contexts(const gyre_model *m, const gyre_node *n) {
    const context_options *o = n->options;
    const gyre_contexts *c = m->contexts;
    if (c == NULL) {
        return gyre_fail(GYRE_EUSAGE,
                         "node %s: expected a dataset with contexts of %d tokens x %d channels "
                         "(/contexts), found one without contexts",
                         n->name, o->tokens, o->channels);
    }
    if (c->tokens == o->tokens && c->channels == o->channels) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "node %s: expected a dataset with contexts of %d tokens x %d channels, found "
                     "%d x %d",
                     n->name, o->tokens, o->channels, c->tokens, c->channels);
}

gyre_status gyre_model_check_contexts(const gyre_model *m) {
    for (int i = 0; i < m->node_count; i++) {
        if (m->nodes[i].type == &node_context) GYRE_TRY(check_contexts(m, &m->nodes[i]));
    }
    return GYRE_OK;
}

static int rows_of(const gyre_model *m) {
    return m->contexts == NULL ? m->classes : m->contexts->count;
}

static gyre_status define(builder *b, gyre_node *n, const node_size *in) {
    const context_options *o = n->options;
    (void)in;
    GYRE_TRY(diffuse_check_read(b, n, "for whose samples it gives contexts"));
    if (!gyre_target_is_label(&b->model->target)) {
        return gyre_fail(GYRE_EUSAGE, "node %s: expected a dataset with a context for each sample",
                         n->name);
    }
    if (row_of(o) > INT_MAX) {
        return gyre_fail(GYRE_EUSAGE,
                         "node %s: expected at most %d numbers in a context, found %d x %d",
                         n->name, INT_MAX, o->tokens, o->channels);
    }
    n->h = 1;
    n->w = o->tokens;
    n->c = o->channels;
    return b->model->contexts == NULL ? GYRE_OK : check_contexts(b->model, n);
}

static size_t constants_size(const gyre_model *m, const gyre_node *n) {
    const context_options *o = n->options;
    return gyre_size_of((size_t)rows_of(m), row_of(o));
}

static gyre_status constants(const gyre_model *m, const gyre_node *n, float *out) {
    GYRE_TRY(check_contexts(m, n));
    memcpy(out, m->contexts->values, constants_size(m, n) * sizeof *out);
    return GYRE_OK;
}

static gyre_status forward(const node_call *c) {
    const context_options *o = c->node->options;
    const gyre_embedding_shape s = {.n = c->n,
                                    .first = (uint32_t)c->first,
                                    .rows = rows_of(c->model),
                                    .c = (int)row_of(o),
                                    .none = GYRE_CONTEXT_NONE,
                                    .threshold = diffuse_threshold(c, o->drop)};
    return c->ops->embedding(c->queue, &s, c->draws, c->targets, c->constants, c->y);
}

const gyre_node_type node_context = {
    .name = NODE_CONTEXT,
    .summary = "What a network attends to besides a sample that a node of type diffuse has noised: "
               "the context of the dataset that the sample names, one row of tokens.",
    .inputs_min = 1,
    .inputs_max = 1,
    .options_size = sizeof(context_options),
    .options = options,
    .draws = true,
    .draws_in_evaluation = true,
    .define = define,
    .constants_size = constants_size,
    .constants = constants,
    .forward = forward};
