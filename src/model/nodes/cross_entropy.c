/* Cross-entropy of the softmax of its input against one class per sample, times the weight of that
 * class where there are weights. */
#include "../builder.h"
#include "classes.h"

static gyre_status forward(const node_call *c) {
    gyre_loss_shape s = node_classes_shape(c, c->train ? c->model->label_smoothing : 0);
    s.mixed = c->mixed;
    return c->ops->softmax_loss(c->queue, &s, c->x[0], c->targets, c->class_weights, c->dx[0],
                                c->stats);
}

const gyre_node_type node_cross_entropy = {.name = "cross_entropy",
                                           .inputs_min = 1,
                                           .inputs_max = 1,
                                           .keeps_x = true,
                                           .is_loss = true,
                                           .smooths_labels = true,
                                           .weighs_classes = true,
                                           .mixes_labels = true,
                                           .metric = &node_class_metric,
                                           .loss_unit = "nats",
                                           .summary = "cross-entropy of the softmax; the default",
                                           .define = node_classes_define,
                                           .forward = forward};
