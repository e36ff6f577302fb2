/* VGG: Simonyan & Zisserman 2015 (arXiv 1409.1556), with batch norm and names as torchvision's. */
#include "layers.h"

/* Three linear layers, with dropout between them. They begin with N(0, 0.01) and biases of 0. */
static void classify(builder *b, int x) {
    builder_style_caffe(b, 0.01);
    b->bias_lr_mult = 1;
    x = builder_node_of(b, "adaptive_average_pool", "avgpool", x, BUILDER_OPTIONS({"bins", 7}));
    x = layers_flatten(b, "flatten", x, "chw");
    x = layers_linear(b, "classifier.0", x, 4096, true);
    x = builder_node_of(b, "dropout", "classifier.2", x, NULL);
    x = layers_linear(b, "classifier.3", x, 4096, true);
    x = builder_node_of(b, "dropout", "classifier.5", x, NULL);
    layers_linear(b, "classifier.6", x, NODE_CLASSES, false);
}

/* Configuration D: 13 convolutions; what is left becomes 7x7 bins, whatever the images' size. */
void zoo_vgg16_bn(builder *b, int variant) {
    static const int channels[] = {64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512};
    int x = BUILDER_IMAGES, at = 0;
    (void)variant;
    builder_style_he(b);
    for (int i = 0; i < 13; i++) {
        char name[LAYERS_NAME];
        snprintf(name, sizeof name, "features.%d", at);
        x = layers_conv(b, name, x, (conv_options){channels[i], 3, 1, 1, true, false, 0});
        snprintf(name, sizeof name, "features.%d", at + 1);
        x = layers_norm(b, name, x, LAYERS_NONE, true);
        at += 3;
        if (i != 1 && i != 3 && i != 6 && i != 9 && i != 12) continue;
        snprintf(name, sizeof name, "features.%d", at++);
        x = layers_pool(b, "max_pool", name, x, 2, 2, 0);
    }
    classify(b, x);
}
