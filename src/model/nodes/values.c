/* The losses whose targets are values: of regression, and of several labels, each yes or no. */
#include "../builder.h"

#include <string.h>

/* The square root of the mean of squares has the targets' own unit. */
static const gyre_metric root_metric = {
    .name = "root_mean_squared_error",
    .plural = "root mean squared errors",
    .unit = "",
    .column_unit = "",
    .difference_unit = "",
    .factor = 1,
    .decimals = 4,
    .form = GYRE_METRIC_ROOT_MEAN,
};

static const gyre_metric absolute_metric = {
    .name = "mean_absolute_error",
    .plural = "mean absolute errors",
    .unit = "",
    .column_unit = "",
    .difference_unit = "",
    .factor = 1,
    .decimals = 4,
    .form = GYRE_METRIC_MEAN,
    .sum = 1,
};

/* Of all labels of all samples. */
static const gyre_metric label_metric = {
    .name = "label_accuracy",
    .plural = "label accuracies",
    .unit = "%",
    .column_unit = "percent",
    .difference_unit = "points",
    .factor = 100,
    .decimals = 2,
    .greater_is_better = true,
    .form = GYRE_METRIC_MEAN,
    .sum = 1,
};

/* Binary cross-entropy has a sigmoid inside. */
static gyre_status check_logits(const builder *b, const gyre_node *n) {
    const int from = n->inputs[0];
    if (!n->type->yes_or_no || from < 0) return GYRE_OK;
    if (strcmp(b->model->nodes[from].type->name, "sigmoid") != 0) return GYRE_OK;
    return gyre_fail(
        GYRE_EUSAGE,
        "model.loss: %s takes logits and has the sigmoid, but the network ends in one, "
        "node %s; leave that out (of a network from PyTorch, before its export)",
        n->type->name, builder_input_name(b, n));
}

/* The last node must give what the targets are. */
static gyre_status define(builder *b, gyre_node *n, const node_size *in) {
    gyre_target *t = &b->model->target;
    GYRE_TRY(check_logits(b, n));
    if (b->any_target) *t = (gyre_target){in->h, in->w, in->c, false};
    if (gyre_target_has_classes(t)) {
        return gyre_fail(
            GYRE_EUSAGE,
            "model.loss: %s needs targets that are values, and the dataset has classes; "
            "cross_entropy is the loss for them",
            n->type->name);
    }
    if (in->h == t->h && in->w == t->w && in->c == t->c) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE,
                     "model.loss: %s needs %d x %d x %d outputs, which the targets are; node %s "
                     "before it gives %d x %d x %d",
                     n->type->name, t->h, t->w, t->c, builder_input_name(b, n), in->h, in->w,
                     in->c);
}

static gyre_status forward(const node_call *c, gyre_value_loss_kind kind) {
    gyre_value_loss_shape s = {kind, c->n, (int)node_elements(c->in[0]), c->scale};
    return c->ops->value_loss(c->queue, &s, c->x[0], (gyre_f32)(void *)c->targets, c->dx[0],
                              c->stats);
}

#define VALUE_LOSS(type, kind, of_metric, zero_to_one, text)                                       \
    static gyre_status type##_forward(const node_call *c) {                                        \
        return forward(c, kind);                                                                   \
    }                                                                                              \
    const gyre_node_type node_##type = {.name = #type,                                             \
                                        .summary = text,                                           \
                                        .inputs_min = 1,                                           \
                                        .inputs_max = 1,                                           \
                                        .keeps_x = true,                                           \
                                        .is_loss = true,                                           \
                                        .yes_or_no = zero_to_one,                                  \
                                        .metric = &(of_metric),                                    \
                                        .loss_unit = "",                                           \
                                        .define = define,                                          \
                                        .forward = type##_forward};
VALUE_LOSS(mean_squared_error, GYRE_VALUE_LOSS_SQUARED, root_metric, false,
           "mean over the outputs of (z - target)^2")
VALUE_LOSS(mean_absolute_error, GYRE_VALUE_LOSS_ABSOLUTE, absolute_metric, false,
           "mean over the outputs of |z - target|")
VALUE_LOSS(huber, GYRE_VALUE_LOSS_HUBER, absolute_metric, false,
           "mean over the outputs of d^2 / 2 where d = |z - target| is below 1, else d - 1/2")
VALUE_LOSS(binary_cross_entropy, GYRE_VALUE_LOSS_BINARY, label_metric, true,
           "mean over the outputs of the cross-entropy of yes or no; targets are 0 to 1")
