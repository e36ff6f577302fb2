/* The fields of diffusers' two classes of U-Nets, and their defaults.
 *
 * A field that gyre has no node for may have the one value that needs none. */
#include "unet.h"

#include <stddef.h>

#define AT(member) offsetof(unet_config, member)
/* Of both classes. */
#define COMMON_FIELDS                                                                              \
    {"in_channels", UNET_COUNT, AT(in), 1, 1 << 16, NULL},                                         \
        {"out_channels", UNET_COUNT, AT(out), 1, 1 << 16, NULL},                                   \
        {"layers_per_block", UNET_COUNT, AT(layers), 1, UNET_LAYERS_MAX, NULL},                    \
        {"norm_num_groups", UNET_COUNT, AT(groups), 1, 1 << 16, NULL},                             \
        {"norm_eps", UNET_REAL, AT(eps), 1e-12, 1, NULL},                                          \
        {"dropout", UNET_REAL, AT(dropout), 0, 0.999, NULL},                                       \
        {"downsample_padding", UNET_COUNT, AT(downsample_padding), 0, 1, NULL},                    \
        {"freq_shift", UNET_COUNT, AT(freq_shift), 0, 1, NULL},                                    \
        {"flip_sin_to_cos", UNET_FLAG, AT(cosine_first), 0, 0, NULL},                              \
        {"time_embedding_dim", UNET_SOME, AT(time_channels), 1, 1 << 20, NULL},                    \
        {"act_fn", UNET_ONLY, 0, 0, 0, "\"silu\"|\"swish\""},                                      \
        {"center_input_sample", UNET_ONLY, 0, 0, 0, "false"},                                      \
        {"time_embedding_type", UNET_ONLY, 0, 0, 0, "\"positional\""},                             \
        {"mid_block_scale_factor", UNET_ONLY, 0, 0, 0, "1"},                                       \
        {"resnet_time_scale_shift", UNET_ONLY, 0, 0, 0, "\"default\""},                            \
        {"class_embed_type", UNET_ONLY, 0, 0, 0, "null"}, {                                        \
        "sample_size", UNET_NOTHING, 0, 0, 0, NULL /* the images have one */                       \
    }

static const unet_field plain_fields[] = {
    COMMON_FIELDS,
    {"_class_name", UNET_ONLY, 0, 0, 0, "\"UNet2DModel\""},
    {"attention_head_dim", UNET_SOME, AT(head), 1, 1 << 16, NULL},
    {"attn_norm_num_groups", UNET_SOME, AT(attention_groups), 1, 1 << 16, NULL},
    {"num_class_embeds", UNET_SOME, AT(classes), 1, 1 << 24, NULL},
    {"add_attention", UNET_FLAG, AT(middle_attention), 0, 0, NULL},
    {"mid_block_type", UNET_ONE_OF, AT(no_middle), 0, 0, "\"UNetMidBlock2D\"|null"},
    {"downsample_type", UNET_ONLY, 0, 0, 0, "\"conv\""},
    {"upsample_type", UNET_ONLY, 0, 0, 0, "\"conv\""},
    {"num_train_timesteps", UNET_NOTHING, 0, 0, 0, NULL}, /* of time_embedding_type "learned" */
    {0},
};

