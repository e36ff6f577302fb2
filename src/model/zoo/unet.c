/* The U-Net of Ho et al. 2020 (arXiv 2006.11239), as diffusers' UNet2DModel has it: nodes have the
 * names of its modules, so that parameters have those of its state_dict. What linear layers make of
 * each pixel are convolutions of 1 x 1 here.
 *
 * On the way down the output of each resnet and of each halving goes on a stack; on the way up each
 * resnet reads one of them, the last one first, beside what comes from below. */
#include "layers.h"

enum { STACK = UNET_LEVELS_MAX * (UNET_LAYERS_MAX + 1) + 1 };

typedef struct {
    builder *b;
    const unet_config *u;
    int time; /* the node that every resnet's time_emb_proj reads */
    int stack[STACK], depth;
} unet;

/* PREFIX.WHAT */
typedef struct {
    char text[LAYERS_NAME];
} node_name;

static node_name named(const char *prefix, const char *what) {
    node_name n;
    snprintf(n.text, sizeof n.text, "%s.%s", prefix, what);
    return n;
}

static int channels_of(const unet *n, int x) {
    return node_output(n->b->model, x).c;
}

static int group_norm(unet *n, const char *prefix, const char *what, int x, int groups) {
    return builder_node_of(n->b, "group_norm", named(prefix, what).text, x,
                           BUILDER_OPTIONS({"groups", groups}, {"eps", n->u->eps}));
}

static int silu(unet *n, const char *prefix, const char *what, int x) {
    return builder_node_of(n->b, "silu", named(prefix, what).text, x, NULL);
}

static int conv(unet *n, const char *prefix, const char *what, int x, conv_options o) {
    return layers_conv(n->b, named(prefix, what).text, x, o);
}

static int conv3(unet *n, const char *prefix, const char *what, int x, int channels) {
    return conv(n, prefix, what, x, (conv_options){channels, 3, 1, 1, true, false, 0});
}

static int dense(unet *n, const char *prefix, const char *what, int x, int channels) {
    return layers_dense(n->b, named(prefix, what).text, x, channels);
}

static int add(unet *n, const char *prefix, const char *what, int x, int y) {
    return layers_add(n->b, named(prefix, what).text, x, y);
}

static int resnet(unet *n, const char *prefix, int x, int channels) {
    builder *b = n->b;
    int y = group_norm(n, prefix, "norm1", x, n->u->groups);
    y = silu(n, prefix, "nonlinearity1", y);
    y = conv3(n, prefix, "conv1", y, channels);
    int t = layers_linear(b, named(prefix, "time_emb_proj").text, n->time, channels, false);
    y = add(n, prefix, "add_time", y, t);
    y = group_norm(n, prefix, "norm2", y, n->u->groups);
    y = silu(n, prefix, "nonlinearity2", y);
    if (n->u->dropout > 0) {
        y = builder_node_of(b, "dropout", named(prefix, "dropout").text, y,
                            BUILDER_OPTIONS({"p", n->u->dropout}));
    }
    y = conv3(n, prefix, "conv2", y, channels);
    if (channels_of(n, x) != channels) {
        x = conv(n, prefix, "conv_shortcut", x, (conv_options){channels, 1, 1, 0, true, false, 0});
    }
    return add(n, prefix, "add", y, x);
}

/* Vaswani et al. 2017 (arXiv 1706.03762); the tokens are the pixels. */
static int attention(unet *n, const char *prefix, int x, int groups) {
    const int channels = channels_of(n, x);
    const int heads = n->u->head == 0 ? 1 : channels / n->u->head;
    int y = group_norm(n, prefix, "group_norm", x, groups);
    const int three[] = {dense(n, prefix, "to_q", y, channels),
                         dense(n, prefix, "to_k", y, channels),
                         dense(n, prefix, "to_v", y, channels)};
    y = builder_node(n->b, "attention", named(prefix, "attention").text, three, 3,
                     BUILDER_OPTIONS({"heads", heads}));
    y = dense(n, prefix, "to_out.0", y, channels);
    return add(n, prefix, "add", y, x);
}

