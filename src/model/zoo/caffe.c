/* Networks of Caffe's examples.
 *
 * A linear layer behind an image reads it in NHWC order: input (y * w + x) * c + channel. Weights
 * from a framework that flattens (c, h, w) must be permuted before they are imported. */
#include "layers.h"

static int caffe_lrn(builder *b, const char *name, int x, bool relu) {
    return builder_node_of(
        b, "lrn", name, x,
        BUILDER_OPTIONS({"size", 3}, {"alpha", 5e-5}, {"beta", 0.75}, {"relu", relu}));
}

/* Caffe's examples/mnist/lenet_train_test.prototxt. */
void zoo_lenet(builder *b, int variant) {
    (void)variant;
    builder_style_xavier(b);
    int x = layers_conv(b, "conv1", BUILDER_IMAGES, (conv_options){20, 5, 1, 0, true, false, 0});
    x = layers_caffe_pool(b, "max_pool", "pool1", x, 2);
    x = layers_conv(b, "conv2", x, (conv_options){50, 5, 1, 0, true, false, 0});
    x = layers_caffe_pool(b, "max_pool", "pool2", x, 2);
    x = layers_linear(b, "ip1", x, 500, true);
    layers_linear(b, "ip2", x, NODE_CLASSES, false);
}

/* Caffe's examples/cifar10/cifar10_quick_train_test.prototxt. */
void zoo_cifar10_quick(builder *b, int variant) {
    (void)variant;
    builder_style_caffe(b, 1e-4);
    int x = layers_conv(b, "conv1", BUILDER_IMAGES, (conv_options){32, 5, 1, 2, true, false, 0});
    x = layers_caffe_pool(b, "max_pool", "pool1", x, 3);
    x = builder_node_of(b, "relu", "relu1", x, NULL);
    builder_style_caffe(b, 0.01);
    x = layers_conv(b, "conv2", x, (conv_options){32, 5, 1, 2, true, true, 0});
    x = layers_caffe_pool(b, "average_pool", "pool2", x, 3);
    x = layers_conv(b, "conv3", x, (conv_options){64, 5, 1, 2, true, true, 0});
    x = layers_caffe_pool(b, "average_pool", "pool3", x, 3);
    builder_style_caffe(b, 0.1);
    x = layers_linear(b, "ip1", x, 64, false);
    layers_linear(b, "ip2", x, NODE_CLASSES, false);
}

/* Caffe's examples/cifar10/cifar10_full_train_test.prototxt. There conv3 states no multipliers, so
 * that its bias learns at the weights' rate. The ReLU between pool1 and norm1 is norm1's. */
void zoo_cifar10_full(builder *b, int variant) {
    (void)variant;
    builder_style_caffe(b, 1e-4);
    int x = layers_conv(b, "conv1", BUILDER_IMAGES, (conv_options){32, 5, 1, 2, true, false, 0});
    x = layers_caffe_pool(b, "max_pool", "pool1", x, 3);
    x = caffe_lrn(b, "norm1", x, true);
    builder_style_caffe(b, 0.01);
    x = layers_conv(b, "conv2", x, (conv_options){32, 5, 1, 2, true, true, 0});
    x = layers_caffe_pool(b, "average_pool", "pool2", x, 3);
    x = caffe_lrn(b, "norm2", x, false);
    b->bias_lr_mult = 1;
    x = layers_conv(b, "conv3", x, (conv_options){64, 5, 1, 2, true, true, 0});
    x = layers_caffe_pool(b, "average_pool", "pool3", x, 3);
    b->bias_lr_mult = 2;
    b->weight_decay_mult = 250;
    b->bias_decay_mult = 0;
    layers_linear(b, "ip1", x, NODE_CLASSES, false);
}
