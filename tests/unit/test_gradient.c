/* The gradient of whole nets, and so of each layer kind and of the loss, as gradient_rig.h takes
 * it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gradient_rig.h"

static rig_options smoothed(rig_options o) {
    o.smoothing = (double)0.1f;
    return o;
}

static void linear_and_relu(void **state) {
    (void)state;
    check_gradient(options("mlp", 5, 1, 4));
}

static void label_smoothing_and_weights(void **state) {
    (void)state;
    rig_options o = smoothed(options("mlp", 5, 1, 4));
    check_gradient(o);
    o.class_weights = (double[]){1, 0, 2, 0.5, 3, 0.25, 1.5, 4, 0.125, 1};
    check_gradient(o);
}

static void one_hot_squared_error(void **state) {
    char name[] = "one_hot_squared_error";
    (void)state;
    rig_options o = options("mlp", 5, 1, 4);
    o.loss = name;
    check_gradient(o);
}

/* Three uses of one weight matrix, two of them in a row: their gradients are added. */
static void build_shared(builder *b, int variant) {
    (void)variant;
    builder_style_torch(b);
    int x = builder_node_of(b, "linear", "a", BUILDER_IMAGES,
                            BUILDER_OPTIONS({"out", 25}, {"relu", true}));
    for (int i = 0; i < 2; i++) {
        builder_share(b, 0, 0);
        x = builder_node_of(b, "linear", i == 0 ? "b" : "c", x,
                            BUILDER_OPTIONS({"out", 25}, {"relu", i == 0}));
    }
    builder_node_of(b, "linear", "fc", x, BUILDER_OPTIONS({"out", 10}));
}

static void shared_parameters(void **state) {
    (void)state;
    rig_options o = options("shared", 5, 1, 4);
    o.build = build_shared;
    check_gradient(o);
}

static void convolution_and_max_pool(void **state) {
    (void)state;
    check_gradient(options("lenet", 17, 1, 2));
}

static void average_pool_rounded_up(void **state) {
    (void)state;
    check_gradient(smoothed(options("cifar10_quick", 13, 3, 2)));
}

static void local_response_normalisation(void **state) {
    (void)state;
    check_gradient(options("cifar10_full", 13, 3, 2));
}

static void batch_norm(void **state) {
    (void)state;
    check_gradient(options("small_cnn", 11, 1, 3));
}

static void layer_norm(void **state) {
    (void)state;
    rig_options o = options("layer_norm", 5, 3, 3);
    o.build = rig_layer_norm;
    check_gradient(smoothed(o));
}

static void group_norm(void **state) {
    (void)state;
    rig_options o = options("group_norm", 5, 3, 3);
    o.build = rig_group_norm;
    check_gradient(smoothed(o));
}

/* Norms that lack weight and bias, or the bias alone; numbers that nothing trains. */
static int bare;
static void build_bare_norms(builder *b, int variant) {
    (void)variant;
    builder_style_he(b);
    int x = builder_node_of(b, "conv", "a", BUILDER_IMAGES,
                            BUILDER_OPTIONS({"channels", 6}, {"size", 3}, {"bias", 0}));
    x = builder_node_of(b, "batch_norm", "batch", x,
                        BUILDER_OPTIONS({"affine", 0}, {"relu", bare > 0}));
    x = builder_node_of(b, "affine", "one", x, BUILDER_OPTIONS({"factor", -1.5}, {"shift", 0.25}));
    x = builder_node_of(b, "conv", "b", x, BUILDER_OPTIONS({"channels", 6}, {"size", 1}));
    x = builder_node_of(b, "group_norm", "group", x, BUILDER_OPTIONS({"groups", 2}, {"affine", 0}));
    x = builder_node_of(b, "affine", "each", x, BUILDER_OPTIONS({"by_channel", 1}));
    x = builder_node_of(b, "conv", "c", x, BUILDER_OPTIONS({"channels", 5}, {"size", 1}));
    x = builder_node_of(b, "layer_norm", "layer", x,
                        BUILDER_OPTIONS({"affine", bare < 2}, {"bias", 0}));
    x = builder_node_of(b, "average_pool", "all", x, BUILDER_OPTIONS({"global", 1}));
    builder_style_torch(b);
    builder_node_of(b, "linear", "fc", x, BUILDER_OPTIONS({"out", 10}));
}

static void norms_without_parameters(void **state) {
    (void)state;
    rig_options o = options("bare_norms", 6, 3, 3);
    o.build = build_bare_norms;
    for (bare = 0; bare < 3; bare++) check_gradient(o);
}

static void attention(void **state) {
    (void)state;
    rig_options o = options("attention", 5, 3, 3);
    o.build = rig_attention;
    check_gradient(smoothed(o));
}

