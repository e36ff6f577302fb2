/* The models, as lists of layers.
 *
 * A linear layer behind an image reads it in NHWC order: input (y * w + x) * c + channel. Weights
 * from a framework that flattens (c, h, w) must be permuted before they are imported. */
#include "zoo.h"

#include <stdio.h>
#include <string.h>

/* ---- the types that the zoo is made of, with the options that it uses */

typedef struct {
    int channels, r, stride, pad;
    bool bias, relu;
} conv_options;

static int conv(builder *b, const char *name, int x, conv_options o) {
    return builder_node_of(b, "conv", name, x,
                           BUILDER_OPTIONS({"channels", o.channels}, {"size", o.r},
                                           {"stride", o.stride}, {"pad", o.pad}, {"bias", o.bias},
                                           {"relu", o.relu}));
}

static int linear(builder *b, const char *name, int x, double out, bool relu) {
    return builder_node_of(b, "linear", name, x, BUILDER_OPTIONS({"out", out}, {"relu", relu}));
}

enum { NONE = -1 };

/* y = act(norm(x) + residual); residual may be NONE */
static int norm(builder *b, const char *name, int x, int residual, bool relu) {
    const int inputs[] = {x, residual};
    return builder_node(b, "batch_norm", name, inputs, residual == NONE ? 1 : 2,
                        BUILDER_OPTIONS({"relu", relu}));
}

/* Caffe's pooling: windows of r by r, two apart; the output's size is rounded up. */
static int caffe_pool(builder *b, const char *type, const char *name, int x, int r) {
    return builder_node_of(b, type, name, x,
                           BUILDER_OPTIONS({"size", r}, {"stride", 2}, {"ceil", true}));
}

static int max_pool(builder *b, const char *name, int x, int r) {
    return caffe_pool(b, "max_pool", name, x, r);
}

static int average_pool(builder *b, const char *name, int x, int r) {
    return caffe_pool(b, "average_pool", name, x, r);
}

static int global_average(builder *b, const char *name, int x) {
    return builder_node_of(b, "average_pool", name, x, BUILDER_OPTIONS({"global", true}));
}

static int caffe_lrn(builder *b, const char *name, int x, bool relu) {
    return builder_node_of(
        b, "lrn", name, x,
        BUILDER_OPTIONS({"size", 3}, {"alpha", 5e-5}, {"beta", 0.75}, {"relu", relu}));
}

/* ---- the models */

/* Two hidden layers; PyTorch's default initialisation. */
static void build_mlp(builder *b, int depth) {
    (void)depth;
    builder_style_torch(b);
    int x = linear(b, "fc1", BUILDER_IMAGES, 256, true);
    x = linear(b, "fc2", x, 128, true);
    linear(b, "fc3", x, NODE_CLASSES, false);
}

/* Caffe's examples/mnist/lenet_train_test.prototxt. */
static void build_lenet(builder *b, int depth) {
    (void)depth;
    builder_style_xavier(b);
    int x = conv(b, "conv1", BUILDER_IMAGES, (conv_options){20, 5, 1, 0, true, false});
    x = max_pool(b, "pool1", x, 2);
    x = conv(b, "conv2", x, (conv_options){50, 5, 1, 0, true, false});
    x = max_pool(b, "pool2", x, 2);
    x = linear(b, "ip1", x, 500, true);
    linear(b, "ip2", x, NODE_CLASSES, false);
}

/* Caffe's examples/cifar10/cifar10_quick_train_test.prototxt. */
static void build_cifar10_quick(builder *b, int depth) {
    (void)depth;
    builder_style_caffe(b, 1e-4);
    int x = conv(b, "conv1", BUILDER_IMAGES, (conv_options){32, 5, 1, 2, true, false});
    x = max_pool(b, "pool1", x, 3);
    x = builder_node_of(b, "relu", "relu1", x, NULL);
    builder_style_caffe(b, 0.01);
    x = conv(b, "conv2", x, (conv_options){32, 5, 1, 2, true, true});
    x = average_pool(b, "pool2", x, 3);
    x = conv(b, "conv3", x, (conv_options){64, 5, 1, 2, true, true});
    x = average_pool(b, "pool3", x, 3);
    builder_style_caffe(b, 0.1);
    x = linear(b, "ip1", x, 64, false);
    linear(b, "ip2", x, NODE_CLASSES, false);
}

