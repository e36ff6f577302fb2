/* The channels of 2 or 3 inputs with the same pixels, one input behind the other. */
#include "../builder.h"

#include <limits.h>

static gyre_status define(builder *b, gyre_node *n, const node_size *in) {
    int64_t channels = 0;
    (void)b;
    for (int k = 0; k < n->input_count; k++) {
        channels += in[k].c;
        if (in[k].h == in->h && in[k].w == in->w && channels <= INT_MAX) continue;
        return gyre_fail(GYRE_EUSAGE,
                         "node %s: expected that input %d has the pixels of the first, %d x %d, "
                         "and at most %d channels in all, found %d x %d x %d",
                         n->name, k + 1, in->h, in->w, INT_MAX, in[k].h, in[k].w, in[k].c);
    }
    n->h = in->h;
    n->w = in->w;
    n->c = (int)channels;
    return GYRE_OK;
}

static size_t rows_of(const node_call *c) {
    return (size_t)c->n * (size_t)c->out.h * (size_t)c->out.w;
}

static gyre_status forward(const node_call *c) {
    int at = 0;
    for (int k = 0; k < c->node->input_count; at += c->in[k++].c) {
        gyre_copy_shape s = {rows_of(c), c->in[k].c, c->in[k].c, 0, c->out.c, at};
        GYRE_TRY(c->ops->copy_columns(c->queue, &s, c->x[k], c->y));
    }
    return GYRE_OK;
}

static gyre_status dx(const node_call *c) {
    int at = 0;
    for (int k = 0; k < c->node->input_count; at += c->in[k++].c) {
        gyre_copy_shape s = {rows_of(c), c->in[k].c, c->out.c, at, c->in[k].c, 0};
        if (c->dx[k] == NULL) continue;
        GYRE_TRY(c->ops->copy_columns(c->queue, &s, c->dy, c->dx[k]));
    }
    return GYRE_OK;
}

const gyre_node_type node_concat = {.name = "concat",
                                    .summary =
                                        "The channels of its inputs, one input behind the other.",
                                    .inputs_min = 2,
                                    .inputs_max = 3,
                                    .define = define,
                                    .forward = forward,
                                    .dx = dx};
