/* Pooling by the largest value or by the average, over windows or over the whole picture. */
#include "../builder.h"

typedef struct {
    int size[2], stride[2], pad[2]; /* height, width; size and stride 0: not given */
    bool ceil;                      /* a window may reach beyond the picture: Caffe's rule */
    bool global;                    /* one window, the whole picture */
    bool count_pad;                 /* pixels outside the picture count, as zeros */
} pool_options;

#define POOL_OPTIONS                                                                               \
    {"size", OPTION_PAIR, offsetof(pool_options, size), 1, NODE_SIDE_MAX,                          \
     0,      NULL,        "required unless global"},                                               \
        {"stride", OPTION_PAIR, offsetof(pool_options, stride), 1, NODE_SIDE_MAX, 0,               \
         NULL,     "the size"},                                                                    \
        {"pad", OPTION_PAIR, offsetof(pool_options, pad), 0, NODE_SIDE_MAX, 0, NULL, NULL},        \
        {"ceil", OPTION_BOOL, offsetof(pool_options, ceil), 0, 1, 0, NULL, NULL}, {                \
        "global", OPTION_BOOL, offsetof(pool_options, global), 0, 1, 0, NULL, NULL                 \
    }

static const node_option max_options[] = {POOL_OPTIONS, {0}};
static const node_option average_options[] = {
    POOL_OPTIONS,
    {"count_pad", OPTION_BOOL, offsetof(pool_options, count_pad), 0, 1, 0, NULL, NULL},
    {0},
};

static bool is_max(const gyre_node *n);

/* The windows for an input. */
static gyre_pool_shape shape_of(const gyre_node *node, int n, node_size in) {
    const pool_options *o = node->options;
    bool all = o->global;
    const int *stride = o->stride[0] != 0 ? o->stride : o->size;
    return (gyre_pool_shape){.n = n,
                             .h = in.h,
                             .w = in.w,
                             .c = in.c,
                             .r = all ? in.h : o->size[0],
                             .s = all ? in.w : o->size[1],
                             .stride_h = all ? in.h : stride[0],
                             .stride_w = all ? in.w : stride[1],
                             .pad_h = all ? 0 : o->pad[0],
                             .pad_w = all ? 0 : o->pad[1],
                             .max = is_max(node),
                             .ceil = o->ceil && !all,
                             .count_pad = o->count_pad && !all};
}

static gyre_status check(const gyre_node *n) {
    const pool_options *o = n->options;
    if (!o->global && o->size[0] == 0) {
        return gyre_fail(
            GYRE_EUSAGE,
            "node %s of type %s lacks \"size\"; \"global\": true pools the whole picture", n->name,
            n->type->name);
    }
    bool moved = o->pad[0] != 0 || o->pad[1] != 0 || o->ceil || o->count_pad;
    if (!o->global || (o->size[0] == 0 && o->stride[0] == 0 && !moved)) return GYRE_OK;
    return gyre_fail(
        GYRE_EUSAGE,
        "node %s: \"global\" pools the whole picture, so it goes without \"size\", "
        "\"stride\", \"pad\", \"ceil\" and \"count_pad\"; leave them out, or \"global\"",
        n->name);
}

static gyre_status define(builder *b, gyre_node *n, const node_size *in) {
    GYRE_TRY(check(n));
    const gyre_pool_shape s = shape_of(n, 1, *in);
    (void)b;
    if (s.pad_h >= s.r || s.pad_w >= s.s) { /* a window would see nothing but padding */
        return gyre_fail(GYRE_EUSAGE,
                         "node %s: \"pad\": expected less than the window's %d x %d pixels, found "
                         "%d x %d",
                         n->name, s.r, s.s, s.pad_h, s.pad_w);
    }
    if (!gyre_pool_possible(&s)) {
        return gyre_fail(GYRE_EUSAGE,
                         "node %s: expected a maximum of at most %d pixels, found %d x %d", n->name,
                         UINT16_MAX, s.r, s.s);
    }
    n->h = gyre_pool_rows(&s);
    n->w = gyre_pool_columns(&s);
    n->c = in->c;
    return GYRE_OK;
}

static gyre_pool_shape shape(const node_call *c) {
    return shape_of(c->node, c->n, c->in[0]);
}

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

#define POOL(type, table, about)                                                                   \
    {                                                                                              \
        .name = type, .summary = about, .inputs_min = 1, .inputs_max = 1,                          \
        .options_size = sizeof(pool_options), .options = table, .define = define,                  \
        .saved_size = saved_size, .forward = forward, .dx = dx                                     \
    }

const gyre_node_type node_max_pool =
    POOL("max_pool", max_options, "The largest value of each window, for each channel.");
const gyre_node_type node_average_pool =
    POOL("average_pool", average_options,
         "The average of each window, or of the whole picture. Pixels of the padding do not count "
         "unless count_pad says so.");

static bool is_max(const gyre_node *n) {
    return n->type == &node_max_pool;
}
