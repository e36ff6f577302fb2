/* U-Nets by diffusers' config.json have its tensors: names and shapes of the files in
 * tests/data/unet, which make_reference.py there wrote. What gyre builds no network for is refused
 * by its field. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gyre/state_dict.h"
#include "network_rig.h"
#include <stdio.h>

enum { TEXT = 1 << 17 };

static char *read_text(const char *name, const char *ending) {
    char path[128];
    snprintf(path, sizeof path, "tests/data/unet/%s.%s", name, ending);
    FILE *f = fopen(path, "r");
    if (f == NULL) fail_msg("%s is missing", path);
    char *text = calloc(1, TEXT);
    assert_non_null(text);
    assert_true(fread(text, 1, TEXT - 1, f) > 0);
    fclose(f);
    return text;
}

static gyre_status open_unet(char *config, int size, int channels, gyre_model **out) {
    const gyre_model_settings settings = {.unet = config};
    *out = NULL;
    return gyre_model_open(&settings, size, size, channels, 10, out);
}

/* "NAME DIM DIM" of a tensor, as the files have it. */
static void describe(const gyre_state_array *a, char *out, size_t size) {
    int at = snprintf(out, size, "%s", a->name);
    for (int i = 0; i < a->ndim; i++) {
        at += snprintf(out + at, size - (size_t)at, " %d", a->dims[i]);
    }
}

static void assert_listed(const char *text, const char *line, const char *network) {
    const size_t length = strlen(line);
    for (const char *p = text; (p = strstr(p, line)) != NULL; p += length) {
        if ((p == text || p[-1] == '\n') && p[length] == '\n') return;
    }
    fail_msg("%s: diffusers has no tensor \"%s\"", network, line);
}

/* Names are unique in a network, so that as many lines as parameters are the same ones. */
static void assert_same_tensors(const char *name, int size, int channels, size_t count) {
    char *config = read_text(name, "json"), *text = read_text(name, "txt");
    gyre_model *m = NULL;
    int lines = 0;
    if (open_unet(config, size, channels, &m) != GYRE_OK) fail_msg("%s", gyre_error_text());
    for (int i = 0; i < m->param_count; i++) {
        char line[GYRE_NODE_NAME_SIZE + 64];
        const gyre_state_array a = gyre_state_of_param(m, i);
        describe(&a, line, sizeof line);
        assert_listed(text, line, name);
    }
    for (const char *p = text; *p != '\0'; p++) lines += *p == '\n';
    assert_int_equal(m->param_count, lines);
    assert_int_equal(m->count, count);
    gyre_model_close(m);
    free(text);
    free(config);
}

static void tensors_are_those_of_diffusers(void **state) {
    (void)state;
    assert_same_tensors("ddpm_cifar10", 32, 3, 35746307);
    assert_same_tensors("classes", 28, 1, 464193);
    assert_same_tensors("no_attention", 16, 3, 29939);
    assert_same_tensors("no_middle", 8, 3, 16659);
    assert_same_tensors("stable_diffusion", 64, 4, 859520964);
    assert_same_tensors("conditional", 16, 4, 156180);
}

/* ---- options that no tensor tells */

static const gyre_node *node_named(const gyre_model *m, const char *name) {
    for (int i = 0; i < m->node_count; i++) {
        if (strcmp(m->nodes[i].name, name) == 0) return &m->nodes[i];
    }
    fail_msg("there is no node %s", name);
    return NULL;
}

static void assert_option(const gyre_model *m, const char *node, const char *option, int i,
                          double value) {
    const double found = gyre_node_option(node_named(m, node), option, i);
    if (found != value) fail_msg("%s: %s is %g, expected %g", node, option, found, value);
}

static void assert_options_of_transformers(void) {
    static const char *const attention[] = {
        "down_blocks.0.attentions.0.transformer_blocks.0.attn1.attention",
        "up_blocks.1.attentions.1.transformer_blocks.1.attn2.attention",
        "mid_block.attentions.0.transformer_blocks.0.attn2.attention"};
    char *config = read_text("conditional", "json");
    gyre_model *m = NULL;
    assert_int_equal(open_unet(config, 16, 4, &m), GYRE_OK);
    for (int i = 0; i < 3; i++) assert_option(m, attention[i], "heads", 0, 1 << i);
    assert_option(m, "mid_block.attentions.0.norm", "eps", 0, (double)1e-6f);
    assert_option(m, "mid_block.attentions.0.proj_out", "dense", 0, 1);
    assert_option(m, "context", "tokens", 0, 77);
    assert_option(m, "context", "channels", 0, 12);
    gyre_model_close(m);
    free(config);
}