/* A U-Net in little: x_t, with the time and the label on its channels. */
static const node_value *diffusion;
static void build_diffusion(builder *b, int variant) {
    (void)variant;
    builder_style_torch(b);
    int noised = builder_node_of(b, "diffuse", "noised", BUILDER_IMAGES, diffusion);
    int time = builder_node_of(b, "time", "time", noised,
                               BUILDER_OPTIONS({"channels", 6}, {"shift", 1}, {"flip", 1}));
    time = builder_node_of(b, "linear", "in", time, BUILDER_OPTIONS({"out", 5}));
    int label = builder_node_of(b, "embedding", "label", noised,
                                BUILDER_OPTIONS({"rows", 11}, {"channels", 5}, {"drop", 0.4}));
    int both = builder_node(b, "add", "both", (int[]){time, label}, 2, NULL);
    int x = builder_node_of(b, "conv", "conv", noised,
                            BUILDER_OPTIONS({"channels", 5}, {"size", 3}, {"pad", 1}));
    x = builder_node(b, "add", "add", (int[]){x, both}, 2, NULL);
    x = builder_node_of(b, "silu", "silu", x, NULL);
    builder_node_of(b, "conv", "out", x, BUILDER_OPTIONS({"channels", b->model->c}, {"size", 1}));
}

static void denoising(void **state) {
    static const node_value kinds[][6] = {
        {{"steps", 100}, {"noise", 0}, {"predict", 0}, {"offset", 0.25}, {NULL, 0}},
        {{"steps", 100}, {"noise", 1}, {"predict", 1}, {"min_snr", 2}, {"draw", 1}, {NULL, 0}},
        {{"steps", 100}, {"noise", 2}, {"from", 20}, {"to", 70}, {"min_snr", 5}, {NULL, 0}}};
    char loss[] = "denoise";
    (void)state;
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        rig_options o = options("diffusion", 5, 3, 7);
        o.build = build_diffusion;
        o.loss = loss;
        diffusion = kinds[i];
        check_gradient(o);
    }
}

/* Latents that are drawn, whose pixels attend to a context. */
static void build_latents(builder *b, int variant) {
    (void)variant;
    builder_style_torch(b);
    int x0 = builder_node_of(b, "latent", "drawn", BUILDER_IMAGES, NULL);
    int noised = builder_node_of(b, "diffuse", "noised", x0,
                                 BUILDER_OPTIONS({"steps", 100}, {"predict", 1}, {"offset", 0.25}));
    int context = builder_node_of(b, "context", "context", noised,
                                  BUILDER_OPTIONS({"tokens", 7}, {"channels", 3}, {"drop", 0.4}));
    const int three[] = {
        builder_node_of(b, "conv", "q", noised, BUILDER_OPTIONS({"channels", 4}, {"size", 1})),
        builder_node_of(b, "conv", "k", context, BUILDER_OPTIONS({"channels", 4}, {"size", 1})),
        builder_node_of(b, "conv", "v", context, BUILDER_OPTIONS({"channels", 4}, {"size", 1}))};
    int x = builder_node(b, "attention", "attention", three, 3, BUILDER_OPTIONS({"heads", 2}));
    builder_node_of(b, "conv", "out", x, BUILDER_OPTIONS({"channels", 2}, {"size", 1}));
}

static void latents_and_contexts(void **state) {
    float table[10 * 7 * 3];
    const gyre_contexts contexts = {10, 7, 3, table};
    gyre_random draws = gyre_random_open(5, GYRE_RANDOM_TEST, 0, 0);
    char loss[] = "denoise";
    (void)state;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        table[i] = (float)gyre_random_normal(&draws);
    }
    rig_options o = options("latents", 5, 4, 7);
    o.build = build_latents;
    o.loss = loss;
    o.contexts = &contexts;
    check_gradient(o);
}

/* Linear layers with one activation between them: numbers of a few units, on all its parts. */
static const char *activation;
static void build_activation(builder *b, int variant) {
    (void)variant;
    builder_style_he(b);
    b->spread = 2;
    int x = builder_node_of(b, "linear", "a", BUILDER_IMAGES, BUILDER_OPTIONS({"out", 20}));
    x = builder_node_of(b, activation, "activation", x, NULL);
    builder_style_torch(b);
    builder_node_of(b, "linear", "fc", x, BUILDER_OPTIONS({"out", 10}));
}

static void activations(void **state) {
    static const char *const names[] = {
#define NAME(KIND, name, reads, about) #name,
        GYRE_ACTIVATIONS(NAME)};
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        rig_options o = options(names[i], 5, 1, 4);
        activation = names[i];
        o.build = build_activation;
        check_gradient(o);
    }
}

