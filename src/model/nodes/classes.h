/* What the losses with one class per sample have in common. Internal to src/model/nodes. */
#ifndef GYRE_MODEL_NODES_CLASSES_H
#define GYRE_MODEL_NODES_CLASSES_H

#include "gyre/metric.h"

/* Accuracy: sum 1 of the loss counts the samples whose largest output is that of their class. */
extern const gyre_metric node_class_metrics[];

#endif
