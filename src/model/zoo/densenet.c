/* DenseNet: Huang et al. 2017 (arXiv 1608.06993). Each layer reads the outputs of all before it in
 * its block. Names are torchvision's. */
#include "layers.h"

/* norm, ReLU, 1x1 to 4 `growth` channels where there is a bottleneck, norm, ReLU, 3x3 to `growth`
 * channels, which come behind those that were there. */
static int dense_layer(builder *b, const char *prefix, int x, int growth, bool bottleneck) {
    char name[LAYERS_NAME];
    snprintf(name, sizeof name, "%s.norm1", prefix);
    int y = layers_norm(b, name, x, LAYERS_NONE, true);
    snprintf(name, sizeof name, "%s.conv1", prefix);
    if (bottleneck) {
        y = layers_conv(b, name, y, (conv_options){4 * growth, 1, 1, 0, false, false, 0});
        snprintf(name, sizeof name, "%s.norm2", prefix);
        y = layers_norm(b, name, y, LAYERS_NONE, true);
        snprintf(name, sizeof name, "%s.conv2", prefix);
    }
    y = layers_conv(b, name, y, (conv_options){growth, 3, 1, 1, false, false, 0});
    snprintf(name, sizeof name, "%s.concat", prefix);
    const int both[] = {x, y};
    return builder_node(b, "concat", name, both, 2, NULL);
}

static int dense_block(builder *b, int number, int layers, int x, int growth, bool bottleneck) {
    for (int i = 1; i <= layers; i++) {
        char prefix[LAYERS_PREFIX];
        snprintf(prefix, sizeof prefix, "features.denseblock%d.denselayer%d", number, i);
        x = dense_layer(b, prefix, x, growth, bottleneck);
    }
    return x;
}

/* norm, ReLU, 1x1 to `channels`, and half the size */
static int transition(builder *b, int number, int x, int channels) {
    char name[LAYERS_NAME];
    snprintf(name, sizeof name, "features.transition%d.norm", number);
    x = layers_norm(b, name, x, LAYERS_NONE, true);
    snprintf(name, sizeof name, "features.transition%d.conv", number);
    x = layers_conv(b, name, x, (conv_options){channels, 1, 1, 0, false, false, 0});
    snprintf(name, sizeof name, "features.transition%d.pool", number);
    return layers_pool(b, "average_pool", name, x, 2, 2, 0);
}

/* He et al.'s initial weights by the number of inputs; the last layer is PyTorch's with a bias of
 * 0. */
static void style(builder *b) {
    builder_style_he(b);
    b->fan_out = false;
}

static void classify(builder *b, int x) {
    x = layers_norm(b, "features.norm5", x, LAYERS_NONE, true);
    x = layers_global_average(b, "pool", x);
    builder_style_torch(b);
    b->bias_init = GYRE_INIT_ZERO;
    layers_linear(b, "classifier", x, NODE_CLASSES, false);
}

/* DenseNet-BC of 121 layers for large images, as torchvision's. */
void zoo_densenet121(builder *b, int variant) {
    static const int layers[] = {6, 12, 24, 16};
    const int growth = 32;
    int channels = 64;
    (void)variant;
    style(b);
    int x = layers_conv(b, "features.conv0", BUILDER_IMAGES,
                        (conv_options){channels, 7, 2, 3, false, false, 0});
    x = layers_norm(b, "features.norm0", x, LAYERS_NONE, true);
    x = layers_pool(b, "max_pool", "features.pool0", x, 3, 2, 1);
    for (int i = 0; i < 4; i++) {
        x = dense_block(b, i + 1, layers[i], x, growth, true);
        channels = (channels + layers[i] * growth) / (i < 3 ? 2 : 1);
        if (i < 3) x = transition(b, i + 1, x, channels);
    }
    classify(b, x);
}

/* The paper's of 40 layers with a growth of 12, for images of 32x32. */
void zoo_densenet40(builder *b, int variant) {
    const int growth = 12, layers = 12;
    int channels = 16;
    (void)variant;
    style(b);
    int x = layers_conv(b, "features.conv0", BUILDER_IMAGES,
                        (conv_options){channels, 3, 1, 1, false, false, 0});
    for (int i = 0; i < 3; i++) {
        x = dense_block(b, i + 1, layers, x, growth, false);
        channels += layers * growth;
        if (i < 2) x = transition(b, i + 1, x, channels);
    }
    classify(b, x);
}
