/* Wide residual networks: Zagoruyko & Komodakis 2016 (arXiv 1605.07146), for images of 32x32. */
#include "layers.h"

/* norm, ReLU, 3x3, norm, ReLU, 3x3; the shortcut is the input, or where sizes change a 1x1
 * convolution behind the first ReLU. */
static int block(builder *b, const char *prefix, int x, bool changes, int channels, int stride) {
    char name[LAYERS_NAME];
    snprintf(name, sizeof name, "%s.bn1", prefix);
    int y = layers_norm(b, name, x, LAYERS_NONE, true), shortcut = x;
    if (changes) {
        snprintf(name, sizeof name, "%s.convShortcut", prefix);
        shortcut = layers_conv(b, name, y, (conv_options){channels, 1, stride, 0, false, false, 0});
    }
    snprintf(name, sizeof name, "%s.conv1", prefix);
    y = layers_conv(b, name, y, (conv_options){channels, 3, stride, 1, false, false, 0});
    snprintf(name, sizeof name, "%s.bn2", prefix);
    y = layers_norm(b, name, y, LAYERS_NONE, true);
    snprintf(name, sizeof name, "%s.conv2", prefix);
    y = layers_conv(b, name, y, (conv_options){channels, 3, 1, 1, false, false, 0});
    snprintf(name, sizeof name, "%s.add", prefix);
    return layers_add(b, name, y, shortcut);
}

/* 28 layers, 10 times as wide as a ResNet's. */
void zoo_wide_resnet28(builder *b, int widening) {
    const int blocks = (28 - 4) / 6;
    builder_style_he(b);
    int x = layers_conv(b, "conv1", BUILDER_IMAGES, (conv_options){16, 3, 1, 1, false, false, 0});
    for (int stage = 0; stage < 3; stage++) {
        for (int i = 0; i < blocks; i++) {
            char prefix[LAYERS_PREFIX];
            int channels = (16 << stage) * widening, stride = stage > 0 && i == 0 ? 2 : 1;
            snprintf(prefix, sizeof prefix, "block%d.layer.%d", stage + 1, i);
            x = block(b, prefix, x, i == 0, channels, stride);
        }
    }
    x = layers_norm(b, "bn1", x, LAYERS_NONE, true);
    x = layers_global_average(b, "pool", x);
    builder_style_torch(b);
    layers_linear(b, "fc", x, NODE_CLASSES, false);
}
