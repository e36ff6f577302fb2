/* A model on a device: activations for every lane, forward and backward of one shard, and the fixed
 * tree that adds the shards of this rank.
 *
 * A leaf is one flat vector: the gradient of (sum of losses / global batch) in the model's layout,
 * then the shard's batch-norm moments, then {loss, the sum that its metric follows from}. So
 * gradients, statistics and loss are added by one tree and reduced over ranks alike. */
#ifndef GYRE_NET_H
#define GYRE_NET_H

#include "gyre/backend.h"
#include "gyre/model.h"

/* Parameters on the device and their packed copies; shared by training and evaluation. */
typedef struct {
    const gyre_model *model;
    gyre_backend *backend;
    gyre_f32 parameters;    /* (model->parameters) */
    gyre_f32 buffers;       /* (model->buffers) running statistics */
    gyre_f32 mean, scale;   /* input normalisation: (h, w, c) and (c) */
    gyre_f32 class_weights; /* (classes), NULL where the model has none */
    gyre_raw *packed;       /* per node, NULL where there is none */
    gyre_raw whole;         /* all parameters packed as one, of which those are parts; or NULL */
    gyre_f32 *constants;    /* likewise */
    gyre_raw memory;        /* the one allocation behind all of the above but the constants */
    gyre_raw constants_memory;
} gyre_weights;

gyre_status gyre_weights_open(const gyre_model *m, gyre_backend *b, const float *mean_image,
                              const float *scale, gyre_weights **out);
void gyre_weights_close(gyre_weights *w);
/* Must follow every change of the parameters: makes the kernels' working copies. */
gyre_status gyre_weights_pack(gyre_weights *w);

/* Floats in a leaf, and where its parts begin. */
size_t gyre_leaf_size(const gyre_model *m);
size_t gyre_leaf_moments(const gyre_model *m);
size_t gyre_leaf_stats(const gyre_model *m);

typedef struct gyre_net gyre_net;

/* Buffers for batches of `n` images on each of the backend's lanes. With `shards`, as many as
 * gyre_shards_open is told, they have what backward needs, and each of the branches that the
 * backend opens for them has its own; 0: for evaluation. The images' gradient is never computed. */
gyre_status gyre_net_open(gyre_weights *w, int n, int shards, gyre_net **out);
void gyre_net_close(gyre_net *net);

/* Before each step of a training net, outside record(): what its random nodes draw from; `first` is
 * the place of this rank's first sample in the global batch of `batch` samples. A shard's samples
 * are counted by gyre_batch.first from there. Nothing happens where no node draws. */
gyre_status gyre_net_begin_step(gyre_net *net, uint64_t seed, int64_t step, int64_t first,
                                int64_t batch);
/* How a sample is evaluated: by which views, of a classifier; how often, of a network whose
 * evaluation draws, and what is drawn. */
typedef struct {
    int count;
    uint64_t seed;
    gyre_views views;
} gyre_passes;

/* Before the evaluations of pass 0 to passes.count - 1 of a network whose evaluation draws: what is
 * drawn for a sample, in the pass's part of times, depends on the passes' seed, the pass and the
 * sample's place alone, which gyre_batch.first counts: all runs and steps have the same. Else
 * nothing happens. */
gyre_status gyre_net_begin_pass(gyre_net *net, gyre_passes passes, int pass);
/* The words that it has them draw from. */
void gyre_pass_draws(gyre_passes passes, int pass, uint32_t words[GYRE_DRAW_WORDS]);
/* The same for evaluations that take the images for samples of the time `time` with their noise. */
gyre_status gyre_net_fix_time(gyre_net *net, int time);

/* Told by gyre_net_train, on its queue, how far the leaf has come: passed(context, q, i) when
 * statistics and loss, and what belongs to nodes i and above, are in their place. i falls from
 * model->node_count to 0 by one. */
typedef struct {
    gyre_status (*passed)(void *context, gyre_queue *q, int node);
    void *context;
} gyre_net_listener;

/* Forward, loss and backward of one shard of exactly n images; overwrites leaf(gyre_leaf_size).
 * `listener` may be NULL. */
gyre_status gyre_net_train(gyre_net *net, gyre_queue *q, const gyre_batch *shard, float scale,
                           gyre_f32 leaf, const gyre_net_listener *listener);

/* The first half of it: fills the leaf's moments and loss, and may write nothing else of it. */
gyre_status gyre_net_moments(gyre_net *net, gyre_queue *q, const gyre_batch *shard, gyre_f32 leaf);

/* Forward and loss of up to n images in evaluation mode; stats(GYRE_LOSS_SUMS), then (2,
 * model->bands): the sums of the loss in each band, and of how many samples. */
gyre_status gyre_net_evaluate(gyre_net *net, gyre_queue *q, const gyre_batch *batch,
                              gyre_f32 stats);
/* The first half of it, all but the loss; and the second one, of logits(n, classes) in the place of
 * those that the first half made on that queue's lane. Does not keep the logits. */
gyre_status gyre_net_forward(gyre_net *net, gyre_queue *q, const gyre_batch *batch);
gyre_status gyre_net_score(gyre_net *net, gyre_queue *q, float *logits, gyre_f32 stats);
/* The last forward's logits on that queue's lane, (n, classes) as f32 on the host; waits. */
gyre_status gyre_net_logits(gyre_net *net, gyre_queue *q, float *out);
/* The same of what the logits' node reads, (n, gyre_model_features); of an evaluating net alone. */
gyre_status gyre_net_features(gyre_net *net, gyre_queue *q, float *out);

/* ---- where the time goes */

typedef enum { GYRE_PASS_FORWARD, GYRE_PASS_DX, GYRE_PASS_DW, GYRE_PASS_COUNT } gyre_pass;
/* Where the images are loaded: in place of a node's index. */
enum { GYRE_NODE_INPUT = -1 };

/* Begins anew to measure how long each node takes, by a clock around its operations (which shows
 * nothing of a device that works behind the caller's back). Normalisation's gradients are all dx.
 */
gyre_status gyre_net_profile(gyre_net *net);
/* Seconds since then, of all lanes together; 0 when it was never begun. */
double gyre_net_seconds(const gyre_net *net, int node, gyre_pass pass);
const gyre_model *gyre_net_model(const gyre_net *net);
int gyre_net_lanes(const gyre_net *net);
int gyre_net_branches(const gyre_net *net); /* 1: there are none */

/* This rank's shards: runs gyre_net_train on each and adds the leaves as the fixed binary tree,
 * neighbours first (the rank's own subtree). Holds at most log2(shards) + lanes leaves. With
 * `shards` no power of two the tree's missing leaves are left out ("fast" reduction only). */
typedef struct gyre_shards gyre_shards;
gyre_status gyre_shards_open(gyre_net *net, int shards, int shard_size, gyre_shards **out);
void gyre_shards_close(gyre_shards *s);
/* `batch` holds shards * shard_size samples; *root is valid until the next call. Begins the
 * reduction of the root over ranks, bucket by bucket; with a single lane while backward of the last
 * shard still runs. The caller ends it (reduce_end) before he reads the root. Collective. */
gyre_status gyre_shards_run(gyre_shards *s, const gyre_batch *batch, float scale, gyre_f32 *root);
/* The same by gyre_net_moments(): *moments(model->buffers) of the root. */
gyre_status gyre_shards_moments(gyre_shards *s, const gyre_batch *batch, gyre_f32 *moments);

#endif
