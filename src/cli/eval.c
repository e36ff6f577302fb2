/* gyre eval: loss and metric of a checkpoint, or of weights from elsewhere, and hits per class. */
#include "cli.h"

#include "ensemble.h"
#include "gyre/comm.h"
#include "gyre/log.h"
#include "gyre/plot.h"
#include "gyre/run.h"
#include "gyre/text.h"
#include "holds.h"
#include "machine.h"
#include "predictions.h"
#include "weights.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct {
    gyre_evaluated what;
    const char *predictions, *plot;
    bool ensemble;
    gyre_views views;
} arguments;

static gyre_status parse(int argc, char **argv, arguments *a) {
    *a = (arguments){.what = {.part = "test", .tells = true}};
    GYRE_TRY(cli_options_read(argc, argv, &cli_command_eval, a, NULL));
    return cli_one_operand(argc, argv, &cli_command_eval,
                           "checkpoint, run folder or file of weights", &a->what.file);
}

static gyre_status check(const arguments *a) {
    char gnuplot[4096];
    const gyre_evaluated *w = &a->what;
    if (a->ensemble && (a->predictions != NULL || w->bounds || w->samples > 0)) {
        return gyre_fail(GYRE_EUSAGE, "--ensemble prints scores alone; give it without "
                                      "--predictions, --bounds and --samples");
    }
    if (a->plot == NULL) return GYRE_OK;
    if (!a->what.bounds) {
        return gyre_fail(GYRE_EUSAGE, "--plot draws what --bounds computes; give both");
    }
    if (!cli_machine_program("gnuplot", gnuplot, sizeof gnuplot)) {
        return gyre_fail(GYRE_EIO, "--plot: gnuplot was not found: apt-get install gnuplot-nox");
    }
    return gyre_plot_check(a->plot);
}

static gyre_status check_samples(const gyre_evaluated *what) {
    if (what->features == NULL || what->samples > 0) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE, "--features: expected --samples N beside it, the samples whose "
                                  "features are compared");
}

static gyre_status read_weights(const char *value, void *to) {
    return cli_weights_read(value, &((arguments *)to)->what.weights);
}

static gyre_status read_views(const char *value, void *to) {
    static const char *const names[] = {"none", "mirror", "mirror_shift"};
    arguments *a = to;
    for (int i = 0; i < (int)(sizeof names / sizeof *names); i++) {
        if (strcmp(value, names[i]) != 0) continue;
        a->views = (gyre_views)i;
        a->what.views = &a->views;
        return GYRE_OK;
    }
    return gyre_fail(GYRE_EUSAGE, "--views %s: none, mirror or mirror_shift was expected", value);
}

static double percent(int64_t part, int64_t whole) {
    return whole > 0 ? 100 * (double)part / (double)whole : 0;
}

/* On stderr, since programs read stdout. */
static void print_source(const gyre_evaluation *e, const char *part) {
    const char *run = e->completed < 0 ? "config" : "run";
    bool train = strcmp(part, "train") == 0;
    char samples[80] = "";
    if (e->of_run) {
        snprintf(samples, sizeof samples, "; on the samples that the %s %s", run,
                 train ? "trained on" : "held out");
    }
    char best[80] = "";
    if (e->best >= 0) {
        snprintf(best, sizeof best, " (best.h5 beside it: after step %" PRId64 ")", e->best);
    }
    const char *weights = cli_weights_text(e->has_average, e->averaged);
    if (e->completed < 0) {
        gyre_say("weights %s%s", e->checkpoint, samples);
        return;
    }
    gyre_say("checkpoint %s, after step %" PRId64 "%s%s%s", e->checkpoint, e->completed, weights,
             best, samples);
}

/* Errors at one part of the times, in columns. */
static void print_errors(const gyre_metric *of, const double *errors, int count) {
    for (int i = 0; i < count; i++) {
        char value[64];
        const char *text =
            isnan(errors[i]) ? "none drawn" : gyre_metric_text(of, errors[i], value, sizeof value);
        printf("  %*s", i + 1 < count ? -10 : 0, text);
    }
    printf("\n");
}

/* The network's error and, where they are asked for, those of the two bounds: of part b of the
 * times, or with b < 0 of all. Returns how many. */
static int errors_of(const gyre_evaluation *e, int b, double errors[3]) {
    const gyre_bound *linear = &e->bounds.linear, *memory = &e->bounds.memory;
    int count = 0;
    errors[count++] = b < 0 ? e->score.metric : e->score.bands[b];
    if (!e->bounded) return count;
    if (e->bounds.linear_known) errors[count++] = b < 0 ? linear->mean : linear->bands[b];
    errors[count++] = b < 0 ? memory->mean : memory->bands[b];
    return count;
}