/* All that a convolution may be: oblong, dilated, in groups, depthwise, more on one side. */
static void build_convolutions(builder *b, int variant) {
    (void)variant;
    builder_style_he(b);
    int x = builder_node_of(b, "conv", "sides", BUILDER_IMAGES,
                            BUILDER_OPTIONS({"channels", 6}, {"size", 3}, {"size", 4}, {"pad", 2},
                                            {"pad", 1}, {"pad", 0}, {"pad", 3}, {"relu", true}));
    x = builder_node_of(b, "conv", "groups", x,
                        BUILDER_OPTIONS({"channels", 4}, {"size", 3}, {"stride", 1}, {"stride", 2},
                                        {"pad", 1}, {"pad", 0}, {"groups", 2}));
    x = builder_node_of(b, "conv", "depthwise", x,
                        BUILDER_OPTIONS({"channels", 4}, {"size", 3}, {"size", 2}, {"stride", 2},
                                        {"stride", 1}, {"pad", 2}, {"dilation", 2}, {"dilation", 3},
                                        {"groups", 4}));
    builder_style_torch(b);
    builder_node_of(b, "linear", "fc", x, BUILDER_OPTIONS({"out", b->model->classes}));
}

static void unequal_and_grouped_convolutions(void **state) {
    (void)state;
    rig_options o = options("convolutions", 9, 3, 3);
    o.build = build_convolutions;
    check_gradient(o);
}

/* Squeeze-and-excite (a gate for each channel), a gate for each pixel, a square, sums of three
 * inputs of three sizes and of one input twice, layer scale, one factor, biases, and an ELU's alpha. */
static void build_broadcast(builder *b, int variant) {
    (void)variant;
    builder_style_he(b);
    int x = builder_node_of(b, "conv", "conv", BUILDER_IMAGES,
                            BUILDER_OPTIONS({"channels", 6}, {"size", 3}));
    int pool = builder_node_of(b, "average_pool", "pool", x, BUILDER_OPTIONS({"global", 1}));
    int gate = builder_node_of(b, "linear", "gate", pool, BUILDER_OPTIONS({"out", 6}));
    gate = builder_node_of(b, "sigmoid", "sigmoid", gate, NULL);
    int map = builder_node_of(b, "conv", "map", x, BUILDER_OPTIONS({"channels", 1}, {"size", 1}));
    int excite = builder_node(b, "mul", "excite", (const int[]){x, gate}, 2, NULL);
    int attend = builder_node(b, "mul", "attend", (const int[]){x, map}, 2, NULL);
    int square = builder_node(b, "mul", "square", (const int[]){map, map}, 2, NULL);
    int sum = builder_node(b, "add", "sum", (const int[]){excite, pool, square}, 3, NULL);
    int twice = builder_node(b, "add", "twice", (const int[]){sum, attend, sum}, 3, NULL);
    x = builder_node_of(b, "scale", "scale", twice, BUILDER_OPTIONS({"initial", 0.5}));
    x = builder_node_of(b, "scale", "one", x, BUILDER_OPTIONS({"initial", 1.5}, {"by_channel", 0}));
    x = builder_node_of(b, "bias", "bias", x, BUILDER_OPTIONS({"initial", 0.25}));
    x = builder_node_of(b, "bias", "all", x, BUILDER_OPTIONS({"initial", -0.5}, {"by_channel", 0}));
    x = builder_node_of(b, "elu", "elu", x, BUILDER_OPTIONS({"alpha", 1.75}));
    builder_style_torch(b);
    builder_node_of(b, "linear", "fc", x, BUILDER_OPTIONS({"out", 10}));
}

static void broadcast_and_scale(void **state) {
    (void)state;
    rig_options o = options("broadcast", 6, 3, 3);
    o.build = build_broadcast;
    check_gradient(o);
}

/* An encoder and a decoder with the images beside it, read channel by channel and as they lie. */
static void build_moves(builder *b, int variant) {
    (void)variant;
    builder_style_he(b);
    int x = builder_node_of(b, "conv", "down", BUILDER_IMAGES,
                            BUILDER_OPTIONS({"channels", 4}, {"size", 2}, {"stride", 2}));
    int up = builder_node_of(b, "upsample", "up", x, BUILDER_OPTIONS({"factor", 2}));
    int both = builder_node(b, "concat", "both", (const int[]){up, BUILDER_IMAGES, up}, 3, NULL);
    int chw = builder_node_of(b, "flatten", "chw", both, BUILDER_OPTIONS({"order", 1}));
    int hwc = builder_node_of(b, "flatten", "hwc", both, NULL);
    builder_style_torch(b);
    int one = builder_node_of(b, "linear", "one", chw, BUILDER_OPTIONS({"out", 10}));
    int two = builder_node_of(b, "linear", "two", hwc, BUILDER_OPTIONS({"out", 10}));
    builder_node(b, "add", "sum", (const int[]){one, two}, 2, NULL);
}