static void options_are_those_of_the_config(void **state) {
    (void)state;
    const char *half = "down_blocks.0.downsamplers.0.conv";
    char *ddpm = read_text("ddpm_cifar10", "json"), *classes = read_text("classes", "json");
    gyre_model *m = NULL;
    assert_int_equal(open_unet(ddpm, 32, 3, &m), GYRE_OK);
    for (int i = 0; i < 4; i++) assert_option(m, half, "pad", i, i >= 2);
    assert_option(m, "time_proj", "flip", 0, 0);
    assert_option(m, "time_proj", "shift", 0, 1);
    assert_option(m, "mid_block.attentions.0.attention", "heads", 0, 1);
    assert_option(m, "conv_norm_out", "eps", 0, (double)1e-6f);
    assert_option(m, "conv_norm_out", "groups", 0, 32);
    gyre_model_close(m);
    assert_int_equal(open_unet(classes, 28, 1, &m), GYRE_OK);
    for (int i = 0; i < 4; i++) assert_option(m, half, "pad", i, 1);
    assert_option(m, "time_proj", "flip", 0, 1);
    assert_option(m, "time_proj", "shift", 0, 0);
    assert_option(m, "down_blocks.2.attentions.0.attention", "heads", 0, 6);
    assert_option(m, "mid_block.attentions.0.group_norm", "groups", 0, 4);
    assert_option(m, "down_blocks.2.attentions.0.group_norm", "groups", 0, 8);
    assert_option(m, "mid_block.resnets.1.dropout", "p", 0, (double)0.1f);
    assert_option(m, "class_embedding", "rows", 0, 11);
    assert_string_equal(m->loss, "denoise");
    gyre_model_close(m);
    free(classes);
    assert_options_of_transformers();
    free(ddpm);
}

/* ---- the config of a network */

static char *config_of(const gyre_model *m) {
    char *text = NULL;
    if (gyre_model_unet(m, &text) != GYRE_OK) fail_msg("%s", gyre_error_text());
    return text;
}

/* A network tells its config, as it was opened by one and as the nodes of a checkpoint. */
static void a_network_tells_its_config(void **state) {
    (void)state;
    static const struct {
        const char *name;
        int size, channels;
    } cases[] = {{"ddpm_cifar10", 32, 3}, {"classes", 28, 1},          {"no_attention", 16, 3},
                 {"no_middle", 8, 3},     {"stable_diffusion", 64, 4}, {"conditional", 16, 4}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int size = cases[i].size, channels = cases[i].channels;
        char *config = read_text(cases[i].name, "json");
        gyre_model *m = NULL, *again = NULL, *listed = NULL;
        assert_int_equal(open_unet(config, size, channels, &m), GYRE_OK);
        char *text = config_of(m), *layers = printed(m);
        if (text == NULL) fail_msg("%s: none", cases[i].name);
        assert_int_equal(open_unet(text, size, channels, &again), GYRE_OK);
        assert_int_equal(open_layers(layers, size, channels, &listed), GYRE_OK);
        char *of_again = config_of(again), *of_listed = config_of(listed), *nodes = printed(again);
        assert_string_equal(text, of_again);
        assert_string_equal(text, of_listed);
        assert_string_equal(layers, nodes);
        char *const texts[] = {config, text, layers, of_again, of_listed, nodes};
        for (int k = 0; k < 6; k++) free(texts[k]);
        gyre_model_close(m);
        gyre_model_close(again);
        gyre_model_close(listed);
    }
}

/* Replaces the first `from` of the text, which has room. */
static void replace(char *text, const char *from, const char *to) {
    char *at = strstr(text, from);
    assert_non_null(at);
    memmove(at + strlen(to), at + strlen(from), strlen(at + strlen(from)) + 1);
    memcpy(at, to, strlen(to));
}

