/* EfficientNet: Tan & Le 2019 (arXiv 1905.11946), as torchvision's efficientnet_b0. */
#include "layers.h"

#include <math.h>

static int conv_norm(builder *b, const char *prefix, int x, conv_options o) {
    return layers_conv_norm(b, prefix, x, o, "silu");
}

/* Hu et al. 2018 (arXiv 1709.01507): a factor for each channel, made of all channels' averages. */
static int squeeze_excite(builder *b, const char *prefix, int x, int channels, int inner) {
    char name[LAYERS_NAME];
    snprintf(name, sizeof name, "%s.avgpool", prefix);
    int y = layers_global_average(b, name, x);
    snprintf(name, sizeof name, "%s.fc1", prefix);
    y = layers_conv(b, name, y, (conv_options){inner, 1, 1, 0, true, false, 0});
    snprintf(name, sizeof name, "%s.activation", prefix);
    y = builder_node_of(b, "silu", name, y, NULL);
    snprintf(name, sizeof name, "%s.fc2", prefix);
    y = layers_conv(b, name, y, (conv_options){channels, 1, 1, 0, true, false, 0});
    snprintf(name, sizeof name, "%s.scale_activation", prefix);
    y = builder_node_of(b, "sigmoid", name, y, NULL);
    snprintf(name, sizeof name, "%s.mul", prefix);
    const int both[] = {x, y};
    return builder_node(b, "mul", name, both, 2, NULL);
}

typedef struct {
    int expansion, r, in, out, stride;
    double drop; /* the probability that a sample leaves the block out */
} mbconv;

static int block(builder *b, const char *prefix, int x, mbconv o) {
    const int inner = o.in * o.expansion;
    char name[LAYERS_PART];
    int part = 0, y = x;
    if (o.expansion != 1) {
        snprintf(name, sizeof name, "%s.block.%d", prefix, part++);
        y = conv_norm(b, name, y, (conv_options){inner, 1, 1, 0, false, false, 0});
    }
    snprintf(name, sizeof name, "%s.block.%d", prefix, part++);
    y = conv_norm(b, name, y, (conv_options){inner, o.r, o.stride, o.r / 2, false, false, inner});
    snprintf(name, sizeof name, "%s.block.%d", prefix, part++);
    y = squeeze_excite(b, name, y, inner, o.in / 4);
    snprintf(name, sizeof name, "%s.block.%d.0", prefix, part);
    y = layers_conv(b, name, y, (conv_options){o.out, 1, 1, 0, false, false, 0});
    snprintf(name, sizeof name, "%s.block.%d.1", prefix, part);
    y = layers_norm(b, name, y, LAYERS_NONE, false);
    if (o.stride != 1 || o.in != o.out) return y;
    snprintf(name, sizeof name, "%s.stochastic_depth", prefix);
    y = builder_node_of(b, "stochastic_depth", name, y, BUILDER_OPTIONS({"p", o.drop}));
    snprintf(name, sizeof name, "%s.add", prefix);
    return layers_add(b, name, y, x);
}

void zoo_efficientnet_b0(builder *b, int variant) {
    static const struct {
        int expansion, r, channels, blocks, stride;
    } stages[] = {{1, 3, 16, 1, 1},  {6, 3, 24, 2, 2},  {6, 5, 40, 2, 2}, {6, 3, 80, 3, 2},
                  {6, 5, 112, 3, 1}, {6, 5, 192, 4, 2}, {6, 3, 320, 1, 1}};
    const int all = 16;
    int in = 32, done = 0;
    (void)variant;
    builder_style_he(b);
    int x =
        conv_norm(b, "features.0", BUILDER_IMAGES, (conv_options){in, 3, 2, 1, false, false, 0});
    for (int k = 0; k < 7; k++) {
        for (int i = 0; i < stages[k].blocks; i++) {
            char prefix[LAYERS_PREFIX];
            mbconv o = {stages[k].expansion,           stages[k].r,       in, stages[k].channels,
                        i == 0 ? stages[k].stride : 1, 0.2 * done++ / all};
            snprintf(prefix, sizeof prefix, "features.%d.%d", k + 1, i);
            x = block(b, prefix, x, o);
            in = o.out;
        }
    }
    x = conv_norm(b, "features.8", x, (conv_options){1280, 1, 1, 0, false, false, 0});
    x = layers_global_average(b, "avgpool", x);
    x = builder_node_of(b, "dropout", "classifier.0", x, BUILDER_OPTIONS({"p", 0.2}));
    builder_style_caffe(b, 1 / sqrt(b->model->classes));
    b->init = GYRE_INIT_UNIFORM;
    b->bias_lr_mult = 1;
    layers_linear(b, "classifier.1", x, NODE_CLASSES, false);
}
