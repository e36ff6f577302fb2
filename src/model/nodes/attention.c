/* Scaled dot-product attention with heads (Vaswani et al. 2017, arXiv 1706.03762, 3.2), as
 * PyTorch's scaled_dot_product_attention has it between the linear layers, which are nodes of their
 * own. Its inputs are queries, keys, values; pixels, row by row, are tokens. Backward computes the
 * probabilities anew from the logarithm that forward kept of each row's sum. */
#include "../builder.h"

#include <limits.h>

typedef struct {
    int heads;
    bool causal;
} attention_options;

static const node_option options[] = {
    {"heads", OPTION_COUNT, offsetof(attention_options, heads), 1, INT_MAX, NAN, NULL, NULL},
    {"causal", OPTION_BOOL, offsetof(attention_options, causal), 0, 1, 0, NULL, NULL},
    {0},
};

enum { QUERY, KEY, VALUE };

static int tokens_of(node_size s) {
    return s.h * s.w;
}

static gyre_status define(builder *b, gyre_node *n, const node_size *in) {
    const attention_options *o = n->options;
    const node_size *k = &in[KEY], *v = &in[VALUE];
    if (in->c % o->heads != 0) {
        return gyre_fail(GYRE_EUSAGE,
                         "node %s: \"heads\": expected a divisor of the %d channels it reads, "
                         "found %d",
                         n->name, in->c, o->heads);
    }
    if (k->c != in->c || v->c != in->c || k->h != v->h || k->w != v->w) {
        return gyre_fail(GYRE_EUSAGE,
                         "node %s: expected keys and values, inputs 2 and 3, with the same pixels "
                         "and with the %d channels of the queries, found %d x %d x %d and %d x %d "
                         "x %d",
                         n->name, in->c, k->h, k->w, k->c, v->h, v->w, v->c);
    }
    if (o->causal && tokens_of(*in) != tokens_of(*k)) {
        return gyre_fail(GYRE_EUSAGE,
                         "node %s: \"causal\": expected as many keys as queries, found %d queries "
                         "and %d keys",
                         n->name, tokens_of(*in), tokens_of(*k));
    }
    return builder_same_size(b, n, in);
}

static gyre_attention_shape shape(const node_call *c) {
    const attention_options *o = c->node->options;
    const int queries = tokens_of(c->in[QUERY]), keys = tokens_of(c->in[KEY]);
    const float scale = (float)(1 / sqrt((double)(c->in->c / o->heads)));
    return (gyre_attention_shape){c->n, queries, keys, o->heads, c->in->c, scale, o->causal};
}

static size_t saved_size(const node_call *c) {
    const gyre_attention_shape s = shape(c);
    return (size_t)s.n * (size_t)s.heads * (size_t)s.queries * sizeof(float);
}

/* Two products of queries, keys and channels. */
static double flop(const node_call *c) {
    const gyre_attention_shape s = shape(c);
    return 4.0 * s.queries * s.keys * s.c;
}

static gyre_status forward(const node_call *c) {
    const gyre_attention_shape s = shape(c);
    return c->ops->attention(c->queue, &s, c->x[QUERY], c->x[KEY], c->x[VALUE],
                             (gyre_f32)(void *)c->saved, c->y);
}

static gyre_status dx(const node_call *c) {
    const gyre_attention_shape s = shape(c);
    return c->ops->attention_dx(c->queue, &s, c->x[QUERY], c->x[KEY], c->x[VALUE],
                                (gyre_f32)(void *)c->saved, c->y, c->dy, c->dx[QUERY], c->dx[KEY],
                                c->dx[VALUE]);
}

const gyre_node_type node_attention = {
    .name = "attention",
    .summary = "Attention of its inputs, queries, keys and values (three times the same node for "
               "self-attention of what it gives): softmax(q k^T / sqrt(c / heads)) v of each head, "
               "pixels being tokens. causal: a query sees the keys up to its own place.",
    .inputs_min = 3,
    .inputs_max = 3,
    .options_size = sizeof(attention_options),
    .options = options,
    .keeps_x = true,
    .keeps_y = true,
    .define = define,
    .saved_size = saved_size,
    .flop = flop,
    .forward = forward,
    .dx = dx};
