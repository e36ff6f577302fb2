/* MobileNet: Sandler et al. 2018 (arXiv 1801.04381), as torchvision's mobilenet_v2. */
#include "layers.h"

static int conv_norm(builder *b, const char *prefix, int x, conv_options o) {
    return layers_conv_norm(b, prefix, x, o, "relu6");
}

typedef struct {
    int expansion, in, out, stride;
} bottleneck;

/* 1x1 to `expansion` times the channels, 3x3 of each channel by itself, 1x1 to few channels, to
 * which the input is added where sizes are equal. */
static int inverted_residual(builder *b, int index, int x, bottleneck o) {
    const int inner = o.in * o.expansion;
    char name[LAYERS_PART];
    int part = 0, y = x;
    if (o.expansion != 1) {
        snprintf(name, sizeof name, "features.%d.conv.%d", index, part++);
        y = conv_norm(b, name, y, (conv_options){inner, 1, 1, 0, false, false, 0});
    }
    snprintf(name, sizeof name, "features.%d.conv.%d", index, part++);
    y = conv_norm(b, name, y, (conv_options){inner, 3, o.stride, 1, false, false, inner});
    snprintf(name, sizeof name, "features.%d.conv.%d", index, part++);
    y = layers_conv(b, name, y, (conv_options){o.out, 1, 1, 0, false, false, 0});
    snprintf(name, sizeof name, "features.%d.conv.%d", index, part);
    return layers_norm(b, name, y, o.stride == 1 && o.in == o.out ? x : LAYERS_NONE, false);
}

void zoo_mobilenet_v2(builder *b, int variant) {
    static const struct {
        int expansion, channels, blocks, stride;
    } stages[] = {{1, 16, 1, 1}, {6, 24, 2, 2},  {6, 32, 3, 2}, {6, 64, 4, 2},
                  {6, 96, 3, 1}, {6, 160, 3, 2}, {6, 320, 1, 1}};
    int in = 32, index = 1;
    (void)variant;
    builder_style_he(b);
    int x =
        conv_norm(b, "features.0", BUILDER_IMAGES, (conv_options){in, 3, 2, 1, false, false, 0});
    for (size_t k = 0; k < sizeof stages / sizeof *stages; k++) {
        for (int i = 0; i < stages[k].blocks; i++) {
            bottleneck o = {stages[k].expansion, in, stages[k].channels,
                            i == 0 ? stages[k].stride : 1};
            x = inverted_residual(b, index++, x, o);
            in = o.out;
        }
    }
    x = conv_norm(b, "features.18", x, (conv_options){1280, 1, 1, 0, false, false, 0});
    x = layers_global_average(b, "pool", x);
    x = builder_node_of(b, "dropout", "classifier.0", x, BUILDER_OPTIONS({"p", 0.2}));
    builder_style_caffe(b, 0.01);
    b->bias_lr_mult = 1;
    layers_linear(b, "classifier.1", x, NODE_CLASSES, false);
}
