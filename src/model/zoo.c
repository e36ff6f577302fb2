/* The table of models; each family is a file of zoo/. */
#include "zoo.h"

const zoo_entry zoo_entries[] = {
    {"small_cnn", "3 convolutions with batch norm, for the demo and other small images",
     zoo_small_cnn, 0},
    {"mlp", "2 hidden layers of 256 and 128", zoo_mlp, 0},
    {"lenet", "LeNet as Caffe has it, for 28x28 images", zoo_lenet, 0},
    {"cifar10_quick", "Caffe's small net for 32x32 images", zoo_cifar10_quick, 0},
    {"cifar10_full", "Caffe's larger net for 32x32 images, with local response normalisation",
     zoo_cifar10_full, 0},
    {"resnet20", "residual net of 20 layers for 32x32 images", zoo_resnet, 20},
    {"resnet32", "residual net of 32 layers for 32x32 images", zoo_resnet, 32},
    {"resnet44", "residual net of 44 layers for 32x32 images", zoo_resnet, 44},
    {"resnet56", "residual net of 56 layers for 32x32 images", zoo_resnet, 56},
    {"resnet110", "residual net of 110 layers for 32x32 images", zoo_resnet, 110},
    {"resnet18", "residual net of 18 layers for images of 64x64 to 224x224", zoo_imagenet_resnet,
     18},
    {"resnet34", "residual net of 34 layers for images of 64x64 to 224x224", zoo_imagenet_resnet,
     34},
    {"resnet50", "residual net of 50 layers for images of 64x64 to 224x224", zoo_imagenet_resnet,
     50},
    {"resnet101", "residual net of 101 layers for images of 64x64 to 224x224", zoo_imagenet_resnet,
     101},
    {"wide_resnet28_10", "residual net of 28 layers, ten times as wide, for 32x32 images",
     zoo_wide_resnet28, 10},
    {"vgg16_bn", "13 convolutions and 3 linear layers for images of 32x32 to 224x224", zoo_vgg16_bn,
     0},
    {"vit", "vision transformer, 6 blocks of width 192 on patches of 4x4, for 32x32 images",
     zoo_vit, 0},
    {"densenet40", "densely connected net of 40 layers for 32x32 images", zoo_densenet40, 0},
    {"densenet121", "densely connected net of 121 layers for images of 64x64 to 224x224",
     zoo_densenet121, 0},
    {"mobilenet_v2", "small net of depthwise convolutions for images of 64x64 to 224x224",
     zoo_mobilenet_v2, 0},
    {"efficientnet_b0",
     "small net of depthwise convolutions and squeeze-and-excite for images of 64x64 to 224x224",
     zoo_efficientnet_b0, 0},
    {"convnext_tiny",
     "net of 7x7 depthwise convolutions and layer norm for images of 64x64 to 224x224",
     zoo_convnext_tiny, 0},
    {"unet",
     "net of diffusers' class UNet2DModel that makes pictures, for images of 28x28 to 64x64",
     zoo_unet, 0},
    {NULL, NULL, NULL, 0},
};

const zoo_entry zoo_by_config = {"unet", NULL, zoo_unet, 0};

const char *gyre_model_name(int index) {
    int count = (int)(sizeof zoo_entries / sizeof zoo_entries[0]);
    return index >= 0 && index < count ? zoo_entries[index].name : NULL;
}

const char *gyre_model_summary(int index) {
    return gyre_model_name(index) == NULL ? NULL : zoo_entries[index].summary;
}
