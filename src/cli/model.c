/* gyre model: a network as a table of its nodes, as JSON, or drawn. */
#include "cli.h"

#include "gyre/config.h"
#include "gyre/dataset.h"
#include "gyre/file.h"
#include "gyre/json.h"
#include "gyre/log.h"
#include "gyre/model.h"
#include "gyre/onnx.h"
#include "gyre/optimizer.h"
#include "gyre/plot.h"
#include "gyre/text.h"
#include "holds.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    int h, w, c;
} image_size;

typedef struct {
    const char *what, *plot;
    image_size image;     /* all 0: not given */
    gyre_element element; /* of the config's dataset; bytes where none is opened */
    gyre_target target;   /* likewise; one class */
    bool latents;         /* the config's dataset has them */
    gyre_dataset *data;   /* NULL: none is opened */
    int classes;          /* 0: not given */
    bool exported;        /* an ONNX file, whose outputs tell what it is for */
    cli_sets sets;
    bool json;
} arguments;

static gyre_status read_image(const char *value, void *to) {
    image_size *s = &((arguments *)to)->image;
    int end = 0;
    if (sscanf(value, "%5dx%5dx%5d%n", &s->h, &s->w, &s->c, &end) == 3 && value[end] == '\0' &&
        s->h >= 1 && s->w >= 1 && s->c >= 1) {
        return GYRE_OK;
    }
    return gyre_fail(GYRE_EUSAGE, "--image %s: height x width x channels was expected, as 32x32x3",
                     value);
}

/* What the network is for: as the options say, else as the config's dataset is, else as CIFAR-10
 * is. */
static gyre_status find_input(arguments *a, const gyre_settings *s) {
    const bool sized = a->image.h > 0;
    char *path = s->data.path == NULL ? NULL : gyre_config_path(s, s->data.path);
    gyre_dataset *d = NULL;
    gyre_status status = GYRE_OK;
    if (a->classes == 0) a->classes = s->model.classes;
    if (path != NULL && gyre_file_exists(path) && (!sized || a->classes == 0)) {
        GYRE_GOTO(gyre_fail_in("data.path", gyre_dataset_open(path, &d)));
        const gyre_images *images = gyre_dataset_train(d);
        int size = s->data.crop_size;
        a->element = images->element;
        a->target = images->target;
        a->latents = images->latents;
        if (!sized) {
            a->image = size > 0 ? (image_size){size, size, images->c}
                                : (image_size){images->h, images->w, images->c};
        }
        if (a->classes == 0) a->classes = gyre_dataset_classes(d);
    }
    if (a->image.h == 0) a->image = (image_size){32, 32, 3};
    if (a->classes == 0) a->classes = 10;
out:
    a->data = d;
    free(path);
    return status;
}

static gyre_status open_model(arguments *a, const gyre_settings *s, gyre_model **out) {
    GYRE_TRY(find_input(a, s));
    if (!gyre_config_names_network(s)) {
        return gyre_fail(GYRE_EUSAGE,
                         "the config has no model.name, model.layers, model.file or model.config");
    }
    gyre_model_settings model = s->model;
    model.target = a->target;
    model.latents = a->latents;
    static char of_one_output[] = "mean_squared_error";
    model.any_target = a->exported;
    if (a->exported && a->classes < 2) model.loss = of_one_output;
    model.contexts = a->data == NULL ? NULL : gyre_dataset_contexts(a->data);
    return gyre_model_open(&model, a->image.h, a->image.w, a->image.c, a->classes, out);
}

/* A file of nodes alone, rather than a config. */
static bool is_network(const gyre_json_value *v) {
    return gyre_json_kind_of(v) == GYRE_JSON_LIST || gyre_json_get(v, "nodes") != NULL;
}

/* diffusers' config.json. */
static bool is_unet(const gyre_json_value *v) {
    return gyre_json_get(v, "_class_name") != NULL;
}

/* The settings of a network without a config, as model.KEY says it. */
static gyre_status settings_of(const char *key, const char *value, gyre_settings **out) {
    gyre_status status = GYRE_OK;
    gyre_json *j = gyre_json_begin();
    gyre_json_enter_object(j, "model");
    gyre_json_add_text(j, key, value);
    gyre_json_leave(j);
    gyre_json_value *tree = gyre_json_end_value(j);
    status = tree == NULL ? gyre_no_memory("the network")
                          : gyre_config_build(tree, "network", NULL, 0, out);
    gyre_json_close(tree);
    return status;
}