static int resnet_of(unet *n, const char *block, int j, int x, int channels) {
    char prefix[LAYERS_PREFIX];
    snprintf(prefix, sizeof prefix, "%.30s.resnets.%d", block, j);
    return resnet(n, prefix, x, channels);
}

static int attention_of(unet *n, const char *block, int j, int x, int groups) {
    char prefix[LAYERS_PREFIX];
    snprintf(prefix, sizeof prefix, "%.30s.attentions.%d", block, j);
    return attention(n, prefix, x, groups);
}

static int push(unet *n, int x) {
    n->stack[n->depth++] = x;
    return x;
}

/* ---- the levels */

static int halve(unet *n, const char *block, int x) {
    const int before = n->u->downsample_padding, channels = channels_of(n, x);
    return builder_node_of(n->b, "conv", named(block, "downsamplers.0.conv").text, x,
                           BUILDER_OPTIONS({"channels", channels}, {"size", 3}, {"stride", 2},
                                           {"pad", before}, {"pad", before}, {"pad", 1},
                                           {"pad", 1}));
}

static int down(unet *n, int level, int x) {
    char block[LAYERS_PREFIX];
    snprintf(block, sizeof block, "down_blocks.%d", level);
    for (int j = 0; j < n->u->layers; j++) {
        x = resnet_of(n, block, j, x, n->u->channels[level]);
        if (n->u->down_attention[level]) x = attention_of(n, block, j, x, n->u->groups);
        push(n, x);
    }
    return level == n->u->levels - 1 ? x : push(n, halve(n, block, x));
}

static int middle(unet *n, int x) {
    const unet_config *u = n->u;
    const char *block = "mid_block";
    if (u->no_middle) return x;
    x = resnet_of(n, block, 0, x, u->channels[u->levels - 1]);
    if (u->middle_attention) {
        x = attention_of(n, block, 0, x, u->attention_groups > 0 ? u->attention_groups : u->groups);
    }
    return resnet_of(n, block, 1, x, u->channels[u->levels - 1]);
}

static int up(unet *n, int i, int x) {
    const int channels = n->u->channels[n->u->levels - 1 - i];
    char block[LAYERS_PREFIX];
    snprintf(block, sizeof block, "up_blocks.%d", i);
    for (int j = 0; j <= n->u->layers; j++) {
        char name[LAYERS_PREFIX];
        snprintf(name, sizeof name, "%.30s.concat.%d", block, j);
        const int both[] = {x, n->stack[--n->depth]};
        x = builder_node(n->b, "concat", name, both, 2, NULL);
        x = resnet_of(n, block, j, x, channels);
        if (n->u->up_attention[i]) x = attention_of(n, block, j, x, n->u->groups);
    }
    if (i == n->u->levels - 1) return x;
    x = builder_node_of(n->b, "upsample", named(block, "upsamplers.0.upsample").text, x,
                        BUILDER_OPTIONS({"factor", 2}));
    return conv3(n, block, "upsamplers.0.conv", x, channels);
}

/* ---- noise and time */

/* Options of the node `diffuse` that are not given have the node's defaults. */
static int diffuse(builder *b) {
    const gyre_denoise_settings *d = &b->settings->denoise;
    const node_value all[] = {{"noise", d->noise},
                              {"predict", d->predict},
                              {"draw", d->draw},
                              {"steps", d->steps},
                              {"beta_start", d->beta_start},
                              {"beta_end", d->beta_end},
                              {"zero_snr", d->zero_snr},
                              {"from", d->from},
                              {"to", d->to},
                              {"offset", d->offset},
                              {"min_snr", d->min_snr}};
    enum { ALL = sizeof all / sizeof *all };
    node_value given[ALL + 1] = {0};
    int count = 0;
    for (int i = 0; i < ALL; i++) {
        if (all[i].value != 0) given[count++] = all[i];
    }
    return builder_node_of(b, NODE_NOISE, "diffuse", BUILDER_IMAGES, given);
}