static void moves(void **state) {
    (void)state;
    rig_options o = options("moves", 6, 3, 3);
    o.build = build_moves;
    check_gradient(o);
}

static void build_dropout(builder *b, int variant) {
    (void)variant;
    builder_style_he(b);
    int x = builder_node_of(b, "conv", "conv", BUILDER_IMAGES,
                            BUILDER_OPTIONS({"channels", 6}, {"size", 3}));
    int branch =
        builder_node_of(b, "conv", "branch", x, BUILDER_OPTIONS({"channels", 6}, {"size", 1}));
    branch = builder_node_of(b, "spatial_dropout", "maps", branch, BUILDER_OPTIONS({"p", 0.25}));
    branch = builder_node_of(b, "stochastic_depth", "depth", branch, BUILDER_OPTIONS({"p", 0.5}));
    x = builder_node(b, "add", "sum", (const int[]){branch, x}, 2, NULL);
    x = builder_node_of(b, "dropout", "drop", x, BUILDER_OPTIONS({"p", 0.375}));
    builder_style_torch(b);
    builder_node_of(b, "linear", "fc", x, BUILDER_OPTIONS({"out", 10}));
}

static void dropouts(void **state) {
    (void)state;
    rig_options o = options("dropout", 6, 3, 8);
    o.build = build_dropout;
    check_gradient(o);
}

/* Windows, strides and paddings of two numbers, a picture that is not square as one window, and
 * local response normalisation across channels. */
static void build_pools(builder *b, int variant) {
    (void)variant;
    builder_style_he(b);
    int x = builder_node_of(b, "conv", "conv", BUILDER_IMAGES,
                            BUILDER_OPTIONS({"channels", 6}, {"size", 3}));
    x = builder_node_of(b, "max_pool", "max", x,
                        BUILDER_OPTIONS({"size", 2}, {"size", 3}, {"stride", 1}, {"stride", 2},
                                        {"pad", 0}, {"pad", 1}));
    x = builder_node_of(b, "average_pool", "average", x,
                        BUILDER_OPTIONS({"size", 3}, {"size", 1}, {"stride", 2}, {"stride", 1},
                                        {"pad", 2}, {"pad", 0}));
    x = builder_node_of(b, "channel_lrn", "norm", x,
                        BUILDER_OPTIONS({"size", 4}, {"alpha", 0.5}, {"k", 2}));
    x = builder_node_of(b, "adaptive_average_pool", "bins", x,
                        BUILDER_OPTIONS({"bins", 3}, {"bins", 4}));
    x = builder_node_of(b, "average_pool", "all", x, BUILDER_OPTIONS({"global", 1}));
    builder_style_torch(b);
    builder_node_of(b, "linear", "fc", x, BUILDER_OPTIONS({"out", 10}));
}

static void oblong_pools_and_channel_lrn(void **state) {
    (void)state;
    rig_options o = options("pools", 9, 3, 3);
    o.build = build_pools;
    check_gradient(o);
}

static void residual_and_shortcut(void **state) {
    (void)state;
    check_gradient(smoothed(options("resnet20", 8, 3, 3)));
}

/* So that a new type cannot be forgotten here. */
static void every_type_has_a_reference(void **state) {
    (void)state;
    const gyre_node_type *type;
    for (int i = 0; (type = node_type_at(i)) != NULL; i++) {
        size_t k = 0, known = sizeof naive_types / sizeof naive_types[0];
        while (k < known && strcmp(naive_types[k].type, type->name) != 0) k++;
        if (k == known && !type->is_loss) fail_msg("naive.h does not know %s", type->name);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_has_a_reference),
        cmocka_unit_test(linear_and_relu),
        cmocka_unit_test(label_smoothing_and_weights),
        cmocka_unit_test(one_hot_squared_error),
        cmocka_unit_test(shared_parameters),
        cmocka_unit_test(convolution_and_max_pool),
        cmocka_unit_test(unequal_and_grouped_convolutions),
        cmocka_unit_test(average_pool_rounded_up),
        cmocka_unit_test(local_response_normalisation),
        cmocka_unit_test(batch_norm),
        cmocka_unit_test(layer_norm),
        cmocka_unit_test(group_norm),
        cmocka_unit_test(norms_without_parameters),
        cmocka_unit_test(attention),
        cmocka_unit_test(denoising),
        cmocka_unit_test(latents_and_contexts),
        cmocka_unit_test(activations),
        cmocka_unit_test(broadcast_and_scale),
        cmocka_unit_test(moves),
        cmocka_unit_test(dropouts),
        cmocka_unit_test(oblong_pools_and_channel_lrn),
        cmocka_unit_test(residual_and_shortcut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