/* Images and classes that are not given are those that the file was exported with. */
static gyre_status take_onnx(arguments *a) {
    gyre_onnx *o = NULL;
    GYRE_TRY(gyre_onnx_open(a->what, &o));
    if (a->image.h == 0) a->image = (image_size){o->h, o->w, o->c};
    if (a->classes == 0) a->classes = o->outputs;
    a->exported = true;
    for (int i = 0; o->notes[i] != NULL; i++) gyre_say("%s: %s", a->what, o->notes[i]);
    gyre_onnx_close(o);
    return GYRE_OK;
}

static gyre_status open_settings(arguments *a, gyre_settings **out) {
    gyre_json_value *v = NULL;
    if (!gyre_file_exists(a->what)) {
        if (strpbrk(a->what, "./") == NULL) return settings_of("name", a->what, out);
        return gyre_fail(GYRE_EIO, "'%s' does not exist", a->what);
    }
    if (gyre_onnx_recognise(a->what)) {
        GYRE_TRY(take_onnx(a));
        return settings_of("file", a->what, out);
    }
    GYRE_TRY(gyre_json_read(a->what, &v));
    const char *key = is_network(v) ? "file" : is_unet(v) ? "config" : NULL;
    gyre_json_close(v);
    if (key != NULL) return settings_of(key, a->what, out);
    return gyre_config_open(a->what, a->sets.items, a->sets.count, out);
}

/* ---- the table */

static void print_row(const gyre_node_summary *s, int names) {
    char size[48];
    snprintf(size, sizeof size, "%d x %d x %d", s->h, s->w, s->c);
    gyre_text_print(stdout, s->name, names);
    printf("  %-18s %-18s %12zu %12.3f %14zu\n", s->type, size, s->parameters, s->flop / 1e6,
           s->bytes);
}

static void print_table(const gyre_model *m, gyre_element element) {
    gyre_node_summary total = {0};
    int names = 5;
    for (int i = 0; i < m->node_count; i++) {
        int length = (int)strlen(m->nodes[i].name);
        if (length > names) names = length;
    }
    const gyre_target *t = &m->target;
    printf("%s for %s of %d x %d x %d, ", m->name, gyre_element_noun(element, 2), m->h, m->w, m->c);
    if (gyre_target_has_classes(t))
        printf("%d classes\n\n", m->classes);
    else
        printf("targets of %d x %d x %d\n\n", t->h, t->w, t->c);
    printf("%-*s  %-18s %-18s %12s %12s %14s\n", names, "node", "type", "output", "parameters",
           "MFLOP", "activation (B)");
    for (int i = 0; i < m->node_count; i++) {
        const gyre_node_summary s = gyre_model_node(m, i);
        if (s.h > 0) print_row(&s, names);
        total.parameters += s.parameters;
        total.flop += s.flop;
        total.bytes += s.bytes;
    }
    printf("%-*s  %-18s %-18s %12zu %12.3f %14zu\n", names, "total", "", "", total.parameters,
           total.flop / 1e6, total.bytes);
    printf("\nLoss: %s. MFLOP: of the forward pass of one %s, a multiply-add by a weight\n"
           "counted as 2; a training step takes about three times as many. Activations of one\n"
           "%s in f32.\n",
           m->loss, gyre_element_noun(element, 1), gyre_element_noun(element, 1));
}

static void print_average(const gyre_model *m, const gyre_average_settings *s) {
    const int count = gyre_average_count(s);
    if (count == 0) return;
    printf("Training keeps %s of the weights besides (section average): %zu B%s.\n",
           count == 1 ? "an average" : "averages", (m->parameters + m->buffers) * sizeof(float),
           count == 1 ? "" : " each");
}