static void another_network_has_none(void **state) {
    (void)state;
    static const char *const changes[][2] = {
        {"\"silu\": true", "\"silu\": false"},
        {"\"eps\": 1e-06", "\"eps\": 1e-03"},
        {"\"pad\": [0, 0, 1, 1]", "\"pad\": [1, 1, 0, 0]"},
        {"\"inputs\": [\"mid_block.resnets.1.add\", \"down_blocks.3.resnets.1.add\"]",
         "\"inputs\": [\"mid_block.resnets.1.add\", \"down_blocks.3.resnets.0.add\"]"}};
    char *config = read_text("ddpm_cifar10", "json"), name[] = "small_cnn";
    const gyre_model_settings settings = {.name = name};
    gyre_model *m = NULL;
    assert_int_equal(gyre_model_open(&settings, 32, 32, 3, 10, &m), GYRE_OK);
    assert_null(config_of(m));
    gyre_model_close(m);
    assert_int_equal(open_unet(config, 32, 3, &m), GYRE_OK);
    char *layers = printed(m);
    gyre_model_close(m);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        char *changed = calloc(1, strlen(layers) + 100);
        strcpy(changed, layers);
        replace(changed, changes[i][0], changes[i][1]);
        if (open_layers(changed, 32, 3, &m) != GYRE_OK) fail_msg("%s", gyre_error_text());
        char *text = config_of(m);
        if (text != NULL) fail_msg("%s: %s", changes[i][1], text);
        gyre_model_close(m);
        free(changed);
    }
    free(layers);
    free(config);
}

/* ---- the zoo's */

static void the_small_one(void **state) {
    (void)state;
    char name[] = "unet";
    const gyre_model_settings settings = {
        .name = name,
        .denoise = {.noise = GYRE_NOISE_COSINE, .predict = GYRE_PREDICT_V, .steps = 500}};
    gyre_model *m = NULL;
    assert_int_equal(gyre_model_open(&settings, 28, 28, 1, 10, &m), GYRE_OK);
    assert_option(m, "diffuse", "noise", 0, 2);
    assert_option(m, "diffuse", "predict", 0, 1);
    assert_option(m, "diffuse", "steps", 0, 500);
    assert_int_equal(gyre_model_outputs(m), 28 * 28);
    gyre_model_close(m);
}

/* ---- refusals */

#define LEVELS2                                                                                    \
    "\"block_out_channels\": [8, 16], \"norm_num_groups\": 4, \"down_block_types\": "              \
    "[\"DownBlock2D\", \"DownBlock2D\"], \"up_block_types\": [\"UpBlock2D\", \"UpBlock2D\"]"

#define CONDITIONAL "\"_class_name\": \"UNet2DConditionModel\", "

typedef struct {
    const char *config, *message;
} refusal;

