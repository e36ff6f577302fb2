/* A learned row for each class, by the sample's label (PyTorch's nn.Embedding; diffusers'
 * class_embedding). With `drop` training takes the last row, which no class has, in place of the
 * label's with this probability, so that one network learns with and without a condition (Ho &
 * Salimans 2022, arXiv 2207.12598, algorithm 1). */
#include "diffuse.h"

#include <limits.h>

typedef struct {
    int rows, channels;
    float drop;
} embedding_options;

static const node_option options[] = {
    {"rows", OPTION_INT, offsetof(embedding_options, rows), 1, INT_MAX, NODE_CLASSES, NULL, NULL},
    {"channels", OPTION_COUNT, offsetof(embedding_options, channels), 1, INT_MAX, NAN, NULL, NULL},
    {"drop", OPTION_REAL, offsetof(embedding_options, drop), 0, 1, 0, NULL, NULL},
    {0},
};

static gyre_status define(builder *b, gyre_node *n, const node_size *in) {
    const embedding_options *o = n->options;
    int least = b->model->classes + (o->drop > 0);
    const int dims[] = {o->rows, o->channels};
    (void)in;
    GYRE_TRY(diffuse_check_read(b, n, "for whose samples' labels it gives rows"));
    if (!gyre_target_is_label(&b->model->target)) {
        return gyre_fail(GYRE_EUSAGE, "node %s: expected a dataset with a class for each sample",
                         n->name);
    }
    if (o->rows < least) {
        return gyre_fail(GYRE_EUSAGE,
                         "node %s: \"rows\": expected at least %d, one for each class%s, found %d",
                         n->name, least, o->drop > 0 ? " and one for none" : "", o->rows);
    }
    n->h = n->w = 1;
    n->c = o->channels;
    builder_table(b, n, dims);
    return b->status;
}

static gyre_embedding_shape shape(const node_call *c) {
    const embedding_options *o = c->node->options;
    return (gyre_embedding_shape){.n = c->n,
                                  .first = (uint32_t)c->first,
                                  .rows = o->rows,
                                  .c = o->channels,
                                  .none = o->rows - 1,
                                  .threshold = diffuse_threshold(c, o->drop)};
}

static gyre_status forward(const node_call *c) {
    gyre_embedding_shape s = shape(c);
    return c->ops->embedding(c->queue, &s, c->draws, c->targets, c->w[0], c->y);
}

static gyre_status dw(const node_call *c) {
    gyre_embedding_shape s = shape(c);
    if (!c->learns) return GYRE_OK;
    return c->ops->embedding_dw(c->queue, &s, c->draws, c->targets, c->dy, c->dw[0]);
}

const gyre_node_type node_embedding = {
    .name = "embedding",
    .summary = "A learned row of numbers for the class of a sample that a node of type diffuse "
               "has noised.",
    .inputs_min = 1,
    .inputs_max = 1,
    .options_size = sizeof(embedding_options),
    .options = options,
    .draws = true,
    .draws_in_evaluation = true,
    .define = define,
    .forward = forward,
    .dw = dw};
