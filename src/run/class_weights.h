/* model.class_weights "balanced" as numbers. Internal to src/run. */
#ifndef GYRE_RUN_CLASS_WEIGHTS_H
#define GYRE_RUN_CLASS_WEIGHTS_H

#include "gyre/dataset.h"

/* out(classes) = targets / (classes that occur * targets of the class), of all targets of the
 * training samples that are a class: their mean over the samples is 1. A class that does not occur
 * has weight 0. (scikit-learn's "balanced", which takes only classes that occur.) */
gyre_status run_balance_classes(const gyre_view *train, int classes, double *out);

#endif