/* What a config's training holds on a device that has all shards, one after the other. */
static gyre_status print_memory(const gyre_model *m, const gyre_settings *s) {
    if (s->batch_size == 0) return GYRE_OK;
    const bool norms = m->statistic_count > 0;
    const int shards = s->shards > 0 ? s->shards
                       : norms       ? 1
                                     : gyre_default_small_shards(s->batch_size);
    const double vector = (double)m->parameters * sizeof(float), gb = 1e-9;
    const bool half = s->precision == GYRE_PRECISION_BF16;
    size_t values = 0;
    int leaves = 1;
    GYRE_TRY(gyre_model_activations(m, &values));
    while (1 << (leaves - 1) < shards) leaves++;
    const double weights = vector * (half ? 1.5 : 2), gradients = vector * leaves;
    const double state = vector * gyre_optimizer_states(&s->optimizer);
    const double average = vector * gyre_average_count(&s->average);
    const double activations = (double)values * (s->batch_size / shards) * (half ? 2 : 4);
    printf("Training in %d shard%s of %d on one device takes about %.2f GB: %.2f of weights with "
           "their\n"
           "packed copy, %.2f of gradients, %.2f of the optimizer, %.2f of averages, %.2f of "
           "activations.\n",
           shards, shards == 1 ? "" : "s", s->batch_size / shards,
           gb * (weights + gradients + state + average + activations), gb * weights, gb * gradients,
           gb * state, gb * average, gb * activations);
    return GYRE_OK;
}

static gyre_status print(const arguments *a, const gyre_model *m, const gyre_settings *s) {
    char *text = NULL;
    if (a->plot != NULL) GYRE_TRY(gyre_plot_model(m, a->plot));
    if (a->json) {
        GYRE_TRY(gyre_model_print(m, &text));
        puts(text);
        free(text);
    } else {
        print_table(m, a->element);
        print_average(m, &s->average);
        GYRE_TRY(print_memory(m, s));
        if (a->plot != NULL) printf("\n");
        if (a->plot != NULL) cli_print_path(a->plot);
    }
    return cli_flush();
}

static gyre_status show(int argc, char **argv, arguments *a) {
    gyre_settings *s = NULL;
    gyre_model *m = NULL;
    gyre_status status = GYRE_OK;
    GYRE_GOTO(cli_options_read(argc, argv, &cli_command_model, a, NULL));
    GYRE_GOTO(cli_one_operand(argc, argv, &cli_command_model,
                              "config, model of the zoo or file of nodes", &a->what));
    GYRE_GOTO(open_settings(a, &s));
    status = open_model(a, s, &m);
    if (status == GYRE_EUSAGE && gyre_file_exists(a->what)) status = gyre_fail_in(a->what, status);
    if (status == GYRE_OK) status = print(a, m, s);
out:
    if (m != NULL) gyre_model_close(m);
    if (s != NULL) gyre_config_close(s);
    gyre_dataset_close(a->data);
    free(a->sets.items);
    return status;
}

static int run(int argc, char **argv) {
    arguments a = {0};
    return cli_fail(show(argc, argv, &a));
}

static const cli_form forms[] = {{"CONFIG", NULL}, {"NAME|NET.json|NET.onnx", "icjp"}, {0}};

static const cli_option options[] = {
    {.name = "CONFIG", .help = "a config, whose dataset gives the size of the images"},
    {.name = "NAME|NET.json|NET.onnx",
     .help = "a model of the zoo (`gyre help models`), a file of nodes or of ONNX as model.file "
             "takes it, or a config.json of diffusers' as model.config takes it"},
    {.id = 's',
     .name = "set",
     .kind = CLI_SETS,
     .at = offsetof(arguments, sets),
     .value = "KEY=VALUE",
     .repeats = true,
     .help = "overrides a key of the config"},
    {.id = 'i',
     .name = "image",
     .kind = CLI_OWN,
     .read = read_image,
     .value = "HxWxC",
     .help = "height, width and channels of the images; without it those of the config's dataset, "
             "else 32x32x3"},
    {.id = 'c',
     .name = "classes",
     .kind = CLI_INTEGER,
     .at = offsetof(arguments, classes),
     .least = 2,
     .value = "N",
     .help = "number of classes; without it the config's, else 10"},
    {.id = 'j',
     .name = "json",
     .at = offsetof(arguments, json),
     .help = "prints the network as model.file takes it, to start from (docs/networks.md)"},
    {.id = 'p',
     .name = "plot",
     .kind = CLI_TEXT,
     .at = offsetof(arguments, plot),
     .value = "FILE.svg",
     .help = "draws it (needs graphviz)"},
    {0}};

const cli_command cli_command_model = {
    .name = "model",
    .summary = "the nodes of a network with sizes, parameters and operations; as JSON, or drawn",
    .forms = forms,
    .options = options,
    .exits = cli_exits_reading,
    .run = run,
};
