/* gyre export: what a run holds, in formats of other programs. */
#include "export.h"

#include "cli.h"
#include "gyre/names.h"
#include "gyre/text.h"
#include "holds.h"
#include "weights.h"
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#define FORMAT_ROW(name) &cli_export_##name,
static const cli_export_format *const formats[] = {CLI_EXPORT_FORMATS(FORMAT_ROW)};
enum { FORMATS = sizeof formats / sizeof *formats };

typedef struct {
    const char *output;
    gyre_weights_choice weights;
} arguments;

static const cli_export_format *format_named(const char *name) {
    for (int i = 0; i < FORMATS; i++) {
        if (strcmp(name, formats[i]->name) == 0) return formats[i];
    }
    return NULL;
}

static gyre_status refuse_format(const char *name) {
    const char *names[FORMATS + 1] = {NULL};
    char list[128] = "";
    for (size_t i = 0; i < FORMATS; i++) {
        names[i] = formats[i]->name;
        gyre_text_add(list, sizeof list, "%s%s", i == 0 ? "" : ", ", formats[i]->name);
    }
    const char *near = gyre_name_nearest(name, names);
    return gyre_fail(GYRE_EUSAGE, "'%s' is no format of `gyre export`; the formats are %s%s%s%s",
                     name, list, near == NULL ? "" : "; did you mean '", near == NULL ? "" : near,
                     near == NULL ? "" : "'?");
}

static gyre_status read_weights(const char *value, void *to) {
    return cli_weights_read(value, &((arguments *)to)->weights);
}

static gyre_status export(int argc, char **argv) {
    arguments a = {0};
    GYRE_TRY(cli_options_read(argc, argv, &cli_command_export, &a, NULL));
    char **operands = argv + optind;
    int count = argc - optind;
    const cli_export_format *format = count >= 1 ? format_named(operands[0]) : NULL;
    const int named = format != NULL;
    if (count == 2 && !named) return refuse_format(operands[0]);
    if (count != 1 + named) {
        return cli_usage_fail(&cli_command_export,
                              "a format and one run folder or checkpoint were expected");
    }
    const char *source = operands[named];
    if (!named) format = formats[0];
    if (a.weights != GYRE_WEIGHTS_ANY && (format->expected & CLI_HOLDS_CHECKPOINT) == 0) {
        return cli_usage_fail(&cli_command_export, "--weights is for safetensors and onnx");
    }
    GYRE_TRY(cli_other_kind(format->write(source, a.weights, a.output), source, format->expected));
    return cli_flush();
}

static int run(int argc, char **argv) {
    return cli_fail(export(argc, argv));
}

static const cli_form forms[] = {
    {"[csv] RUN", "o"}, {"safetensors|onnx RUN|CHECKPOINT", NULL}, {"tensorboard RUN", "o"}, {0}};

static const cli_option options[] = {
    {.name = "RUN", .help = "a run's folder; one with the name of a format is given as ./NAME"},
    {.name = "CHECKPOINT", .help = "a checkpoint; of a run's folder the newest one is taken"},
    {.id = 'w',
     .name = "weights",
     .kind = CLI_OWN,
     .read = read_weights,
     .value = CLI_WEIGHTS_VALUE,
     .help = CLI_WEIGHTS_HELP},
    {.id = 'o',
     .name = "output",
     .kind = CLI_TEXT,
     .at = offsetof(arguments, output),
     .letter = 'o',
     .value = "PATH",
     .help =
         "csv: the folder where train.csv, validation.csv, cycles.csv and, of a loss with bands, "
         "bands.csv go; default RUN/csv. "
         "safetensors, onnx: the file, which must be given; of a U-Net safetensors also takes a "
         "folder, as diffusers reads it. tensorboard: the folder of the event "
         "file; default RUN"},
    {0}};

const cli_command cli_command_export = {
    .name = "export",
    .summary = "what a run holds, in formats of other programs: its tables as CSV "
               "files or as TensorBoard's event file, its network as PyTorch's state_dict or as "
               "ONNX",
    .forms = forms,
    .options = options,
    .exits = cli_exits_reading,
    .run = run,
};
