/* What the levels of a U-Net are made of. Internal to src/model/zoo. */
#ifndef GYRE_MODEL_ZOO_UNET_BLOCKS_H
#define GYRE_MODEL_ZOO_UNET_BLOCKS_H

#include "layers.h"

typedef struct {
    builder *b;
    const unet_config *u;
    int time;    /* the node that every resnet's time_emb_proj reads */
    int context; /* what every transformer attends to */
} unet_blocks;

/* PREFIX.WHAT */
typedef struct {
    char text[GYRE_NODE_NAME_SIZE];
} unet_node_name;
unet_node_name unet_name(const char *prefix, const char *what);

int unet_silu(const unet_blocks *n, const char *prefix, const char *what, int x);
/* Group norm with the numbers of the config, then SiLU, in one node. */
int unet_norm_silu(const unet_blocks *n, const char *name, int x);
int unet_resnet(const unet_blocks *n, const char *prefix, int x, int channels);
/* Attention of pixels to each other. */
int unet_attention(const unet_blocks *n, const char *prefix, int x, int groups);
/* Attention of pixels to each other and to the context, with the level's heads and blocks. */
int unet_transformer(const unet_blocks *n, const char *prefix, int x, int level);

#endif
