/* What the losses with one class per sample have in common. Internal to src/model/nodes. */
#ifndef GYRE_MODEL_NODES_CLASSES_H
#define GYRE_MODEL_NODES_CLASSES_H

#include "../builder.h"

/* Accuracy: sum 1 of the loss counts the samples whose largest output is that of their class. */
extern const gyre_metric node_class_metrics[];

/* A loss over classes needs one output for each. */
gyre_status node_classes_define(builder *b, gyre_node *n, const node_size *in);

#endif
