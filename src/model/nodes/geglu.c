/* Gated GELU (Shazeer 2020, arXiv 2002.05202): of twice the channels, the first half times the GELU
 * of the second, as diffusers' GEGLU and PyTorch's chunk(2, dim=-1) have it. */
#include "../builder.h"

static gyre_status define(builder *b, gyre_node *n, const node_size *in) {
    if (in->c % 2 != 0) {
        return gyre_fail(GYRE_EUSAGE,
                         "node %s: expected an even number of channels, of which the second half "
                         "gates the first, found %d",
                         n->name, in->c);
    }
    GYRE_TRY(builder_same_size(b, n, in));
    n->c = in->c / 2;
    return GYRE_OK;
}

static gyre_geglu_shape shape(const node_call *c) {
    return (gyre_geglu_shape){c->n, c->out.h, c->out.w, c->out.c};
}

static gyre_status forward(const node_call *c) {
    const gyre_geglu_shape s = shape(c);
    return c->ops->geglu(c->queue, &s, c->x[0], c->y);
}

static gyre_status dx(const node_call *c) {
    const gyre_geglu_shape s = shape(c);
    return c->ops->geglu_dx(c->queue, &s, c->x[0], c->dy, c->dx[0]);
}

const gyre_node_type node_geglu = {
    .name = "geglu",
    .summary = "Half as many channels as it reads: the first half times the GELU of the second.",
    .inputs_min = 1,
    .inputs_max = 1,
    .keeps_x = true,
    .define = define,
    .forward = forward,
    .dx = dx};
