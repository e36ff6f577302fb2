/* What the losses with one class per sample have in common. */
#include "classes.h"

const gyre_metric node_class_metrics[] = {
    {.name = "accuracy",
     .plural = "accuracies",
     .unit = "%",
     .column_unit = "percent",
     .difference_unit = "points",
     .factor = 100,
     .decimals = 2,
     .greater_is_better = true,
     .is_share = true,
     .form = GYRE_METRIC_MEAN,
     .sum = 1},
    {0},
};