static const refusal refusals[] = {
    {"{\"_class_name\": \"UNet3DConditionModel\", \"cross_attention_dim\": 768}",
     "_class_name: expected \"UNet2DModel\" or \"UNet2DConditionModel\", which are what gyre "
     "builds, found \"UNet3DConditionModel\""},
    {"{\"cross_attention_dim\": 768}", "unknown field \"cross_attention_dim\" of a UNet2DModel"},
    {"{" CONDITIONAL "\"add_attention\": true}",
     "unknown field \"add_attention\" of a UNet2DConditionModel"},
    {"{" CONDITIONAL "\"attention_head_dim\": [5, 10, 20]}",
     "attention_head_dim: expected a number, or one for each of 4 levels, found 3"},
    {"{" CONDITIONAL "\"attention_head_dim\": [5, 10, 20, 2.5]}",
     "attention_head_dim: expected a whole number 1..65536, or a list with one for each level"},
    {"{" CONDITIONAL "\"attention_head_dim\": 7}",
     "attention_head_dim, the number of heads: expected a divisor of the 320 channels of a level "
     "with attention, found 7"},
    {"{" CONDITIONAL "\"encoder_hid_dim\": 4096}", "encoder_hid_dim: expected null"},
    {"{" CONDITIONAL "\"cross_attention_dim\": [768, 768]}",
     "cross_attention_dim: expected a whole number 1..65536"},
    {"{" CONDITIONAL "\"down_block_types\": [\"AttnDownBlock2D\"]}",
     "down_block_types[0]: expected \"DownBlock2D\" or \"CrossAttnDownBlock2D\""},
    {"{\"down_block_types\": [\"DownBlock2D\", \"SkipDownBlock2D\", \"DownBlock2D\", "
     "\"DownBlock2D\"]}",
     "down_block_types[1]: expected \"DownBlock2D\" or \"AttnDownBlock2D\", which are what gyre "
     "builds, found \"SkipDownBlock2D\""},
    {"{\"up_block_types\": [\"AttnDownBlock2D\"]}", "up_block_types[0]: expected \"UpBlock2D\""},
    {"{\"block_out_channels\": [32, 64]}",
     "need a value for each level, found 2, 4 and 4; one that is left out has diffusers' 4"},
    {"{\"block_out_channels\": [8, 16, 16], \"down_block_types\": [\"DownBlock2D\", "
     "\"DownBlock2D\"], \"up_block_types\": [\"UpBlock2D\", \"UpBlock2D\"]}",
     "need a value for each level, found 3, 2 and 2"},
    {"{\"block_out_channels\": []}", "block_out_channels: a list of 1 to 8 levels was expected"},
    {"{\"block_out_channels\": [8, 16.5]}", "block_out_channels[1]: a whole number 1..65536"},
    {"{\"norm_num_groups\": 64}",
     "block_out_channels[0]: expected a multiple of the 64 groups of norm_num_groups, found 224"},
    {"{\"attention_head_dim\": 9}", "attention_head_dim: expected a divisor of the 448 channels"},
    {"{" LEVELS2 ", \"attention_head_dim\": 5}", "the 16 channels of the middle, found 5"},
    {"{" LEVELS2 ", \"attn_norm_num_groups\": 5}", "attn_norm_num_groups: expected a divisor"},
    {"{\"act_fn\": \"gelu\"}", "act_fn: expected \"silu\" or \"swish\", which is what gyre builds"},
    {"{\"class_embed_type\": \"timestep\"}", "class_embed_type: expected null"},
    {"{\"downsample_padding\": 2}", "downsample_padding: expected a whole number 0..1, found 2"},
    {"{\"mid_block_type\": \"X\"}",
     "mid_block_type: expected \"UNetMidBlock2D\" or null, which is what gyre builds"},
    {"{\"flip_sin_to_cos\": 1}", "flip_sin_to_cos: expected true or false, found 1"},
    {"{\"norm_eps\": 0}", "norm_eps: expected a number 1e-12..1, found 0"},
    {"{\"attention_head_dims\": 8}", "unknown field \"attention_head_dims\" of a UNet2DModel; did "
                                     "you mean \"attention_head_dim\"?"},
    {"{" LEVELS2 ", \"in_channels\": 4}",
     "in_channels 4 and out_channels 3: the images have 3 channels"},
    {"{" LEVELS2 ", \"out_channels\": 6}", "in_channels 3 and out_channels 6"},
};

static void what_is_not_built_is_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof *refusals; i++) {
        char *config = strdup(refusals[i].config);
        gyre_model *m = NULL;
        if (open_unet(config, 32, 3, &m) != GYRE_EUSAGE) fail_msg("taken: %s", config);
        if (strstr(gyre_error_text(), refusals[i].message) == NULL ||
            strncmp(gyre_error_text(), "model.config: ", 14) != 0) {
            fail_msg("%s: %s", config, gyre_error_text());
        }
        free(config);
    }
}

static void sides_are_halved_exactly(void **state) {
    (void)state;
    char *config = read_text("classes", "json");
    gyre_model *m = NULL;
    assert_int_equal(open_unet(config, 30, 1, &m), GYRE_EUSAGE);
    assert_non_null(strstr(gyre_error_text(), "with 3 levels the sides of images must be multiples "
                                              "of 4, found 30 x 30"));
    free(config);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tensors_are_those_of_diffusers),
        cmocka_unit_test(options_are_those_of_the_config),
        cmocka_unit_test(a_network_tells_its_config),
        cmocka_unit_test(another_network_has_none),
        cmocka_unit_test(the_small_one),
        cmocka_unit_test(what_is_not_built_is_refused),
        cmocka_unit_test(sides_are_halved_exactly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
