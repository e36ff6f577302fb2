/* The U-Net of Ho et al. 2020 (arXiv 2006.11239), as diffusers' UNet2DModel has it, and that of
 * Rombach et al. 2022 (arXiv 2112.10752) for Stable Diffusion, UNet2DConditionModel: nodes have the
 * names of its modules, so that parameters have those of its state_dict. What linear layers make of
 * each pixel are convolutions of 1 x 1 here.
 *
 * On the way down the output of each resnet and of each halving goes on a stack; on the way up each
 * resnet reads one of them, the last one first, beside what comes from below. */
#include "unet_blocks.h"

static const char middle_block[] = "mid_block";
enum { USUAL_TOKENS = 77 }; /* of CLIP's text encoder */
enum { STACK = UNET_LEVELS_MAX * (UNET_LAYERS_MAX + 1) + 1 };

typedef struct {
    unet_blocks blocks;
    const unet_config *u;
    int stack[STACK], depth;
} unet;

static int conv3(unet *n, const char *prefix, const char *what, int x, int channels) {
    return layers_conv(n->blocks.b, unet_name(prefix, what).text, x,
                       (conv_options){channels, 3, 1, 1, true, false, 0});
}

static int resnet_of(unet *n, const char *block, int j, int x, int channels) {
    char prefix[LAYERS_PART];
    snprintf(prefix, sizeof prefix, "%.30s.resnets.%d", block, j);
    return unet_resnet(&n->blocks, prefix, x, channels);
}

static int attention_of(unet *n, const char *block, int j, int x, int level) {
    char prefix[LAYERS_PART];
    snprintf(prefix, sizeof prefix, "%.30s.attentions.%d", block, j);
    if (n->u->condition) return unet_transformer(&n->blocks, prefix, x, level);
    const bool own = n->u->attention_groups > 0 && strcmp(block, middle_block) == 0;
    return unet_attention(&n->blocks, prefix, x, own ? n->u->attention_groups : n->u->groups);
}

static int push(unet *n, int x) {
    n->stack[n->depth++] = x;
    return x;
}

/* ---- the levels */

static int halve(unet *n, const char *block, int x) {
    const int before = n->u->downsample_padding, channels = node_output(n->blocks.b->model, x).c;
    return builder_node_of(n->blocks.b, "conv", unet_name(block, "downsamplers.0.conv").text, x,
                           BUILDER_OPTIONS({"channels", channels}, {"size", 3}, {"stride", 2},
                                           {"pad", before}, {"pad", before}, {"pad", 1},
                                           {"pad", 1}));
}

static int down(unet *n, int level, int x) {
    char block[LAYERS_PART];
    snprintf(block, sizeof block, "down_blocks.%d", level);
    for (int j = 0; j < n->u->layers; j++) {
        x = resnet_of(n, block, j, x, n->u->channels[level]);
        if (n->u->down_attention[level]) x = attention_of(n, block, j, x, level);
        push(n, x);
    }
    return level == n->u->levels - 1 ? x : push(n, halve(n, block, x));
}

static int middle(unet *n, int x) {
    const unet_config *u = n->u;
    const int deepest = u->levels - 1;
    const char *block = middle_block;
    if (u->no_middle) return x;
    x = resnet_of(n, block, 0, x, u->channels[deepest]);
    if (u->middle_attention) x = attention_of(n, block, 0, x, deepest);
    return resnet_of(n, block, 1, x, u->channels[deepest]);
}