/* Caffe's examples/cifar10/cifar10_full_train_test.prototxt. There conv3 states no multipliers, so
 * that its bias learns at the weights' rate. The ReLU between pool1 and norm1 is norm1's. */
static void build_cifar10_full(builder *b, int depth) {
    (void)depth;
    builder_style_caffe(b, 1e-4);
    int x = conv(b, "conv1", BUILDER_IMAGES, (conv_options){32, 5, 1, 2, true, false});
    x = max_pool(b, "pool1", x, 3);
    x = caffe_lrn(b, "norm1", x, true);
    builder_style_caffe(b, 0.01);
    x = conv(b, "conv2", x, (conv_options){32, 5, 1, 2, true, true});
    x = average_pool(b, "pool2", x, 3);
    x = caffe_lrn(b, "norm2", x, false);
    b->bias_lr_mult = 1;
    x = conv(b, "conv3", x, (conv_options){64, 5, 1, 2, true, true});
    x = average_pool(b, "pool3", x, 3);
    b->bias_lr_mult = 2;
    b->weight_decay_mult = 250;
    b->bias_decay_mult = 0;
    linear(b, "ip1", x, NODE_CLASSES, false);
}

/* Three convolutions with batch norm: for the demo, and for other small images. */
static void build_small_cnn(builder *b, int depth) {
    (void)depth;
    builder_style_he(b);
    int x = conv(b, "conv1", BUILDER_IMAGES, (conv_options){16, 3, 1, 1, false, false});
    x = norm(b, "bn1", x, NONE, true);
    x = max_pool(b, "pool1", x, 2);
    x = conv(b, "conv2", x, (conv_options){32, 3, 1, 1, false, false});
    x = norm(b, "bn2", x, NONE, true);
    x = max_pool(b, "pool2", x, 2);
    x = conv(b, "conv3", x, (conv_options){64, 3, 1, 1, false, false});
    x = norm(b, "bn3", x, NONE, true);
    x = max_pool(b, "pool3", x, 2);
    builder_style_torch(b);
    linear(b, "fc", x, NODE_CLASSES, false);
}

enum { NAME = 48, PREFIX = 32 };

/* PREFIX.convI and PREFIX.bnI: y = act(norm(conv(x)) + residual) */
static int conv_norm(builder *b, const char *prefix, int i, int x, conv_options o, int residual) {
    char name[NAME];
    snprintf(name, sizeof name, "%s.conv%d", prefix, i);
    x = conv(b, name, x, o);
    snprintf(name, sizeof name, "%s.bn%d", prefix, i);
    return norm(b, name, x, residual, true);
}

/* Two convolutions of 3x3, plus the shortcut. */
static int basic_block(builder *b, const char *prefix, int x, int shortcut, int channels,
                       int stride) {
    int y = conv_norm(b, prefix, 1, x, (conv_options){channels, 3, stride, 1, false, false}, NONE);
    return conv_norm(b, prefix, 2, y, (conv_options){channels, 3, 1, 1, false, false}, shortcut);
}