/* SiLU of what t, and the class, become: the same for all resnets. */
static int embed(unet *n, int diffused) {
    const unet_config *u = n->u;
    const char *prefix = "time_embedding";
    const int wide = u->time_channels > 0 ? u->time_channels : 4 * u->channels[0];
    int t = builder_node_of(n->b, "time", "time_proj", diffused,
                            BUILDER_OPTIONS({"channels", u->channels[0]}, {"flip", u->cosine_first},
                                            {"shift", u->freq_shift}));
    t = layers_linear(n->b, named(prefix, "linear_1").text, t, wide, false);
    t = silu(n, prefix, "act", t);
    t = layers_linear(n->b, named(prefix, "linear_2").text, t, wide, false);
    if (u->classes > 0) {
        int c = builder_node_of(n->b, "embedding", "class_embedding", diffused,
                                BUILDER_OPTIONS({"rows", u->classes}, {"channels", wide},
                                                {"drop", n->b->settings->denoise.drop_condition}));
        t = add(n, prefix, "add_class", t, c);
    }
    return silu(n, prefix, "nonlinearity", t);
}

static gyre_status check(const builder *b, const unet_config *u) {
    const gyre_model *m = b->model;
    const int divisor = 1 << (u->levels - 1);
    if (m->h % divisor != 0 || m->w % divisor != 0) {
        return gyre_fail(GYRE_EUSAGE,
                         "with %d levels the sides of images must be multiples of %d, found %d x "
                         "%d; leave out a level, or resize the images",
                         u->levels, divisor, m->h, m->w);
    }
    if ((u->in > 0 && u->in != m->c) || (u->out > 0 && u->out != m->c)) {
        return gyre_fail(GYRE_EUSAGE,
                         "in_channels %d and out_channels %d: the images have %d channels, which "
                         "the network reads and gives",
                         u->in, u->out, m->c);
    }
    if (u->classes == 0 && b->settings->denoise.drop_condition > 0) {
        return gyre_fail(GYRE_EUSAGE, "denoise.drop_condition: the network has no classes to drop; "
                                      "num_class_embeds gives it some");
    }
    return GYRE_OK;
}

static void build(builder *b, const unet_config *u) {
    unet n = {.b = b, .u = u};
    builder_style_torch(b);
    int x = diffuse(b);
    n.time = embed(&n, x);
    x = push(&n,
             layers_conv(b, "conv_in", x, (conv_options){u->channels[0], 3, 1, 1, true, false, 0}));
    for (int i = 0; i < u->levels; i++) x = down(&n, i, x);
    x = middle(&n, x);
    for (int i = 0; i < u->levels; i++) x = up(&n, i, x);
    x = builder_node_of(b, "group_norm", "conv_norm_out", x,
                        BUILDER_OPTIONS({"groups", u->groups}, {"eps", u->eps}));
    x = builder_node_of(b, "silu", "conv_act", x, NULL);
    layers_conv(b, "conv_out", x, (conv_options){b->model->c, 3, 1, 1, true, false, 0});
}

/* Small enough for a few cores; attention at a quarter of the images' sides. */
static const unet_config small = {.levels = 3,
                                  .channels = {32, 64, 64},
                                  .down_attention = {false, false, true},
                                  .up_attention = {true, false, false},
                                  .layers = 2,
                                  .middle_attention = true,
                                  .head = 8,
                                  .groups = 8,
                                  .eps = 1e-5,
                                  .downsample_padding = 1,
                                  .cosine_first = true};

void zoo_unet(builder *b, int variant) {
    unet_config u = small;
    (void)variant;
    if (b->settings->unet != NULL) b->status = unet_read(b->settings->unet, &u);
    if (b->status == GYRE_OK) b->status = check(b, &u);
    if (b->status == GYRE_OK) build(b, &u);
}
