/* The blocks of a U-Net: resnets, attention of pixels to each other, and transformers that read a
 * context besides. */
#include "unet_blocks.h"

static const double transformer_eps = 1e-6; /* of its group norm, whatever norm_eps is */

unet_node_name unet_name(const char *prefix, const char *what) {
    unet_node_name n;
    snprintf(n.text, sizeof n.text, "%.90s.%.30s", prefix, what);
    return n;
}

static int channels_of(const unet_blocks *n, int x) {
    return node_output(n->b->model, x).c;
}

static int group_norm(const unet_blocks *n, const char *prefix, const char *what, int x, int groups,
                      double eps) {
    return builder_node_of(n->b, "group_norm", unet_name(prefix, what).text, x,
                           BUILDER_OPTIONS({"groups", groups}, {"eps", eps}));
}

int unet_norm_silu(const unet_blocks *n, const char *name, int x) {
    return builder_node_of(
        n->b, "group_norm", name, x,
        BUILDER_OPTIONS({"groups", n->u->groups}, {"eps", n->u->eps}, {"silu", true}));
}

int unet_silu(const unet_blocks *n, const char *prefix, const char *what, int x) {
    return builder_node_of(n->b, "silu", unet_name(prefix, what).text, x, NULL);
}

static int conv(const unet_blocks *n, const char *prefix, const char *what, int x, int channels,
                int size) {
    return layers_conv(n->b, unet_name(prefix, what).text, x,
                       (conv_options){channels, size, 1, size / 2, true, false, 0});
}

static int dense(const unet_blocks *n, const char *prefix, const char *what, int x, int channels) {
    return layers_dense(n->b, unet_name(prefix, what).text, x, channels, true);
}

static int add(const unet_blocks *n, const char *prefix, const char *what, int x, int y) {
    return layers_add(n->b, unet_name(prefix, what).text, x, y);
}

int unet_resnet(const unet_blocks *n, const char *prefix, int x, int channels) {
    const unet_config *u = n->u;
    builder *b = n->b;
    int y = unet_norm_silu(n, unet_name(prefix, "norm1").text, x);
    y = conv(n, prefix, "conv1", y, channels, 3);
    int t = layers_linear(b, unet_name(prefix, "time_emb_proj").text, n->time, channels, false);
    y = add(n, prefix, "add_time", y, t);
    y = unet_norm_silu(n, unet_name(prefix, "norm2").text, y);
    if (u->dropout > 0) {
        y = builder_node_of(b, "dropout", unet_name(prefix, "dropout").text, y,
                            BUILDER_OPTIONS({"p", u->dropout}));
    }
    y = conv(n, prefix, "conv2", y, channels, 3);
    if (channels_of(n, x) != channels) x = conv(n, prefix, "conv_shortcut", x, channels, 1);
    return add(n, prefix, "add", y, x);
}

/* Vaswani et al. 2017 (arXiv 1706.03762); the tokens are the pixels. */
int unet_attention(const unet_blocks *n, const char *prefix, int x, int groups) {
    const int channels = channels_of(n, x);
    const int heads = n->u->head == 0 ? 1 : channels / n->u->head;
    int y = group_norm(n, prefix, "group_norm", x, groups, n->u->eps);
    const int three[] = {dense(n, prefix, "to_q", y, channels),
                         dense(n, prefix, "to_k", y, channels),
                         dense(n, prefix, "to_v", y, channels)};
    y = builder_node(n->b, "attention", unet_name(prefix, "attention").text, three, 3,
                     BUILDER_OPTIONS({"heads", heads}));
    y = dense(n, prefix, "to_out.0", y, channels);
    return add(n, prefix, "add", y, x);
}

/* ---- transformers (Rombach et al. 2022, arXiv 2112.10752, 3.3) */

/* Of x to `to`. Queries, keys and values have no bias. */
static int attend(const unet_blocks *n, const char *prefix, int x, int to, int heads) {
    const int channels = channels_of(n, x);
    const int three[] = {layers_dense(n->b, unet_name(prefix, "to_q").text, x, channels, false),
                         layers_dense(n->b, unet_name(prefix, "to_k").text, to, channels, false),
                         layers_dense(n->b, unet_name(prefix, "to_v").text, to, channels, false)};
    x = builder_node(n->b, "attention", unet_name(prefix, "attention").text, three, 3,
                     BUILDER_OPTIONS({"heads", heads}));
    return dense(n, prefix, "to_out.0", x, channels);
}

static int layer_norm(const unet_blocks *n, const char *prefix, const char *what, int x) {
    return builder_node_of(n->b, "layer_norm", unet_name(prefix, what).text, x, NULL);
}

static int transformer_block(const unet_blocks *n, const char *prefix, int x, int heads) {
    const int channels = channels_of(n, x);
    int y = layer_norm(n, prefix, "norm1", x);
    x = add(n, prefix, "add1", attend(n, unet_name(prefix, "attn1").text, y, y, heads), x);
    y = layer_norm(n, prefix, "norm2", x);
    x = add(n, prefix, "add2", attend(n, unet_name(prefix, "attn2").text, y, n->context, heads), x);
    y = layer_norm(n, prefix, "norm3", x);
    y = dense(n, prefix, "ff.net.0.proj", y, 8 * channels);
    y = builder_node_of(n->b, "geglu", unet_name(prefix, "ff.net.0.geglu").text, y, NULL);
    y = dense(n, prefix, "ff.net.2", y, channels);
    return add(n, prefix, "add3", y, x);
}

static int project(const unet_blocks *n, const char *prefix, const char *what, int x) {
    const int channels = channels_of(n, x);
    return n->u->linear ? dense(n, prefix, what, x, channels)
                        : conv(n, prefix, what, x, channels, 1);
}

int unet_transformer(const unet_blocks *n, const char *prefix, int x, int level) {
    int y = group_norm(n, prefix, "norm", x, n->u->groups, transformer_eps);
    y = project(n, prefix, "proj_in", y);
    for (int i = 0; i < n->u->blocks.of[level]; i++) {
        char block[LAYERS_PART];
        snprintf(block, sizeof block, "%.40s.transformer_blocks.%d", prefix, i);
        y = transformer_block(n, block, y, n->u->heads.of[level]);
    }
    y = project(n, prefix, "proj_out", y);
    return add(n, prefix, "add", y, x);
}
