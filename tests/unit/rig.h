/* A model on the CPU backend with everything that a test of it needs, opened and closed in one go.
 * Fresh device memory is NaN, so that reading what was not written shows. Included after cmocka. */
#ifndef GYRE_TESTS_RIG_H
#define GYRE_TESTS_RIG_H

#include "../../src/model/zoo.h"
#include "gyre/net.h"
#include "gyre/optimizer.h"
#include "gyre/random.h"
#include "precision.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OK(expression)                                                                             \
    do {                                                                                           \
        gyre_status ok_status = (expression);                                                      \
        if (ok_status != GYRE_OK) {                                                                \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, gyre_error_text());                 \
            assert_int_equal(ok_status, GYRE_OK);                                                  \
        }                                                                                          \
    } while (0)

typedef struct {
    const char *name;
    void (*build)(builder *b, int variant); /* NULL: the zoo's of that name */
    int size, channels, classes;            /* images are size x size */
    int n, shards, lanes;                   /* n samples in each shard */
    char **freeze;
    int freeze_count;
    bool norm_frozen;
    double smoothing;
    double *class_weights; /* (classes), or NULL */
    char *loss;            /* NULL: the default */
    const gyre_contexts *contexts;
    const gyre_backend_ops *(*wrap)(const gyre_backend_ops *real); /* NULL: the backend as it is */
} rig_options;

typedef struct {
    rig_options o;
    gyre_model *model;
    gyre_backend *backend;
    gyre_weights *weights;
    gyre_net *net;
    gyre_shards *shards;
    gyre_batch batch; /* n * shards samples */
    uint8_t *images;
    int32_t *labels;
    float *parameters, *buffers;
} rig;

/* Images of a few flat patches and noise, so that classes can be told apart. */
static void rig_fill_batch(rig *r, uint64_t seed) {
    size_t image = (size_t)(r->o.size * r->o.size * r->o.channels);
    gyre_random draws = gyre_random_open(seed, GYRE_RANDOM_TEST, 0, 0);
    for (int64_t i = 0; i < r->batch.count; i++) {
        r->labels[i] = (int32_t)gyre_random_below(&draws, (uint32_t)r->o.classes);
        for (size_t k = 0; k < image; k++) {
            r->images[(size_t)i * image + k] = (uint8_t)gyre_random_below(&draws, 256);
        }
    }
}

/* Multiplies the alpha of each local response normalisation, which is made for pixels of 0..255. */
static inline void rig_scale_lrn(gyre_model *m, double factor) {
    for (int i = 0; i < m->node_count; i++) {
        const node_option *o = m->nodes[i].type->options;
        if (strcmp(m->nodes[i].type->name, "lrn") != 0) continue;
        while (strcmp(o->name, "alpha") != 0) o++;
        *(float *)(void *)((char *)m->nodes[i].options + o->offset) *= (float)factor;
    }
}

static void rig_upload(rig *r) {
    const gyre_backend_ops *ops = r->backend->ops;
    OK(ops->upload(r->backend->main, r->weights->parameters, r->parameters, r->model->parameters));
    OK(ops->upload(r->backend->main, r->weights->buffers, r->buffers, r->model->buffers));
    OK(gyre_weights_pack(r->weights));
}

/* A network for rig_options.build: a convolution, layer norm, a ReLU of its own, a linear layer. */
static inline void rig_layer_norm(builder *b, int variant) {
    (void)variant;
    builder_style_he(b);
    int x = builder_node_of(b, "conv", "conv", BUILDER_IMAGES,
                            BUILDER_OPTIONS({"channels", 7}, {"size", 3}, {"pad", 1}));
    x = builder_node_of(b, "layer_norm", "norm", x, BUILDER_OPTIONS({"eps", 0.01}));
    x = builder_node_of(b, "relu", "relu", x, NULL);
    builder_style_torch(b);
    builder_node_of(b, "linear", "fc", x, BUILDER_OPTIONS({"out", b->model->classes}));
}

/* The same with group norm: of pairs, of the whole sample, of each channel. */
static inline void rig_group_norm(builder *b, int variant) {
    (void)variant;
    builder_style_he(b);
    int x = builder_node_of(b, "conv", "conv", BUILDER_IMAGES,
                            BUILDER_OPTIONS({"channels", 6}, {"size", 3}, {"pad", 1}));
    x = builder_node_of(b, "group_norm", "pairs", x, BUILDER_OPTIONS({"groups", 3}, {"eps", 0.01}));
    x = builder_node_of(b, "relu", "relu", x, NULL);
    x = builder_node_of(b, "group_norm", "layer", x,
                        BUILDER_OPTIONS({"groups", 1}, {"silu", true}));
    x = builder_node_of(b, "group_norm", "instance", x, BUILDER_OPTIONS({"groups", 6}));
    builder_style_torch(b);
    builder_node_of(b, "linear", "fc", x, BUILDER_OPTIONS({"out", b->model->classes}));
}

/* Learned positions, attention of a node's own tokens, then of others, of which there are fewer,
 * then causal, and gated GELU. */
