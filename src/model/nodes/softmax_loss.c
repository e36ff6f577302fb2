/* Cross-entropy of the softmax of its input against one class per sample. */
#include "../builder.h"

typedef struct {
    float smoothing; /* in training, the target is (1 - s) one-hot + s / classes */
} softmax_loss_options;

static const node_option options[] = {
    {"smoothing", OPTION_REAL, offsetof(softmax_loss_options, smoothing), 0, 1, 0},
    {0},
};

static const gyre_metric metrics[] = {
    {.name = "accuracy",
     .unit = "%",
     .difference_unit = "points",
     .factor = 100,
     .decimals = 2,
     .greater_is_better = true,
     .is_share = true,
     .form = GYRE_METRIC_MEAN,
     .sum = 1},
    {0},
};

static gyre_status define(builder *b, gyre_node *n, const node_size *in) {
    (void)b, (void)n, (void)in;
    return GYRE_OK;
}

static gyre_status forward(const node_call *c) {
    const softmax_loss_options *o = c->node->options;
    gyre_loss_shape s = {c->n, c->in->c, c->train ? o->smoothing : 0, c->scale};
    return c->ops->softmax_loss(c->queue, &s, c->x[0], c->labels, c->dx[0], c->stats);
}

const gyre_node_type node_softmax_loss = {.name = "softmax_loss",
                                          .inputs_min = 1,
                                          .inputs_max = 1,
                                          .options_size = sizeof(softmax_loss_options),
                                          .options = options,
                                          .keeps_x = true,
                                          .is_loss = true,
                                          .metrics = metrics,
                                          .loss_unit = "nats",
                                          .define = define,
                                          .forward = forward};
