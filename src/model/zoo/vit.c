/* Vision transformer: Dosovitskiy et al. 2021 (arXiv 2010.11929), as timm's VisionTransformer with
 * global_pool "avg" and without a class token: a block adds attention of layer norm, then two
 * linear layers with GELU between them of layer norm. The mean over tokens is normalised before the
 * head. Linear layers are 1x1 convolutions here. timm has queries, keys and values in one layer,
 * attn.qkv. Weights begin with N(0, 0.02), biases with 0. */
#include "layers.h"

enum { PATCH = 4, WIDTH = 192, DEPTH = 6, HEADS = 3, MLP_RATIO = 4 };

static int layer_norm(builder *b, const char *name, int x) {
    return builder_node_of(b, "layer_norm", name, x, BUILDER_OPTIONS({"eps", 1e-6}));
}

/* A linear layer of each token, PREFIX.PART. */
static int linear(builder *b, const char *prefix, const char *part, int x, int channels) {
    char name[LAYERS_NAME];
    snprintf(name, sizeof name, "%s.%s", prefix, part);
    return layers_dense(b, name, x, channels, true);
}

static int attention(builder *b, const char *prefix, int x) {
    char name[LAYERS_NAME];
    snprintf(name, sizeof name, "%s.norm1", prefix);
    int y = layer_norm(b, name, x);
    const int inputs[] = {linear(b, prefix, "attn.q", y, WIDTH),
                          linear(b, prefix, "attn.k", y, WIDTH),
                          linear(b, prefix, "attn.v", y, WIDTH)};
    snprintf(name, sizeof name, "%s.attn", prefix);
    y = builder_node(b, "attention", name, inputs, 3, BUILDER_OPTIONS({"heads", HEADS}));
    y = linear(b, prefix, "attn.proj", y, WIDTH);
    snprintf(name, sizeof name, "%s.add1", prefix);
    return layers_add(b, name, y, x);
}

static int mlp(builder *b, const char *prefix, int x) {
    char name[LAYERS_NAME];
    snprintf(name, sizeof name, "%s.norm2", prefix);
    int y = layer_norm(b, name, x);
    y = linear(b, prefix, "mlp.fc1", y, MLP_RATIO * WIDTH);
    snprintf(name, sizeof name, "%s.mlp.act", prefix);
    y = builder_node_of(b, "gelu", name, y, NULL);
    y = linear(b, prefix, "mlp.fc2", y, WIDTH);
    snprintf(name, sizeof name, "%s.add2", prefix);
    return layers_add(b, name, y, x);
}

void zoo_vit(builder *b, int variant) {
    (void)variant;
    builder_style_caffe(b, 0.02);
    b->bias_lr_mult = 1;
    int x = layers_conv(b, "patch_embed.proj", BUILDER_IMAGES,
                        (conv_options){WIDTH, PATCH, PATCH, 0, true, false, 0});
    x = builder_node_of(b, "positions", "pos_embed", x, NULL);
    for (int i = 0; i < DEPTH; i++) {
        char prefix[LAYERS_PREFIX];
        snprintf(prefix, sizeof prefix, "blocks.%d", i);
        x = mlp(b, prefix, attention(b, prefix, x));
    }
    x = layers_global_average(b, "pool", x);
    x = layer_norm(b, "fc_norm", x);
    layers_linear(b, "head", x, NODE_CLASSES, false);
}
