/* The table of models. */
#ifndef GYRE_MODEL_ZOO_H
#define GYRE_MODEL_ZOO_H

#include "builder.h"
#include "unet.h"

/* Appends a network's nodes; `variant` tells the members of a family apart: their depth or
 * width; 0 where there is one. */
typedef void zoo_build(builder *b, int variant);
zoo_build zoo_vit;
zoo_build zoo_small_cnn, zoo_mlp, zoo_lenet, zoo_cifar10_quick, zoo_cifar10_full, zoo_resnet,
    zoo_imagenet_resnet, zoo_wide_resnet28, zoo_vgg16_bn, zoo_mobilenet_v2, zoo_densenet121,
    zoo_densenet40, zoo_efficientnet_b0, zoo_convnext_tiny, zoo_unet;

typedef struct {
    const char *name, *summary;
    zoo_build *build;
    int variant;
} zoo_entry;

extern const zoo_entry zoo_entries[]; /* ends with a NULL name */
extern const zoo_entry zoo_by_config; /* of settings->unet */

/* As gyre_model_open, of this network: it need not be in the table. settings->name is not read.
 * NULL: of settings->layers. */
gyre_status zoo_model_open(const zoo_entry *entry, const gyre_model_settings *settings, int h,
                           int w, int c, int classes, gyre_model **out);

#endif
