/* gyre sample: what networks that denoise make of noise, as pictures in a grid and as numbers. */
#include "cli.h"

#include "gyre/config.h"
#include "gyre/defaults.h"
#include "gyre/log.h"
#include "gyre/text.h"
#include "samples.h"
#include "weights.h"
#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    gyre_sample_settings settings;
    const char *output, *latents, *start, *data;
    int spacing, clip; /* -1: not given */
    int batch;
    gyre_weights_choice weights;
    bool nearest, no_nearest, quiet;
} arguments;

/* ---- values of options */

static gyre_status read_number(const char *option, const char *value, double least, double most,
                               double *out) {
    char *end = NULL;
    double x = strtod(value, &end);
    if (end != value && *end == '\0' && x >= least && x <= most) {
        *out = x;
        return GYRE_OK;
    }
    return gyre_fail(GYRE_EUSAGE, "--%s: expected number %g..%g, found '%s'", option, least, most,
                     value);
}

static gyre_status read_eta(const char *value, void *to) {
    return read_number("eta", value, 0, 1, &((arguments *)to)->settings.eta);
}

static gyre_status read_guidance(const char *value, void *to) {
    return read_number("guidance", value, 0, GYRE_GUIDANCE_MOST,
                       &((arguments *)to)->settings.guidance);
}

/* The place of a word among `words`, whose last one is NULL. */
static gyre_status read_word(const char *option, const char *value, const char *const *words,
                             int *out) {
    char all[128] = "";
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(value, words[i]) == 0) {
            *out = i;
            return GYRE_OK;
        }
        gyre_text_add(all, sizeof all, "%s%s", i > 0 ? ", " : "", words[i]);
    }
    return gyre_fail(GYRE_EUSAGE, "--%s: expected one of %s, found '%s'", option, all, value);
}

static gyre_status read_method(const char *value, void *to) {
    static const char *const words[] = {"ddim", "ddpm", NULL};
    int method = 0;
    GYRE_TRY(read_word("method", value, words, &method));
    ((arguments *)to)->settings.method = (gyre_sampling_method)method;
    return GYRE_OK;
}

static gyre_status read_spacing(const char *value, void *to) {
    static const char *const words[] = {"leading", "trailing", "linspace", NULL};
    return read_word("spacing", value, words, &((arguments *)to)->spacing);
}

static gyre_status read_weights(const char *value, void *to) {
    return cli_weights_read(value, &((arguments *)to)->weights);
}

static gyre_status read_clip(const char *value, void *to) {
    static const char *const words[] = {"no", "yes", NULL};
    return read_word("clip", value, words, &((arguments *)to)->clip);
}

/* ---- the command */

static gyre_status parse(int argc, char **argv, arguments *a) {
    *a = (arguments){
        .settings = {.guidance = 1}, .spacing = -1, .clip = -1, .batch = GYRE_DEFAULT_SAMPLE_BATCH};
    GYRE_TRY(cli_options_read(argc, argv, &cli_command_sample, a, NULL));
    if (optind == argc) {
        return cli_usage_fail(&cli_command_sample, "a run folder or checkpoint was expected");
    }
    if (a->output == NULL && a->latents == NULL) {
        return cli_usage_fail(&cli_command_sample,
                              "-o FILE.png or --latents FILE was expected, to write samples to");
    }
    if (!a->nearest || !a->no_nearest) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE, "--nearest and --no-nearest: one of the two was expected");
}

static gyre_status choose_options(const arguments *a, cli_samples *s) {
    for (int i = 0; i < s->run_count; i++) {
        cli_sample_run *r = &s->runs[i];
        const gyre_trained *t = &r->source.trained;
        GYRE_TRY(
            gyre_fail_in(t->checkpoint, gyre_sample_options(&a->settings, "--", t->model, &t->names,
                                                            &r->source.input, &r->options)));
        if (a->spacing >= 0) r->options.rule.spacing = (gyre_spacing)a->spacing;
        if (a->clip >= 0) r->options.clamp = a->clip == 1;
        r->options.batch = a->batch;
    }
    return a->output == NULL ? GYRE_OK : gyre_sample_check_picture(&s->runs[0].source.input);
}

/* All that only reads files. */
static gyre_status prepare(const arguments *a, char **paths, bool rank0, cli_samples *s) {
    if (rank0) GYRE_TRY(cli_samples_check_files(a->output, a->latents));
    for (int i = 0; i < s->run_count; i++) {
        GYRE_TRY(cli_samples_add(s, i, paths[i], a->weights, a->data));
    }
    GYRE_TRY(cli_samples_seeds(s, a->settings.seeds, a->start));
    return choose_options(a, s);
}

/* The training samples are needed for a row of the grid, which can do without it. */
static gyre_status open_training(const arguments *a, cli_samples *s, gyre_comm *comm) {
    if (a->output == NULL || a->no_nearest) return GYRE_OK;
    const bool needed = a->nearest || a->data != NULL;
    gyre_status status =
        gyre_comm_agree(comm, gyre_sample_training_open(&s->runs[0].source, a->data, &s->training));
    if (status != GYRE_EIO || needed) return status;
    gyre_say("no row of nearest training pictures: %s", gyre_error_text());
    gyre_sample_training_close(&s->training);
    return GYRE_OK;
}