/* attention_head_dim has the number of heads there, not their size. */
static const unet_field conditional_fields[] = {
    COMMON_FIELDS,
    {"_class_name", UNET_ONLY, 0, 0, 0, "\"UNet2DConditionModel\""},
    {"cross_attention_dim", UNET_COUNT, AT(context_channels), 1, 1 << 16, NULL},
    {"attention_head_dim", UNET_NUMBERS, AT(heads), 1, 1 << 16, NULL},
    {"transformer_layers_per_block", UNET_NUMBERS, AT(blocks), 1, UNET_LAYERS_MAX, NULL},
    {"use_linear_projection", UNET_FLAG, AT(linear), 0, 0, NULL},
    {"mid_block_type", UNET_ONE_OF, AT(no_middle), 0, 0, "\"UNetMidBlock2DCrossAttn\"|null"},
    {"only_cross_attention", UNET_ONLY, 0, 0, 0, "false"},
    {"mid_block_only_cross_attention", UNET_ONLY, 0, 0, 0, "null|false"},
    {"dual_cross_attention", UNET_ONLY, 0, 0, 0, "false"},
    {"reverse_transformer_layers_per_block", UNET_ONLY, 0, 0, 0, "null"},
    {"num_attention_heads", UNET_ONLY, 0, 0, 0, "null"},
    {"encoder_hid_dim", UNET_ONLY, 0, 0, 0, "null"},
    {"encoder_hid_dim_type", UNET_ONLY, 0, 0, 0, "null"},
    {"num_class_embeds", UNET_ONLY, 0, 0, 0, "null"},
    {"addition_embed_type", UNET_ONLY, 0, 0, 0, "null"},
    {"addition_time_embed_dim", UNET_ONLY, 0, 0, 0, "null"},
    {"resnet_skip_time_act", UNET_ONLY, 0, 0, 0, "false"},
    {"resnet_out_scale_factor", UNET_ONLY, 0, 0, 0, "1"},
    {"time_embedding_act_fn", UNET_ONLY, 0, 0, 0, "null"},
    {"timestep_post_act", UNET_ONLY, 0, 0, 0, "null"},
    {"time_cond_proj_dim", UNET_ONLY, 0, 0, 0, "null"},
    {"conv_in_kernel", UNET_ONLY, 0, 0, 0, "3"},
    {"conv_out_kernel", UNET_ONLY, 0, 0, 0, "3"},
    {"projection_class_embeddings_input_dim", UNET_ONLY, 0, 0, 0, "null"},
    {"attention_type", UNET_ONLY, 0, 0, 0, "\"default\""},
    {"class_embeddings_concat", UNET_ONLY, 0, 0, 0, "false"},
    {"cross_attention_norm", UNET_ONLY, 0, 0, 0, "null"},
    {"upcast_attention", UNET_NOTHING, 0, 0, 0, NULL}, /* the softmax is in f32 in any case */
    {"addition_embed_type_num_heads", UNET_NOTHING, 0, 0, 0, NULL}, /* of addition_embed_type */
    {0},
};

const unet_class unet_plain = {.name = "UNet2DModel",
                               .fields = plain_fields,
                               .down = {"DownBlock2D", "AttnDownBlock2D"},
                               .up = {"UpBlock2D", "AttnUpBlock2D"},
                               .defaults = {.in = 3,
                                            .out = 3,
                                            .levels = 4,
                                            .channels = {224, 448, 672, 896},
                                            .down_attention = {false, true, true, true},
                                            .up_attention = {true, true, true, false},
                                            .layers = 2,
                                            .middle_attention = true,
                                            .head = 8,
                                            .groups = 32,
                                            .eps = 1e-5,
                                            .downsample_padding = 1,
                                            .cosine_first = true}};

const unet_class unet_conditional = {.name = "UNet2DConditionModel",
                                     .fields = conditional_fields,
                                     .down = {"DownBlock2D", "CrossAttnDownBlock2D"},
                                     .up = {"UpBlock2D", "CrossAttnUpBlock2D"},
                                     .defaults = {.condition = true,
                                                  .in = 4,
                                                  .out = 4,
                                                  .levels = 4,
                                                  .channels = {320, 640, 1280, 1280},
                                                  .down_attention = {true, true, true, false},
                                                  .up_attention = {false, true, true, true},
                                                  .layers = 2,
                                                  .middle_attention = true,
                                                  .groups = 32,
                                                  .eps = 1e-5,
                                                  .downsample_padding = 1,
                                                  .cosine_first = true,
                                                  .context_channels = 1280,
                                                  .heads = {0, {8, 8, 8, 8, 8, 8, 8, 8}},
                                                  .blocks = {0, {1, 1, 1, 1, 1, 1, 1, 1}}}};
