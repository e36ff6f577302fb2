/* diffusers' config.json of a network that has the nodes of one of its U-Nets: what the config was
 * is told by the nodes' names, sizes and options, so that a checkpoint's list of nodes is enough.
 */
#include "unet.h"

#include "gyre/json.h"
#include "network.h"
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- from nodes to fields */

/* NULL: there is no node of the name. */
__attribute__((format(printf, 2, 3))) static const gyre_node *find(const gyre_model *m,
                                                                   const char *name, ...) {
    char text[GYRE_NODE_NAME_SIZE];
    va_list list;
    va_start(list, name);
    vsnprintf(text, sizeof text, name, list);
    va_end(list);
    for (int i = 0; i < m->node_count; i++) {
        if (strcmp(m->nodes[i].name, text) == 0) return &m->nodes[i];
    }
    return NULL;
}

/* Of a node that may not be there. */
static double option(const gyre_node *n, const char *name, double otherwise) {
    const double value = n == NULL ? (double)NAN : node_option_value(n, name);
    return isnan(value) ? otherwise : value;
}

static void read_levels(const gyre_model *m, unet_config *u) {
    const gyre_node *n;
    while (u->levels < UNET_LEVELS_MAX &&
           (n = find(m, "down_blocks.%d.resnets.0.conv1", u->levels)) != NULL) {
        u->channels[u->levels++] = n->c;
    }
    const char *what = u->condition ? "proj_in" : "attention";
    for (int i = 0; i < u->levels; i++) {
        u->down_attention[i] = find(m, "down_blocks.%d.attentions.0.%s", i, what) != NULL;
        u->up_attention[i] = find(m, "up_blocks.%d.attentions.0.%s", i, what) != NULL;
    }
    while (u->layers < UNET_LAYERS_MAX && find(m, "down_blocks.0.resnets.%d.conv1", u->layers)) {
        u->layers++;
    }
}

/* Every attention has heads of the same size; where each has one head, that may be all channels.
 */
static void read_heads(const gyre_model *m, unet_config *u) {
    bool one = true;
    u->head = unet_plain.defaults.head;
    for (int i = 0; i < m->node_count; i++) {
        const gyre_node *n = &m->nodes[i];
        if (strcmp(n->type->name, "attention") != 0) continue;
        const int heads = (int)node_option_value(n, "heads");
        one = one && heads == 1;
        u->head = one ? 0 : n->c / heads;
    }
}

/* Of the transformer that is there, of those of the level. */
static void read_transformer(const gyre_model *m, const char *prefix, int level, unet_config *u) {
    const gyre_node *n = find(m, "%s.transformer_blocks.0.attn1.attention", prefix);
    int blocks = 0;
    if (n == NULL) return;
    while (find(m, "%s.transformer_blocks.%d.norm1", prefix, blocks) != NULL) blocks++;
    u->heads.of[level] = (int)node_option_value(n, "heads");
    u->blocks.of[level] = blocks;
    u->linear = option(find(m, "%s.proj_in", prefix), "dense", 0) != 0;
}

/* Levels without one are said to be as the next deeper one is, so that equal levels are one number.
 */
static void read_transformers(const gyre_model *m, unet_config *u) {
    char prefix[64];
    const unet_numbers none = {0};
    u->heads = u->blocks = none;
    read_transformer(m, "mid_block.attentions.0", u->levels - 1, u);
    for (int i = u->levels - 1; i >= 0; i--) {
        snprintf(prefix, sizeof prefix, "down_blocks.%d.attentions.0", i);
        read_transformer(m, prefix, i, u);
        snprintf(prefix, sizeof prefix, "up_blocks.%d.attentions.0", u->levels - 1 - i);
        read_transformer(m, prefix, i, u);
        if (u->heads.of[i] > 0) continue;
        u->heads.of[i] = i + 1 < u->levels ? u->heads.of[i + 1] : 1;
        u->blocks.of[i] = i + 1 < u->levels ? u->blocks.of[i + 1] : 1;
    }
}