static void print_bands(const gyre_evaluation *e) {
    const gyre_score *s = &e->score;
    double errors[3];
    if (s->band_count == 0) return;
    printf("  each at %d times with their noise; %s by the time, in parts of the schedule:\n",
           s->passes, gyre_metric_prose(s->of).text);
    if (e->bounded) {
        printf("%15snetwork     %sby heart\n", "", e->bounds.linear_known ? "linear      " : "");
        printf("  all times  ");
        print_errors(s->of, errors, errors_of(e, -1, errors));
    }
    for (int b = 0; b < s->band_count; b++) {
        printf("  %3d to %3d %%", 100 * b / s->band_count, 100 * (b + 1) / s->band_count);
        print_errors(s->of, errors, errors_of(e, b, errors));
    }
    if (!e->bounded) return;
    printf("  %sby heart: a noised image is taken for a mean of the %" PRId64 " training images\n",
           e->bounds.linear_known
               ? "linear: the best linear denoiser, which a network should beat; "
               : "",
           e->bounds.train);
}

static void print_generated(const gyre_generated *g) {
    const gyre_copying *c = &g->copying;
    if (g->made == 0) return;
    printf("  %d samples beside %d pictures of the part:\n", g->made, g->held);
    printf("  copying: a sample is nearer to its nearest of %" PRId64
           " training pictures than a picture of the part in %.1f %% of pairs (50 %%: nothing is "
           "copied; p %.2g), median distances %.3g and %.3g\n",
           g->train, 100 * c->nearer, c->p, c->made, c->held);
    if (g->features[0] == '\0') return;
    printf("  kernel distance by the features of %s: %.4g, standard error %.2g\n", g->features,
           g->kernel.value, g->kernel.error);
}

static gyre_status print(const gyre_evaluation *e, const char *part) {
    print_source(e, part);
    gyre_text_print(stdout, part, 0);
    char score[128];
    printf(": %" PRId64 " samples, %s\n", e->samples,
           gyre_score_text(&e->score, score, sizeof score));
    print_bands(e);
    print_generated(&e->generated);
    for (int k = 0; e->score.of->is_share && k < e->classes; k++) {
        if (e->class_samples[k] == 0) continue;
        printf("  ");
        gyre_text_print(stdout, e->class_names[k], 20);
        printf(" %6.2f %% of %" PRId64 "\n", percent(e->class_hits[k], e->class_samples[k]),
               e->class_samples[k]);
    }
    if (e->bad.found) {
        gyre_warn("the loss is not finite: sample %" PRId64
                  " of the part holds %g at value %zu; mend or leave out such samples",
                  e->bad.row, (double)e->bad.value, e->bad.at);
    } else if (!isfinite(e->score.loss)) {
        gyre_warn(
            "the loss is not finite: the network gives no numbers for some images, as where its "
            "weights, or the running statistics of batch norm, hold NaN or are too large");
    }
    return cli_flush();
}

static gyre_status plot(const gyre_evaluation *e, const char *output) {
    const gyre_bounds *b = &e->bounds;
    const gyre_plot_line lines[] = {{"network", e->score.bands},
                                    {"knows the training images by heart", b->memory.bands},
                                    {"best linear denoiser", b->linear.bands}};
    GYRE_TRY(
        gyre_plot_bands(e->score.of, lines, b->linear_known ? 3 : 2, e->score.band_count, output));
    cli_print_path(output);
    return cli_flush();
}

/* The scores, and the file of predictions beside them where one is asked for. */
static gyre_status score(const arguments *a, gyre_comm *comm, gyre_evaluation *e) {
    cli_predictions p = {0};
    const gyre_output_reader reader = {cli_predictions_take, &p};
    const bool predicted = a->predictions != NULL, rank0 = gyre_comm_rank(comm) == 0;
    gyre_status status = GYRE_OK;
    if (predicted && rank0) status = cli_predictions_open(a->predictions, &p);
    status = gyre_comm_agree(comm, status);
    if (status == GYRE_OK) {
        status = gyre_evaluate(&a->what, predicted ? &reader : NULL, comm, e);
    }
    const bool scored = status == GYRE_OK;
    status = cli_predictions_close(&p, status);
    return scored ? gyre_comm_agree(comm, status) : status;
}

