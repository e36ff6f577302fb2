/* Networks without a paper: for the demo, and to learn with. */
#include "layers.h"

/* Two hidden layers; PyTorch's default initialisation. */
void zoo_mlp(builder *b, int variant) {
    (void)variant;
    builder_style_torch(b);
    int x = layers_linear(b, "fc1", BUILDER_IMAGES, 256, true);
    x = layers_linear(b, "fc2", x, 128, true);
    layers_linear(b, "fc3", x, NODE_CLASSES, false);
}

/* Three convolutions with batch norm: for the demo, and for other small images. */
void zoo_small_cnn(builder *b, int variant) {
    (void)variant;
    builder_style_he(b);
    int x = layers_conv(b, "conv1", BUILDER_IMAGES, (conv_options){16, 3, 1, 1, false, false, 0});
    x = layers_norm(b, "bn1", x, LAYERS_NONE, true);
    x = layers_caffe_pool(b, "max_pool", "pool1", x, 2);
    x = layers_conv(b, "conv2", x, (conv_options){32, 3, 1, 1, false, false, 0});
    x = layers_norm(b, "bn2", x, LAYERS_NONE, true);
    x = layers_caffe_pool(b, "max_pool", "pool2", x, 2);
    x = layers_conv(b, "conv3", x, (conv_options){64, 3, 1, 1, false, false, 0});
    x = layers_norm(b, "bn3", x, LAYERS_NONE, true);
    x = layers_caffe_pool(b, "max_pool", "pool3", x, 2);
    builder_style_torch(b);
    layers_linear(b, "fc", x, NODE_CLASSES, false);
}