static gyre_status sample(int argc, char **argv, gyre_comm *comm) {
    arguments a;
    cli_samples s = {0};
    const bool rank0 = gyre_comm_rank(comm) == 0;
    GYRE_TRY(gyre_comm_agree(comm, parse(argc, argv, &a)));
    gyre_status status = GYRE_OK;
    GYRE_GOTO(gyre_comm_agree(comm, cli_samples_open(argc - optind, &s)));
    GYRE_GOTO(gyre_comm_agree(comm, prepare(&a, argv + optind, rank0, &s)));
    GYRE_GOTO(open_training(&a, &s, comm));
    GYRE_GOTO(cli_samples_make(&s, a.quiet, comm));
    if (s.training.data != NULL) GYRE_GOTO(cli_samples_find_nearest(&s, comm));
    if (rank0) status = cli_samples_write(&s, a.output, a.latents);
    status = gyre_comm_agree(comm, status);
out:
    cli_samples_close(&s);
    return status;
}

static int run(int argc, char **argv) {
    return cli_on_ranks(argc, argv, sample, true);
}

static const cli_form forms[] = {{"RUN...", NULL}, {0}};

static const cli_option options[] = {
    {.name = "RUN",
     .help = "a run's folder (its newest checkpoint), or a checkpoint, of a network that "
             "denoises; each is a row"},
    {.id = 'o',
     .name = "output",
     .kind = CLI_TEXT,
     .at = offsetof(arguments, output),
     .letter = 'o',
     .value = "FILE.png",
     .help = "the grid: a row for each run, a column for each seed"},
    {.id = 'l',
     .name = "latents",
     .kind = CLI_TEXT,
     .at = offsetof(arguments, latents),
     .value = "FILE.h5",
     .help = "writes the samples as numbers, /latents f32 (samples, height, width, channels), in "
             "the units of the dataset"},
    {.id = 's',
     .name = "seeds",
     .kind = CLI_TEXT,
     .at = offsetof(arguments, settings.seeds),
     .value = "LIST",
     .help = "a sample for each, as 0..7 or 3,5,8; default " GYRE_DEFAULT_SAMPLE_SEEDS
             ". A seed's noise is the same for all runs"},
    {.id = 'n',
     .name = "steps",
     .kind = CLI_INTEGER,
     .at = offsetof(arguments, settings.steps),
     .least = 1,
     .value = "N",
     .help = "how many of the network's times are visited; default " GYRE_STRING(
         GYRE_DEFAULT_SAMPLE_STEPS) ", of ddpm all"},
    {.id = 'm',
     .name = "method",
     .kind = CLI_OWN,
     .read = read_method,
     .value = "ddim|ddpm",
     .help = "ddim (the default), or ddpm, which adds noise at each step"},
    {.id = 'e',
     .name = "eta",
     .kind = CLI_OWN,
     .read = read_eta,
     .value = "ETA",
     .help = "noise that ddim adds, 0 to 1; default 0, none"},
    {.id = 'c',
     .name = "class",
     .kind = CLI_TEXT,
     .at = offsetof(arguments, settings.condition),
     .value = "CLASS",
     .help = "name or number of the class to make, of networks that were trained with classes; "
             "number of the context, of those with contexts"},
    {.id = 'w',
     .name = "guidance",
     .kind = CLI_OWN,
     .read = read_guidance,
     .value = "W",
     .help = "how far the class leads: out(none) + W (out(class) - out(none)); default 1. Others "
             "need a network that was also trained without classes"},
    {.id = 'g',
     .name = "spacing",
     .kind = CLI_OWN,
     .read = read_spacing,
     .value = "leading|trailing|linspace",
     .help = "which times are visited, as diffusers names it; default leading, with zero_snr "
             "trailing"},
    {.id = 'k',
     .name = "clip",
     .kind = CLI_OWN,
     .read = read_clip,
     .value = "yes|no",
     .help = "keeps each step's guess of the sample in the range of pixels; default yes for "
             "datasets of pictures, else no"},
    {.id = 'W',
     .name = "weights",
     .kind = CLI_OWN,
     .read = read_weights,
     .value = CLI_WEIGHTS_VALUE,
     .help = CLI_WEIGHTS_HELP},
    {.id = 't',
     .name = "start",
     .kind = CLI_TEXT,
     .at = offsetof(arguments, start),
     .value = "FILE.h5",
     .help = "takes the noise to begin with from /latents of this file, not from the seeds"},
    {.id = 'N',
     .name = "nearest",
     .at = offsetof(arguments, nearest),
     .help = "the last row must be there: each column's training picture that is nearest to the "
             "first row's; without it, it is there where the dataset is"},
    {.id = 'O', .name = "no-nearest", .at = offsetof(arguments, no_nearest), .help = "no such row"},
    {.id = 'd',
     .name = "data",
     .kind = CLI_TEXT,
     .at = offsetof(arguments, data),
     .value = "FILE",
     .help = "where the dataset is now that the first run was trained on; or, for a network with "
             "contexts and with --no-nearest, another one with other contexts"},
    {.id = 'b',
     .name = "batch",
     .kind = CLI_INTEGER,
     .at = offsetof(arguments, batch),
     .least = 1,
     .value = "N",
     .help =
         "samples that a thread makes at once; default " GYRE_STRING(GYRE_DEFAULT_SAMPLE_BATCH)},
    {.id = 'q',
     .name = "quiet",
     .at = offsetof(arguments, quiet),
     .letter = 'q',
     .help = "no progress on stderr"},
    {0}};

const cli_command cli_command_sample = {
    .name = "sample",
    .summary = "pictures that networks make of noise (diffusion models): a row for each run, a "
               "column for each seed",
    .forms = forms,
    .options = options,
    .notes = "On any number of ranks under mpirun, with the same bits. docs/sample.md shows a grid "
             "and says what is computed.",
    .exits = cli_exits_computing,
    .run = run,
};
