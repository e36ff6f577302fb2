/* What the losses over classes have in common. Internal to src/model/nodes. */
#ifndef GYRE_MODEL_NODES_CLASSES_H
#define GYRE_MODEL_NODES_CLASSES_H

#include "../builder.h"

/* Accuracy: sum 1 of the loss adds up, over samples, 1 where the largest output is that of the
 * class, or where targets are a class for each pixel the share of such pixels among those with a
 * label. */
extern const gyre_metric node_class_metric;

/* A loss over classes needs one output for each, at each pixel of a target of many. */
gyre_status node_classes_define(builder *b, gyre_node *n, const node_size *in);

/* The shape of the loss: a sample's loss is the mean over its labelled pixels. */
gyre_loss_shape node_classes_shape(const node_call *c, float smoothing);

#endif