/* He et al. 2015 (arXiv 1512.03385), section 4.2: 6n + 2 layers, shortcuts of option A. */
static void build_resnet(builder *b, int depth) {
    int blocks = (depth - 2) / 6;
    builder_style_he(b);
    int x = conv(b, "conv1", BUILDER_IMAGES, (conv_options){16, 3, 1, 1, false, false});
    x = norm(b, "bn1", x, NONE, true);
    for (int stage = 0; stage < 3; stage++) {
        for (int i = 0; i < blocks; i++) {
            char prefix[PREFIX], name[NAME];
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
    x = global_average(b, "pool", x);
    builder_style_torch(b);
    linear(b, "fc", x, NODE_CLASSES, false);
}

/* 1x1, 3x3 and 1x1. The stride is the 3x3's, as in PyTorch ("v1.5"); the paper has it in front. */
static int bottleneck(builder *b, const char *prefix, int x, int shortcut, int channels,
                      int stride) {
    int inner = channels / 4;
    int y = conv_norm(b, prefix, 1, x, (conv_options){inner, 1, 1, 0, false, false}, NONE);
    y = conv_norm(b, prefix, 2, y, (conv_options){inner, 3, stride, 1, false, false}, NONE);
    return conv_norm(b, prefix, 3, y, (conv_options){channels, 1, 1, 0, false, false}, shortcut);
}

/* Option B: a strided 1x1 convolution with batch norm. */
static int projection(builder *b, const char *prefix, int x, int channels, int stride) {
    char name[NAME];
    snprintf(name, sizeof name, "%s.downsample.0", prefix);
    x = conv(b, name, x, (conv_options){channels, 1, stride, 0, false, false});
    snprintf(name, sizeof name, "%s.downsample.1", prefix);
    return norm(b, name, x, NONE, false);
}

/* The same paper, table 1, with torchvision's names and initial weights: blocks of two
 * convolutions up to 34 layers, bottlenecks of four times the channels beyond. */
static void build_imagenet_resnet(builder *b, const int *blocks, int widening) {
    const int stem = 64;
    builder_style_he(b);
    int x = conv(b, "conv1", BUILDER_IMAGES, (conv_options){stem, 7, 2, 3, false, false});
    x = norm(b, "bn1", x, NONE, true);
    x = builder_node_of(b, "max_pool", "maxpool", x,
                        BUILDER_OPTIONS({"size", 3}, {"stride", 2}, {"pad", 1}));
    int before = stem;
    for (int stage = 0; stage < 4; stage++) {
        int channels = (stem << stage) * widening;
        for (int i = 0; i < blocks[stage]; i++) {
            char prefix[PREFIX];
            int stride = stage > 0 && i == 0 ? 2 : 1, shortcut = x;
            snprintf(prefix, sizeof prefix, "layer%d.%d", stage + 1, i);
            if (before != channels) shortcut = projection(b, prefix, x, channels, stride);
            x = (widening == 1 ? basic_block : bottleneck)(b, prefix, x, shortcut, channels,
                                                           stride);
            before = channels;
        }
    }
    x = global_average(b, "avgpool", x);
    builder_style_torch(b);
    linear(b, "fc", x, NODE_CLASSES, false);
}

static void build_resnet18(builder *b, int depth) {
    (void)depth;
    build_imagenet_resnet(b, (const int[]){2, 2, 2, 2}, 1);
}

static void build_resnet50(builder *b, int depth) {
    (void)depth;
    build_imagenet_resnet(b, (const int[]){3, 4, 6, 3}, 4);
}

const zoo_entry zoo_entries[] = {
    {"small_cnn", "3 convolutions with batch norm, for the demo and other small images",
     build_small_cnn, 0},
    {"mlp", "2 hidden layers of 256 and 128", build_mlp, 0},
    {"lenet", "LeNet as Caffe has it, for 28x28 images", build_lenet, 0},
    {"cifar10_quick", "Caffe's small net for 32x32 images", build_cifar10_quick, 0},
    {"cifar10_full", "Caffe's larger net for 32x32 images, with local response normalisation",
     build_cifar10_full, 0},
    {"resnet20", "residual net of 20 layers for 32x32 images", build_resnet, 20},
    {"resnet32", "residual net of 32 layers for 32x32 images", build_resnet, 32},
    {"resnet44", "residual net of 44 layers for 32x32 images", build_resnet, 44},
    {"resnet56", "residual net of 56 layers for 32x32 images", build_resnet, 56},
    {"resnet110", "residual net of 110 layers for 32x32 images", build_resnet, 110},
    {"resnet18", "residual net of 18 layers for images of 64x64 to 224x224", build_resnet18, 0},
    {"resnet50", "residual net of 50 layers for images of 64x64 to 224x224", build_resnet50, 0},
    {NULL, NULL, NULL, 0},
};

const char *gyre_model_name(int index) {
    int count = (int)(sizeof zoo_entries / sizeof zoo_entries[0]);
    return index >= 0 && index < count ? zoo_entries[index].name : NULL;
}

const char *gyre_model_summary(int index) {
    return gyre_model_name(index) == NULL ? NULL : zoo_entries[index].summary;
}
