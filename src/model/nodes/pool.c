/* Pooling by the largest value or by the average, over windows or over the whole picture. */
#include "../builder.h"

enum { SIDE_MAX = 1 << 15 };

typedef struct {
    int size, stride, pad;
    bool ceil;   /* a window may reach beyond the picture: Caffe's rule */
    bool global; /* one window, the whole picture */
} pool_options;

static const node_option options[] = {
    {"size", OPTION_INT, offsetof(pool_options, size), 1, SIDE_MAX, 1, NULL},
    {"stride", OPTION_INT, offsetof(pool_options, stride), 1, SIDE_MAX, 1, NULL},
    {"pad", OPTION_INT, offsetof(pool_options, pad), 0, SIDE_MAX, 0, NULL},
    {"ceil", OPTION_BOOL, offsetof(pool_options, ceil), 0, 1, 0, NULL},
    {"global", OPTION_BOOL, offsetof(pool_options, global), 0, 1, 0, NULL},
    {0},
};

/* The windows for an input. */
static pool_options windows(const pool_options *o, const node_size *in) {
    return o->global ? (pool_options){.size = in->h, .stride = in->h, .global = true} : *o;
}

static gyre_status define(builder *b, gyre_node *n, const node_size *in) {
    const pool_options *given = n->options, o = windows(given, in);
    if (o.global && in->h != in->w) {
        return gyre_fail(GYRE_EUSAGE,
                         "node %s: the whole picture as one window must be square, found %dx%d; "
                         "\"%s\" needs square images",
                         n->name, in->h, in->w, b->model->name);
    }
    if (o.pad >= o.size) { /* a window would see nothing but padding */
        return gyre_fail(GYRE_EUSAGE,
                         "node %s: \"pad\": expected less than the window's %d pixels, found %d",
                         n->name, o.size, o.pad);
    }
    n->h = gyre_pool_size(in->h, o.size, o.stride, o.pad, o.ceil);
    n->w = gyre_pool_size(in->w, o.size, o.stride, o.pad, o.ceil);
    n->c = in->c;
    return GYRE_OK;
}

static gyre_pool_shape shape(const node_call *c);

static size_t saved_size(const node_call *c) {
    gyre_pool_shape s = shape(c);
    return c->ops->pool_saved_size(c->backend, &s);
}

static gyre_status forward(const node_call *c) {
    gyre_pool_shape s = shape(c);
    return c->ops->pool(c->queue, &s, c->x[0], c->saved, c->y);
}

static gyre_status dx(const node_call *c) {
    gyre_pool_shape s = shape(c);
    return c->ops->pool_dx(c->queue, &s, c->dy, c->saved, c->dx[0]);
}

#define POOL(type)                                                                                 \
    {                                                                                              \
        .name = type, .inputs_min = 1, .inputs_max = 1, .options_size = sizeof(pool_options),      \
        .options = options, .define = define, .saved_size = saved_size, .forward = forward,        \
        .dx = dx                                                                                   \
    }

const gyre_node_type node_max_pool = POOL("max_pool");
const gyre_node_type node_average_pool = POOL("average_pool");

static gyre_pool_shape shape(const node_call *c) {
    const pool_options o = windows(c->node->options, c->in);
    bool max = c->node->type == &node_max_pool;
    return (gyre_pool_shape){c->n,     c->in->h, c->in->w, c->in->c, o.size,
                             o.stride, o.pad,    max,      o.ceil};
}