static int up(unet *n, int i, int x) {
    const int level = n->u->levels - 1 - i, channels = n->u->channels[level];
    char block[LAYERS_PART];
    snprintf(block, sizeof block, "up_blocks.%d", i);
    for (int j = 0; j <= n->u->layers; j++) {
        char name[LAYERS_PART];
        snprintf(name, sizeof name, "%.30s.concat.%d", block, j);
        const int both[] = {x, n->stack[--n->depth]};
        x = builder_node(n->blocks.b, "concat", name, both, 2, NULL);
        x = resnet_of(n, block, j, x, channels);
        if (n->u->up_attention[i]) x = attention_of(n, block, j, x, level);
    }
    if (i == n->u->levels - 1) return x;
    x = builder_node_of(n->blocks.b, "upsample", unet_name(block, "upsamplers.0.upsample").text, x,
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
    int x = BUILDER_IMAGES;
    if (b->settings->latents) x = builder_node_of(b, NODE_LATENT, "latent", x, NULL);
    return builder_node_of(b, NODE_NOISE, "diffuse", x, given);
}

/* SiLU of what t, and the class, become: the same for all resnets. */
static int embed(const unet *n, int diffused) {
    builder *b = n->blocks.b;
    const unet_config *u = n->u;
    const char *prefix = "time_embedding";
    const int wide = u->time_channels > 0 ? u->time_channels : 4 * u->channels[0];
    int t = builder_node_of(b, "time", "time_proj", diffused,
                            BUILDER_OPTIONS({"channels", u->channels[0]}, {"flip", u->cosine_first},
                                            {"shift", u->freq_shift}));
    t = layers_linear(b, unet_name(prefix, "linear_1").text, t, wide, false);
    t = unet_silu(&n->blocks, prefix, "act", t);
    t = layers_linear(b, unet_name(prefix, "linear_2").text, t, wide, false);
    if (u->classes > 0) {
        int c = builder_node_of(b, "embedding", "class_embedding", diffused,
                                BUILDER_OPTIONS({"rows", u->classes}, {"channels", wide},
                                                {"drop", b->settings->denoise.drop_condition}));
        t = layers_add(b, unet_name(prefix, "add_class").text, t, c);
    }
    return unet_silu(&n->blocks, prefix, "nonlinearity", t);
}

/* What transformers attend to. A network that is opened without a dataset has Stable Diffusion's
 * number of tokens. */
static int context(const unet *n, int diffused) {
    builder *b = n->blocks.b;
    const gyre_contexts *c = b->settings->contexts;
    return builder_node_of(b, NODE_CONTEXT, "context", diffused,
                           BUILDER_OPTIONS({"tokens", c == NULL ? USUAL_TOKENS : c->tokens},
                                           {"channels", n->u->context_channels},
                                           {"drop", b->settings->denoise.drop_condition}));
}

static gyre_status check(const builder *b, const unet_config *u) {
    const gyre_model *m = b->model;
    const int divisor = 1 << (u->levels - 1), channels = b->settings->latents ? m->c / 2 : m->c;
    if (m->h % divisor != 0 || m->w % divisor != 0) {
        return gyre_fail(GYRE_EUSAGE,
                         "with %d levels the sides of images must be multiples of %d, found %d x "
                         "%d; leave out a level, or resize the images",
                         u->levels, divisor, m->h, m->w);
    }
    if ((u->in > 0 && u->in != channels) || (u->out > 0 && u->out != channels)) {
        return gyre_fail(GYRE_EUSAGE,
                         "in_channels %d and out_channels %d: the %s have %d channels, which "
                         "the network reads and gives",
                         u->in, u->out, b->settings->latents ? "latents" : "images", channels);
    }
    if (u->classes == 0 && !u->condition && b->settings->denoise.drop_condition > 0) {
        return gyre_fail(GYRE_EUSAGE, "denoise.drop_condition: the network has no classes to drop; "
                                      "num_class_embeds gives it some");
    }
    return GYRE_OK;
}

static void build(builder *b, const unet_config *u) {
    unet n = {.blocks = {.b = b, .u = u}, .u = u};
    builder_style_torch(b);
    int x = diffuse(b);
    const int channels = node_output(b->model, x).c;
    n.blocks.time = embed(&n, x);
    if (u->condition) n.blocks.context = context(&n, x);
    x = push(&n,
             layers_conv(b, "conv_in", x, (conv_options){u->channels[0], 3, 1, 1, true, false, 0}));
    for (int i = 0; i < u->levels; i++) x = down(&n, i, x);
    x = middle(&n, x);
    for (int i = 0; i < u->levels; i++) x = up(&n, i, x);
    x = unet_norm_silu(&n.blocks, "conv_norm_out", x);
    layers_conv(b, "conv_out", x, (conv_options){channels, 3, 1, 1, true, false, 0});
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