static void read_middle(const gyre_model *m, unet_config *u) {
    const gyre_node *n =
        find(m, u->condition ? "mid_block.attentions.0.norm" : "mid_block.attentions.0.group_norm");
    u->no_middle = find(m, "mid_block.resnets.0.conv1") == NULL;
    u->middle_attention = u->no_middle || n != NULL;
    u->attention_groups = (int)option(n, "groups", 0);
    if (u->attention_groups == u->groups) u->attention_groups = 0;
}

/* As well as the nodes tell: what comes out is built and compared. */
static unet_config describe(const gyre_model *m) {
    const gyre_node *time = find(m, "time_proj"), *wide = find(m, "time_embedding.linear_1"),
                    *norm = find(m, "conv_norm_out");
    const gyre_node *context = find(m, NODE_CONTEXT);
    const int c = (int)gyre_model_outputs(m) / (m->h * m->w);
    unet_config u = {.condition = context != NULL, .in = c, .out = c};
    read_levels(m, &u);
    u.groups = (int)option(norm, "groups", 1);
    u.eps = network_short_number((float)option(norm, "eps", 1e-5));
    u.dropout =
        network_short_number((float)option(find(m, "down_blocks.0.resnets.0.dropout"), "p", 0));
    u.downsample_padding = (int)option(find(m, "down_blocks.0.downsamplers.0.conv"), "pad", 1);
    u.freq_shift = (int)option(time, "shift", 0);
    u.cosine_first = option(time, "flip", 0) != 0;
    u.time_channels = wide == NULL || wide->c == 4 * u.channels[0] ? 0 : wide->c;
    u.classes = (int)option(find(m, "class_embedding"), "rows", 0);
    u.context_channels = (int)option(context, "channels", 0);
    if (u.condition)
        read_transformers(m, &u);
    else
        read_heads(m, &u);
    read_middle(m, &u);
    return u;
}

/* ---- as text */

static void add_count(gyre_json *j, const char *key, int value) {
    if (value == 0)
        gyre_json_add_null(j, key);
    else
        gyre_json_add_integer(j, key, value);
}

static void add_blocks(gyre_json *j, const char *key, const unet_config *u, const bool *attention,
                       const char *const names[2]) {
    gyre_json_enter_list(j, key);
    for (int i = 0; i < u->levels; i++) gyre_json_add_text(j, NULL, names[attention[i]]);
    gyre_json_leave(j);
}

static void add_list(gyre_json *j, const char *key, const int *values, int count) {
    gyre_json_enter_list(j, key);
    for (int i = 0; i < count; i++) gyre_json_add_integer(j, NULL, values[i]);
    gyre_json_leave(j);
}

static void add_numbers(gyre_json *j, const char *key, const unet_config *u,
                        const unet_numbers *n) {
    bool same = true;
    for (int i = 1; i < u->levels; i++) same = same && n->of[i] == n->of[0];
    if (same)
        gyre_json_add_integer(j, key, n->of[0]);
    else
        add_list(j, key, n->of, u->levels);
}

static void add_size(gyre_json *j, const gyre_model *m) {
    if (m->h == m->w) {
        gyre_json_add_integer(j, "sample_size", m->h);
        return;
    }
    add_list(j, "sample_size", (const int[]){m->h, m->w}, 2);
}

static void add_plain(gyre_json *j, const unet_config *u) {
    gyre_json_add_text(j, "mid_block_type", u->no_middle ? NULL : "UNetMidBlock2D");
    gyre_json_add_flag(j, "add_attention", u->middle_attention);
    add_count(j, "attention_head_dim", u->head);
    add_count(j, "attn_norm_num_groups", u->attention_groups);
    add_count(j, "num_class_embeds", u->classes);
}

