/* Mean squared error of the outputs against the one-hot target of a class (Hui & Belkin 2020, arXiv
 * 2006.07322, without their weights): the mean over the classes, as PyTorch's MSELoss has it. */
#include "../builder.h"
#include "classes.h"

static gyre_status forward(const node_call *c) {
    gyre_loss_shape s = node_classes_shape(c, 0);
    return c->ops->squared_error_loss(c->queue, &s, c->x[0], c->targets, c->dx[0], c->stats);
}

const gyre_node_type node_one_hot_squared_error = {.name = "one_hot_squared_error",
                                                   .inputs_min = 1,
                                                   .inputs_max = 1,
                                                   .keeps_x = true,
                                                   .is_loss = true,
                                                   .metric = &node_class_metric,
                                                   .loss_unit = "",
                                                   .summary =
                                                       "mean over the outputs of (z - one-hot)^2",
                                                   .define = node_classes_define,
                                                   .forward = forward};
