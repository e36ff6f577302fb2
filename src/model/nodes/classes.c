/* What the losses over classes have in common. */
#include "classes.h"

const gyre_metric node_class_metric = {
    .name = "accuracy",
    .plural = "accuracies",
    .unit = "%",
    .column_unit = "percent",
    .difference_unit = "points",
    .factor = 100,
    .decimals = 2,
    .greater_is_better = true,
    .is_share = true,
    .form = GYRE_METRIC_MEAN,
    .sum = 1,
};

gyre_status node_classes_define(builder *b, gyre_node *n, const node_size *in) {
    gyre_target *t = &b->model->target;
    if (b->any_target && in->h * in->w > 1) *t = (gyre_target){in->h, in->w, 1, true};
    const int h = gyre_target_is_label(t) ? 1 : t->h, w = gyre_target_is_label(t) ? 1 : t->w;
    if (!gyre_target_has_classes(t)) {
        return gyre_fail(GYRE_EUSAGE,
                         "model.loss: %s needs targets that are classes, and the dataset has %d "
                         "values for each sample; `gyre help models` lists the losses for them",
                         n->type->name, (int)gyre_target_values(t));
    }
    if (in->h == h && in->w == w && in->c == b->model->classes) return GYRE_OK;
    return gyre_fail(
        GYRE_EUSAGE,
        "model.loss: %s needs %d x %d x %d outputs, one for each class; node %s before it gives "
        "%d x %d x %d",
        n->type->name, h, w, b->model->classes, builder_input_name(b, n), in->h, in->w, in->c);
}

gyre_loss_shape node_classes_shape(const node_call *c, float smoothing) {
    int pixels = c->in->h * c->in->w;
    return (gyre_loss_shape){.n = c->n * pixels,
                             .classes = c->in->c,
                             .smoothing = smoothing,
                             .scale = c->scale / (float)pixels,
                             .pixels = pixels};
}
