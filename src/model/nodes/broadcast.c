/* add (2 or 3 inputs) and mul (2 inputs), element by element. All but the first input may be
 * smaller: (1, 1, c) is spread over the pixels of its sample, as squeeze-and-excite needs it (Hu et
 * al. 2018, arXiv 1709.01507), (h, w, 1) over the channels of its pixel. */
#include "../builder.h"

static bool spread_of(node_size of, node_size over, gyre_broadcast *out) {
    bool pixels = of.h == over.h && of.w == over.w;
    *out = pixels && of.c == over.c ? GYRE_BROADCAST_NONE
           : pixels                 ? GYRE_BROADCAST_CHANNELS
                                    : GYRE_BROADCAST_PIXELS;
    return (pixels && (of.c == over.c || of.c == 1)) || (of.h == 1 && of.w == 1 && of.c == over.c);
}

static gyre_status define(builder *b, gyre_node *n, const node_size *in) {
    gyre_broadcast spread;
    for (int k = 1; k < n->input_count; k++) {
        if (spread_of(in[k], in[0], &spread)) continue;
        return gyre_fail(GYRE_EUSAGE,
                         "node %s: expected that input %d has the size of the first, %d x %d x %d, "
                         "or 1 x 1 x %d, or %d x %d x 1, found %d x %d x %d",
                         n->name, k + 1, in->h, in->w, in->c, in->c, in->h, in->w, in[k].h, in[k].w,
                         in[k].c);
    }
    return builder_same_size(b, n, in);
}

/* Of the first input and input k. */
static gyre_broadcast_shape shape(const node_call *c, int k, bool multiply) {
    gyre_broadcast_shape s = {c->n, c->in->h, c->in->w, c->in->c, GYRE_BROADCAST_NONE, multiply};
    spread_of(c->in[k], c->in[0], &s.over);
    return s;
}

static gyre_status add_forward(const node_call *c) {
    for (int k = 1; k < c->node->input_count; k++) {
        gyre_broadcast_shape s = shape(c, k, false);
        GYRE_TRY(c->ops->broadcast(c->queue, &s, k == 1 ? c->x[0] : c->y, c->x[k], c->y));
    }
    return GYRE_OK;
}

/* The first input's gradient is dy, where it lies. */
static gyre_status add_dx(const node_call *c) {
    for (int k = 1; k < c->node->input_count; k++) {
        gyre_broadcast_shape s = shape(c, k, false);
        if (c->dx[k] == NULL) continue;
        GYRE_TRY(c->ops->broadcast_db(c->queue, &s, NULL, c->dy, c->dx[k]));
    }
    return GYRE_OK;
}

static gyre_status mul_forward(const node_call *c) {
    gyre_broadcast_shape s = shape(c, 1, true);
    return c->ops->broadcast(c->queue, &s, c->x[0], c->x[1], c->y);
}

static gyre_status mul_dx(const node_call *c) {
    gyre_broadcast_shape s = shape(c, 1, true);
    if (c->dx[1] != NULL) {
        GYRE_TRY(c->ops->broadcast_db(c->queue, &s, c->x[0], c->dy, c->dx[1]));
    }
    return c->ops->broadcast(c->queue, &s, c->dy, c->x[1], c->dx[0]);
}

const gyre_node_type node_add = {.name = "add",
                                 .summary =
                                     "The sum of its inputs; all but the first may be one value "
                                     "for each channel (1 x 1 x c) or for each pixel (h x w x 1).",
                                 .inputs_min = 2,
                                 .inputs_max = 3,
                                 .dx_may_be_dy = true,
                                 .define = define,
                                 .forward = add_forward,
                                 .dx = add_dx};

const gyre_node_type node_mul = {
    .name = "mul",
    .summary =
        "The product of its inputs; the second may be one value for each channel (1 x 1 x c) "
        "or for each pixel (h x w x 1).",
    .inputs_min = 2,
    .inputs_max = 2,
    .dx_may_be_dy = true,
    .keeps_x = true,
    .define = define,
    .forward = mul_forward,
    .dx = mul_dx};
