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

gyre_status node_classes_define(builder *b, gyre_node *n, const node_size *in) {
    if (in->h == 1 && in->w == 1 && in->c == b->model->classes) return GYRE_OK;
    return gyre_fail(
        GYRE_EUSAGE,
        "%s needs 1 x 1 x %d outputs, one for each class; the last node before it gives "
        "%d x %d x %d",
        n->name, b->model->classes, in->h, in->w, in->c);
}
