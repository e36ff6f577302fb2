/* A net's inside: what each lane owns, and one pass of a batch through it. Internal to src/model.
 */
#ifndef GYRE_MODEL_LANE_H
#define GYRE_MODEL_LANE_H

#include "gyre/net.h"
#include "node.h"
#include "plan.h"

typedef struct {
    gyre_act images;  /* (n, h, w, c) */
    gyre_i32 targets; /* (n, values of a target); float32 where they are no classes; mix(n, 2) */
    gyre_act *slots;  /* plan.slot_count of them */
    gyre_raw *saved;  /* per node: what its forward keeps for backward */
    gyre_f32 shared;  /* gradients on their way into those of the later uses of a parameter */
    int count;        /* images of the last pass */
} net_lane;

/* A part of a leaf that no node fills: it is set to 0 when backward has passed `node`. */
typedef struct {
    size_t offset, count;
    int node;
} leaf_zero;

typedef char net_mark[GYRE_NODE_NAME_SIZE + 10]; /* "layer1.0.conv1 backward" */

struct gyre_net {
    gyre_weights *weights;
    int n;
    bool train;
    net_plan plan;
    int branches;   /* side by side in training; 1: none */
    int lane_count; /* of the backend, or the branches where they are more */
    net_lane *lanes;
    gyre_act *slots; /* behind the lanes' lists */
    gyre_raw *saved;
    leaf_zero *zeros; /* frozen parameters, alignment */
    int zero_count;
    net_mark *marks; /* per node, of its backward; the node's name is that of its forward */
    bool draws;      /* a node of it does */
    gyre_i32 draw;   /* GYRE_DRAW_WORDS of the step or pass; all lanes read them */
    gyre_raw memory;
    double *seconds; /* (lanes, nodes + 1, GYRE_PASS_COUNT), NULL: not measured */
};

/* One batch on its way through the net. */
typedef struct {
    const gyre_net *net;
    gyre_queue *queue;
    net_lane *lane;
    int n;
    bool train;
    bool mixed;     /* the batch is */
    float scale;    /* of the loss */
    gyre_f32 stats; /* where its sums go */
    int64_t first;  /* place of the first sample in this rank's batch, or in what is evaluated */
    /* training only */
    gyre_f32 leaf;
    const gyre_net_listener *listener; /* or NULL */
} net_pass;

gyre_status pass_forward(const net_pass *p);
/* Its parts: the nodes before the loss, and the loss. */
gyre_status pass_outputs(const net_pass *p);
gyre_status pass_loss(const net_pass *p);
/* From the gradients that the loss left in forward. Clears what no node fills, and tells the
 * listener. */
gyre_status pass_backward(const net_pass *p);

/* constants.c: makes the nodes' constants. */
gyre_status weights_constants(gyre_weights *w);

/* Elements of the scratch that gradients of shared parameters need. */
size_t pass_shared_size(const gyre_model *m, const net_plan *plan);

static inline gyre_f32 weights_param(const gyre_weights *w, int index) {
    return index < 0 ? NULL : gyre_f32_at(w->parameters, w->model->params[index].offset);
}

/* profile.c: between the two the backend knows what runs as `name`; the time goes to `node` when
 * the net is measured. */
double pass_begin(const net_pass *p, const char *name);
void pass_end(const net_pass *p, int node, gyre_pass pass, double begun);

#endif