static gyre_status evaluate(int argc, char **argv, gyre_comm *comm) {
    arguments a;
    gyre_evaluation e = {0};
    GYRE_TRY(gyre_comm_agree(comm, parse(argc, argv, &a)));
    GYRE_TRY(gyre_comm_agree(comm, check(&a)));
    GYRE_TRY(gyre_comm_agree(comm, check_samples(&a.what)));
    if (a.ensemble) return cli_ensemble(&a.what, comm);
    const bool rank0 = gyre_comm_rank(comm) == 0;
    gyre_status status = score(&a, comm, &e);
    if (status == GYRE_OK) {
        if (rank0) status = print(&e, a.what.part);
        if (rank0 && status == GYRE_OK && a.plot != NULL) status = plot(&e, a.plot);
        status = gyre_comm_agree(comm, status);
    } else if (a.what.config == NULL && rank0) {
        status = cli_other_kind(status, a.what.file, CLI_HOLDS_RUN | CLI_HOLDS_CHECKPOINT);
    }
    gyre_evaluation_close(&e);
    return status;
}

static int run(int argc, char **argv) {
    return cli_on_ranks(argc, argv, evaluate, true);
}

static const cli_form forms[] = {{"CHECKPOINT|RUN", "dpwvobPsfe"}, {"WEIGHTS", "mdpwvobPsf"}, {0}};

static const cli_option options[] = {
    {.name = "CHECKPOINT|RUN", .help = "a checkpoint file, or a run's folder: its newest one"},
    {.name = "WEIGHTS",
     .help = "an HDF5 or safetensors file as model.init_from takes it (docs/formats.md), which "
             "must have all parameters and running statistics of the network"},
    {.id = 'm',
     .name = "model",
     .kind = CLI_TEXT,
     .at = offsetof(arguments, what.config),
     .value = "CONFIG",
     .required = true,
     .help = "the config whose network takes the weights, and whose normalisation and dataset "
             "hold"},
    {.id = 'd',
     .name = "data",
     .kind = CLI_TEXT,
     .at = offsetof(arguments, what.data),
     .value = "FILE",
     .help = "a dataset to score; without it, the dataset of the run or the config"},
    {.id = 'p',
     .name = "part",
     .kind = CLI_TEXT,
     .at = offsetof(arguments, what.part),
     .value = "test|validation|train",
     .help = "test (the default), validation or train; of the run's own dataset, validation and "
             "train are split as the run split them"},
    {.id = 'w',
     .name = "weights",
     .kind = CLI_OWN,
     .read = read_weights,
     .value = CLI_WEIGHTS_VALUE,
     .help = CLI_WEIGHTS_HELP},
    {.id = 'v',
     .name = "views",
     .kind = CLI_OWN,
     .read = read_views,
     .value = "none|mirror|mirror_shift",
     .help = "of a classifier: the views of each picture whose outputs are averaged; without it, "
             "evaluate.views of the run or the config"},
    {.id = 'o',
     .name = "predictions",
     .kind = CLI_TEXT,
     .at = offsetof(arguments, predictions),
     .value = "FILE",
     .help =
         "writes as CSV for each sample its row in the part, its label, the predicted class and "
         "the network's outputs"},
    {.id = 'b',
     .name = "bounds",
     .kind = CLI_FLAG,
     .at = offsetof(arguments, what.bounds),
     .help = "of a network that denoises: beside its error those of the best linear denoiser and "
             "of one that knows the training images by heart (docs/diffusion.md)"},
    {.id = 'P',
     .name = "plot",
     .kind = CLI_TEXT,
     .at = offsetof(arguments, plot),
     .value = "FILE",
     .help = "draws what --bounds computes, as .svg or .png (needs gnuplot)"},
    {.id = 's',
     .name = "samples",
     .kind = CLI_INTEGER,
     .least = 2,
     .at = offsetof(arguments, what.samples),
     .value = "N",
     .help = "of a network that denoises: makes N samples, and says whether they are nearer to the "
             "training pictures than pictures of the part are (docs/sample.md)"},
    {.id = 'f',
     .name = "features",
     .kind = CLI_TEXT,
     .at = offsetof(arguments, what.features),
     .value = "CHECKPOINT",
     .help = "of a classifier of such pictures, or its run: tells the kernel distance between the "
             "samples and pictures of the part, by what its last layer reads"},
    {.id = 'e',
     .name = "ensemble",
     .kind = CLI_FLAG,
     .at = offsetof(arguments, ensemble),
     .help = "of a run's folder: scores each checkpoint at a minimum of the rate, by its last "
             "weights, and the ensembles of the last ones (docs/average.md)"},
    {0}};

const cli_command cli_command_eval = {
    .name = "eval",
    .summary =
        "loss and metric of a checkpoint, or of weights from elsewhere; hits per class where a "
        "sample has one class",
    .forms = forms,
    .options = options,
    .exits = cli_exits_computing,
    .run = run,
};
