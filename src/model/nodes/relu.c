/* max(0, x) on its own, where no node before it can do it. */
#include "../builder.h"

static gyre_status forward(const node_call *c) {
    return c->ops->relu(c->queue, (size_t)c->n * node_elements(c->out), c->x[0], c->y);
}

static gyre_status dx(const node_call *c) {
    return c->ops->relu_dx(c->queue, (size_t)c->n * node_elements(c->out), c->y, c->dy, c->dx[0]);
}

const gyre_node_type node_relu = {.name = "relu",
                                  .summary = "max(0, x).",
                                  .inputs_min = 1,
                                  .inputs_max = 1,
                                  .dx_may_be_dy = true,
                                  .keeps_y = true,
                                  .define = builder_same_size,
                                  .forward = forward,
                                  .dx = dx};