static inline void rig_attention(builder *b, int variant) {
    (void)variant;
    builder_style_torch(b);
    const node_value *six = BUILDER_OPTIONS({"channels", 6}, {"size", 3}, {"pad", 1});
    int x = builder_node_of(b, "conv", "a", BUILDER_IMAGES, six);
    x = builder_node_of(b, "positions", "places", x, NULL);
    int k = builder_node_of(b, "conv", "k", x, BUILDER_OPTIONS({"channels", 6}, {"size", 1}));
    x = builder_node(b, "attention", "self", (const int[]){x, x, x}, 3,
                     BUILDER_OPTIONS({"heads", 2}));
    int few = builder_node_of(b, "max_pool", "few", k, BUILDER_OPTIONS({"size", 2}, {"stride", 2}));
    int v = builder_node_of(b, "conv", "v", few, BUILDER_OPTIONS({"channels", 6}, {"size", 1}));
    x = builder_node(b, "attention", "cross", (const int[]){x, few, v}, 3,
                     BUILDER_OPTIONS({"heads", 3}));
    x = builder_node(b, "attention", "causal", (const int[]){x, k, x}, 3,
                     BUILDER_OPTIONS({"heads", 1}, {"causal", 1}));
    x = builder_node_of(b, "geglu", "gate", x, NULL);
    builder_node_of(b, "linear", "fc", x, BUILDER_OPTIONS({"out", b->model->classes}));
}

static rig rig_open(rig_options o) {
    rig r = {.o = o};
    char name[64];
    snprintf(name, sizeof name, "%s", o.name);
    gyre_model_settings settings = {.name = name,
                                    .freeze = o.freeze,
                                    .freeze_count = o.freeze_count,
                                    .batch_norm_frozen = o.norm_frozen,
                                    .label_smoothing = o.smoothing,
                                    .class_weights = o.class_weights,
                                    .class_weight_count = o.class_weights == NULL ? 0 : o.classes,
                                    .contexts = o.contexts,
                                    .loss = o.loss};
    gyre_backend_options options = {.threads = o.lanes, .precision = precision, .poison = true};
    zoo_entry own = {.name = o.name, .build = o.build};
    if (o.build != NULL)
        OK(zoo_model_open(&own, &settings, o.size, o.size, o.channels, o.classes, &r.model));
    else
        OK(gyre_model_open(&settings, o.size, o.size, o.channels, o.classes, &r.model));
    OK(gyre_backend_open(GYRE_BACKEND_CPU, &options, NULL, &r.backend));
    if (o.wrap != NULL) r.backend->ops = o.wrap(r.backend->ops);
    size_t image = (size_t)(o.size * o.size * o.channels), count = (size_t)(o.n * o.shards);
    float *mean = calloc(image, sizeof *mean), scale[4] = {1 / 64.f, 1 / 64.f, 1 / 64.f, 1 / 64.f};
    for (size_t i = 0; i < image; i++) mean[i] = 128;
    OK(gyre_weights_open(r.model, r.backend, mean, scale, &r.weights));
    free(mean);
    OK(gyre_net_open(r.weights, o.n, o.shards, &r.net));
    OK(gyre_net_begin_step(r.net, 1, 0, 0, (int64_t)count));
    OK(gyre_shards_open(r.net, o.shards, o.n, &r.shards));
    r.images = malloc(count * image);
    r.labels = malloc(count * sizeof *r.labels);
    r.batch = (gyre_batch){
        .count = (int64_t)count, .images = r.images, .targets = r.labels, .target_values = 1};
    r.parameters = calloc(r.model->parameters, sizeof(float));
    r.buffers = calloc(r.model->buffers + 1, sizeof(float));
    rig_fill_batch(&r, 1);
    gyre_model_init(r.model, 1, r.parameters, r.buffers);
    rig_upload(&r);
    return r;
}

static void rig_close(rig *r) {
    gyre_shards_close(r->shards);
    gyre_net_close(r->net);
    gyre_weights_close(r->weights);
    r->backend->ops->close(r->backend);
    gyre_model_close(r->model);
    free(r->images);
    free(r->labels);
    free(r->parameters);
    free(r->buffers);
}

/* One pass over the rig's shards; the leaf on the host (free() it). */
static inline float *rig_leaf(rig *r) {
    size_t n = gyre_leaf_size(r->model);
    float *leaf = malloc(n * sizeof *leaf);
    gyre_f32 root;
    OK(gyre_shards_run(r->shards, &r->batch, 1.0f / (float)r->batch.count, &root));
    OK(r->backend->ops->reduce_end(r->backend));
    OK(r->backend->ops->download(r->backend->main, leaf, root, n));
    return leaf;
}

/* One update; returns the batch's mean loss before it. */
static inline double rig_step(rig *r, gyre_optimizer *optimizer, int64_t t, double lr,
                              double momentum) {
    float scalars[GYRE_SCALAR_COUNT];
    gyre_f32 root;
    OK(gyre_shards_run(r->shards, &r->batch, 1.0f / (float)r->batch.count, &root));
    OK(r->backend->ops->reduce_end(r->backend));
    OK(gyre_optimizer_begin(optimizer, t, (gyre_rate){.lr = lr, .momentum = momentum}));
    OK(gyre_optimizer_apply(optimizer, 0, root));
    OK(r->backend->ops->download(r->backend->main, scalars, gyre_optimizer_scalars(optimizer),
                                 GYRE_SCALAR_COUNT));
    return (double)scalars[GYRE_SCALAR_LOSS];
}

#endif
