/* ConvNeXt: Liu et al. 2022 (arXiv 2201.03545), as torchvision's convnext_tiny. Its linear layers
 * are 1x1 convolutions here; weights begin with N(0, 0.02), which there is cut at +-2. */
#include "layers.h"

static int layer_norm(builder *b, const char *name, int x) {
    return builder_node_of(b, "layer_norm", name, x, BUILDER_OPTIONS({"eps", 1e-6}));
}

/* 7x7 of each channel by itself, layer norm, 1x1 to four times the channels, GELU, 1x1 back, a
 * learned factor for each channel; the input is added. */
static int block(builder *b, const char *prefix, int x, int channels, double drop) {
    char name[LAYERS_NAME];
    snprintf(name, sizeof name, "%s.block.0", prefix);
    int y = layers_conv(b, name, x, (conv_options){channels, 7, 1, 3, true, false, channels});
    snprintf(name, sizeof name, "%s.block.2", prefix);
    y = layer_norm(b, name, y);
    snprintf(name, sizeof name, "%s.block.3", prefix);
    y = layers_dense(b, name, y, 4 * channels, true);
    snprintf(name, sizeof name, "%s.block.4", prefix);
    y = builder_node_of(b, "gelu", name, y, NULL);
    snprintf(name, sizeof name, "%s.block.5", prefix);
    y = layers_dense(b, name, y, channels, true);
    snprintf(name, sizeof name, "%s.layer_scale", prefix);
    y = builder_node_of(b, "scale", name, y, BUILDER_OPTIONS({"initial", 1e-6}));
    snprintf(name, sizeof name, "%s.stochastic_depth", prefix);
    y = builder_node_of(b, "stochastic_depth", name, y, BUILDER_OPTIONS({"p", drop}));
    snprintf(name, sizeof name, "%s.add", prefix);
    return layers_add(b, name, y, x);
}

void zoo_convnext_tiny(builder *b, int variant) {
    static const int channels[] = {96, 192, 384, 768}, blocks[] = {3, 3, 9, 3};
    const int all = 18;
    int done = 0;
    (void)variant;
    builder_style_caffe(b, 0.02);
    b->bias_lr_mult = 1;
    int x = layers_conv(b, "features.0.0", BUILDER_IMAGES,
                        (conv_options){channels[0], 4, 4, 0, true, false, 0});
    x = layer_norm(b, "features.0.1", x);
    for (int k = 0; k < 4; k++) {
        char name[LAYERS_NAME], prefix[LAYERS_PREFIX];
        if (k > 0) {
            snprintf(name, sizeof name, "features.%d.0", 2 * k);
            x = layer_norm(b, name, x);
            snprintf(name, sizeof name, "features.%d.1", 2 * k);
            x = layers_conv(b, name, x, (conv_options){channels[k], 2, 2, 0, true, false, 0});
        }
        for (int i = 0; i < blocks[k]; i++) {
            snprintf(prefix, sizeof prefix, "features.%d.%d", 2 * k + 1, i);
            x = block(b, prefix, x, channels[k], 0.1 * done++ / (all - 1));
        }
    }
    x = layers_global_average(b, "avgpool", x);
    x = layer_norm(b, "classifier.0", x);
    layers_linear(b, "classifier.2", x, NODE_CLASSES, false);
}
