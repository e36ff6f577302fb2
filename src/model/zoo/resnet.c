/* Residual networks: He et al. 2015 (arXiv 1512.03385). */
#include "layers.h"

/* PREFIX.convI and PREFIX.bnI: y = act(norm(conv(x)) + residual) */
static int conv_norm(builder *b, const char *prefix, int i, int x, conv_options o, int residual) {
    char name[LAYERS_NAME];
    snprintf(name, sizeof name, "%s.conv%d", prefix, i);
    x = layers_conv(b, name, x, o);
    snprintf(name, sizeof name, "%s.bn%d", prefix, i);
    return layers_norm(b, name, x, residual, true);
}

/* Two convolutions of 3x3, plus the shortcut. */
static int basic_block(builder *b, const char *prefix, int x, int shortcut, int channels,
                       int stride) {
    int y = conv_norm(b, prefix, 1, x, (conv_options){channels, 3, stride, 1, false, false, 0},
                      LAYERS_NONE);
    return conv_norm(b, prefix, 2, y, (conv_options){channels, 3, 1, 1, false, false, 0}, shortcut);
}

/* He et al. 2015 (arXiv 1512.03385), section 4.2: 6n + 2 layers, shortcuts of option A. */
void zoo_resnet(builder *b, int depth) {
    int blocks = (depth - 2) / 6;
    builder_style_he(b);
    int x = layers_conv(b, "conv1", BUILDER_IMAGES, (conv_options){16, 3, 1, 1, false, false, 0});
    x = layers_norm(b, "bn1", x, LAYERS_NONE, true);
    for (int stage = 0; stage < 3; stage++) {
        for (int i = 0; i < blocks; i++) {
            char prefix[LAYERS_PREFIX], name[LAYERS_NAME];
            int shortcut = x, channels = 16 << stage, stride = stage > 0 && i == 0 ? 2 : 1;
            snprintf(prefix, sizeof prefix, "layer%d.%d", stage + 1, i);
            if (stride != 1) {
                snprintf(name, sizeof name, "%s.shortcut", prefix);
                shortcut =
                    builder_node_of(b, "shortcut", name, x,
                                    BUILDER_OPTIONS({"channels", channels}, {"stride", stride}));
            }
            x = basic_block(b, prefix, x, shortcut, channels, stride);
        }
    }
    x = layers_global_average(b, "pool", x);
    builder_style_torch(b);
    layers_linear(b, "fc", x, NODE_CLASSES, false);
}

/* 1x1, 3x3 and 1x1. The stride is the 3x3's, as in PyTorch ("v1.5"); the paper has it in front. */
static int bottleneck(builder *b, const char *prefix, int x, int shortcut, int channels,
                      int stride) {
    int inner = channels / 4;
    int y =
        conv_norm(b, prefix, 1, x, (conv_options){inner, 1, 1, 0, false, false, 0}, LAYERS_NONE);
    y = conv_norm(b, prefix, 2, y, (conv_options){inner, 3, stride, 1, false, false, 0},
                  LAYERS_NONE);
    return conv_norm(b, prefix, 3, y, (conv_options){channels, 1, 1, 0, false, false, 0}, shortcut);
}

/* Option B: a strided 1x1 convolution with batch norm. */
static int projection(builder *b, const char *prefix, int x, int channels, int stride) {
    char name[LAYERS_NAME];
    snprintf(name, sizeof name, "%s.downsample.0", prefix);
    x = layers_conv(b, name, x, (conv_options){channels, 1, stride, 0, false, false, 0});
    snprintf(name, sizeof name, "%s.downsample.1", prefix);
    return layers_norm(b, name, x, LAYERS_NONE, false);
}

typedef struct {
    int depth, blocks[4], widening; /* widening: 4 with bottlenecks */
} imagenet_resnet;

/* The same paper, table 1, with torchvision's names and initial weights: blocks of two
 * convolutions up to 34 layers, bottlenecks of four times the channels beyond. */
void zoo_imagenet_resnet(builder *b, int depth) {
    static const imagenet_resnet known[] = {{18, {2, 2, 2, 2}, 1},
                                            {34, {3, 4, 6, 3}, 1},
                                            {50, {3, 4, 6, 3}, 4},
                                            {101, {3, 4, 23, 3}, 4}};
    const imagenet_resnet *own = known;
    while (own->depth != depth) own++;
    const int stem = 64;
    builder_style_he(b);
    int x = layers_conv(b, "conv1", BUILDER_IMAGES, (conv_options){stem, 7, 2, 3, false, false, 0});
    x = layers_norm(b, "bn1", x, LAYERS_NONE, true);
    x = builder_node_of(b, "max_pool", "maxpool", x,
                        BUILDER_OPTIONS({"size", 3}, {"stride", 2}, {"pad", 1}));
    int before = stem;
    for (int stage = 0; stage < 4; stage++) {
        int channels = (stem << stage) * own->widening;
        for (int i = 0; i < own->blocks[stage]; i++) {
            char prefix[LAYERS_PREFIX];
            int stride = stage > 0 && i == 0 ? 2 : 1, shortcut = x;
            snprintf(prefix, sizeof prefix, "layer%d.%d", stage + 1, i);
            if (before != channels) shortcut = projection(b, prefix, x, channels, stride);
            x = (own->widening == 1 ? basic_block : bottleneck)(b, prefix, x, shortcut, channels,
                                                                stride);
            before = channels;
        }
    }
    x = layers_global_average(b, "avgpool", x);
    builder_style_torch(b);
    layers_linear(b, "fc", x, NODE_CLASSES, false);
}
