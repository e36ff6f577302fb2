/* A net's inside: what each lane owns, and one pass of a batch through it. Internal to src/model.
 */
#ifndef GYRE_MODEL_LANE_H
#define GYRE_MODEL_LANE_H

#include "gyre/net.h"
#include "plan.h"

typedef struct {
    gyre_act images; /* (n, h, w, c) */
    gyre_i32 labels; /* (n) */
    gyre_act *slots; /* plan.slot_count of them */
    gyre_raw *saved; /* per layer: what NORM and max POOL keep for backward */
    int count;       /* images of the last pass */
} net_lane;

/* A part of a leaf that no layer fills: it is set to 0 when backward has passed `layer`. */
typedef struct {
    size_t offset, count;
    int layer;
} leaf_zero;

typedef char net_mark[56]; /* "layer1.0.conv1 backward" */

struct gyre_net {
    gyre_weights *weights;
    int n;
    bool train;
    net_plan plan;
    int lane_count;
    net_lane *lanes;
    gyre_act *slots; /* behind the lanes' lists */
    gyre_raw *saved;
    leaf_zero *zeros; /* frozen parameters, alignment */
    int zero_count;
    net_mark *marks; /* per layer, of its backward; the layer's name is that of its forward */
    gyre_raw memory;
    double *seconds; /* (lanes, layers + 2, GYRE_PASS_PARTS), NULL: not measured */
};

/* One batch on its way through the net. */
typedef struct {
    const gyre_net *net;
    gyre_queue *queue;
    net_lane *lane;
    int n;
    bool train;
    /* training only */
    gyre_f32 leaf;
    const gyre_net_listener *listener; /* or NULL */
} net_pass;

gyre_status pass_forward(const net_pass *p);
/* From the gradient of the logits, which lies in the last layer's dy. Clears what no layer fills,
 * and tells the listener. */
gyre_status pass_backward(const net_pass *p);

/* profile.c: between the two the backend knows what runs as `name`; the time goes to `place` when
 * the net is measured. */
double part_begin(const net_pass *p, const char *name);
void part_end(const net_pass *p, int place, gyre_pass_part part, double begun);

#endif