static void add_conditional(gyre_json *j, const unet_config *u) {
    gyre_json_add_text(j, "mid_block_type", u->no_middle ? NULL : "UNetMidBlock2DCrossAttn");
    gyre_json_add_integer(j, "cross_attention_dim", u->context_channels);
    add_numbers(j, "attention_head_dim", u, &u->heads);
    add_numbers(j, "transformer_layers_per_block", u, &u->blocks);
    gyre_json_add_flag(j, "use_linear_projection", u->linear);
}

static gyre_json_value *config_json(const gyre_model *m, const unet_config *u) {
    const unet_class *class = u->condition ? &unet_conditional : &unet_plain;
    gyre_json *j = gyre_json_begin();
    gyre_json_add_text(j, "_class_name", class->name);
    add_size(j, m);
    gyre_json_add_integer(j, "in_channels", u->in);
    gyre_json_add_integer(j, "out_channels", u->out);
    add_list(j, "block_out_channels", u->channels, u->levels);
    gyre_json_add_integer(j, "layers_per_block", u->layers);
    add_blocks(j, "down_block_types", u, u->down_attention, class->down);
    add_blocks(j, "up_block_types", u, u->up_attention, class->up);
    if (u->condition)
        add_conditional(j, u);
    else
        add_plain(j, u);
    gyre_json_add_integer(j, "norm_num_groups", u->groups);
    gyre_json_add_number(j, "norm_eps", u->eps);
    gyre_json_add_number(j, "dropout", u->dropout);
    gyre_json_add_integer(j, "downsample_padding", u->downsample_padding);
    gyre_json_add_integer(j, "freq_shift", u->freq_shift);
    gyre_json_add_flag(j, "flip_sin_to_cos", u->cosine_first);
    add_count(j, "time_embedding_dim", u->time_channels);
    gyre_json_add_text(j, "act_fn", "silu");
    return gyre_json_end_value(j);
}

/* ---- held against the network */

/* The same nodes but for what the config does not tell: the noise, and how often a class is
 * dropped. */
static bool is_same(const gyre_model *a, const gyre_model *b) {
    bool same = a->node_count == b->node_count;
    for (int i = 0; same && i < a->node_count; i++) {
        const gyre_node *n = &a->nodes[i], *o = &b->nodes[i];
        const size_t size = n->type->options_size;
        same = n->type == o->type && strcmp(n->name, o->name) == 0 &&
               memcmp(n->inputs, o->inputs, sizeof n->inputs) == 0 && n->c == o->c;
        if (!same || size == 0 || strcmp(n->type->name, NODE_NOISE) == 0) continue;
        same = memcmp(n->options, o->options, size) == 0 ||
               strcmp(n->name, "class_embedding") == 0 || strcmp(n->type->name, NODE_CONTEXT) == 0;
    }
    return same;
}

static gyre_status compare(const gyre_model *m, char *text, bool *same) {
    const gyre_model_settings settings = {.unet = text,
                                          .latents = find(m, NODE_LATENT) != NULL,
                                          .target = m->target,
                                          .any_target = true,
                                          .loss = (char *)(uintptr_t)m->loss};
    gyre_model *again = NULL;
    *same = false;
    gyre_status status = gyre_model_open(&settings, m->h, m->w, m->c, m->classes, &again);
    if (status == GYRE_OK) *same = is_same(m, again);
    gyre_model_close(again);
    return status == GYRE_EUSAGE ? GYRE_OK : status; /* no such network */
}

gyre_status gyre_model_unet(const gyre_model *m, char **out) {
    bool same = false;
    *out = NULL;
    if (find(m, "mid_block.resnets.0.conv1") == NULL && find(m, "conv_norm_out") == NULL) {
        return GYRE_OK;
    }
    const unet_config u = describe(m);
    gyre_json_value *v = config_json(m, &u);
    char *text = v == NULL ? NULL : gyre_json_print(v, false);
    gyre_json_close(v);
    gyre_status status =
        text == NULL ? gyre_no_memory("the config of a network") : compare(m, text, &same);
    if (same)
        *out = text;
    else
        free(text);
    return status;
}
