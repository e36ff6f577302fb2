/* Which buffer each layer reads and writes, decided once when a net is opened.
 *
 * Buffers are slots. In training every output keeps a slot of its own, since backward reads it;
 * gradients, and the outputs of evaluation, take a slot when they come to be and give it back after
 * their last reader. A ResNet needs three, whatever its depth. */
#ifndef GYRE_MODEL_PLAN_H
#define GYRE_MODEL_PLAN_H

#include "gyre/model.h"

typedef struct {
    int y;       /* slot of the output */
    bool wanted; /* its gradient is: the layer or one before it has something to learn */
    bool learns; /* has a parameter that is not frozen */
    int dy;      /* slot of the output's gradient */
    /* Slots that backward writes, -1 where nobody wants that gradient (a NORM has a dx always).
     * When another layer wrote the input's gradient before, it is in *_total, to be added to. */
    int dx, dx_total;
    int dresidual, dresidual_total;
} layer_plan;

typedef struct {
    layer_plan *layers; /* layer_count of them */
    size_t *slots;      /* elements per image */
    int slot_count;
} net_plan;

gyre_status plan_open(const gyre_model *m, bool train, net_plan *out);
void plan_close(net_plan *p);

#endif
