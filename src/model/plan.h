/* Which buffer each node reads and writes, decided once when a net is opened.
 *
 * Buffers are slots. In training an output that backward reads keeps a slot of its own; all
 * other outputs, and gradients, take a slot when they come to be and give it back after their last
 * reader. The gradients of a ResNet need three, whatever its depth. */
#ifndef GYRE_MODEL_PLAN_H
#define GYRE_MODEL_PLAN_H

#include "gyre/model.h"

typedef struct {
    int y;       /* slot of the output; -1: a loss has none */
    bool wanted; /* its gradient is: the node or one before it has something to learn */
    bool learns; /* has a parameter that is not frozen */
    int dy;      /* slot of the output's gradient */
    /* Slots that backward writes (a loss: that forward writes), -1 where no node needs that
     * gradient. When another node wrote the input's gradient before, it is in dx_total, to be added
     * to. */
    int dx[GYRE_NODE_INPUTS], dx_total[GYRE_NODE_INPUTS];
    /* A later node uses the same parameter, and has written its gradient before: add to it. */
    bool adds[GYRE_NODE_PARAMS];
} node_plan;

typedef struct {
    node_plan *nodes; /* node_count of them */
    size_t *slots;    /* elements per sample */
    int slot_count;
} net_plan;

gyre_status plan_open(const gyre_model *m, bool train, net_plan *out);
void plan_close(net_plan *p);

#endif
