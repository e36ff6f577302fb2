/* gyre find: the LR range test of a config. Rank 0 prints and writes. */
#include "cli.h"

#include "bounds.h"
#include "find_folder.h"
#include "gyre/comm.h"
#include "gyre/config.h"
#include "gyre/file.h"
#include "gyre/find.h"
#include "gyre/log.h"
#include "gyre/text.h"
#include "holds.h"
#include "machine.h"
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    const char *config, *out, *write;
    cli_sets sets;
    gyre_find_options options;
} arguments;

static gyre_status read_scale(const char *text, void *to) {
    bool *linear = &((arguments *)to)->options.linear;
    *linear = strcmp(text, "linear") == 0;
    if (*linear || strcmp(text, "exponential") == 0) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE, "--scale: expected exponential or linear, found '%s'", text);
}

/* "4000" or "4000 steps", "20 epochs". */
static gyre_status read_length(const char *text, void *to) {
    gyre_length *length = &((arguments *)to)->options.for_length;
    char *end = NULL;
    double value = strtod(text, &end);
    bool digit = text[0] >= '0' && text[0] <= '9';
    while (*end == ' ') end++;
    bool epochs = strcmp(end, "epochs") == 0 || strcmp(end, "epoch") == 0;
    bool steps = *end == '\0' || strcmp(end, "steps") == 0 || strcmp(end, "step") == 0;
    *length = (gyre_length){epochs ? GYRE_UNIT_EPOCHS : GYRE_UNIT_STEPS, value};
    bool whole = epochs || (value >= 1 && value == floor(value));
    if (digit && (epochs || steps) && whole && value > 0 && value <= 1e12) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE, "--for-length: expected '4000 steps' or '20 epochs', found '%s'",
                     text);
}

static gyre_status parse(int argc, char **argv, arguments *a) {
    GYRE_TRY(cli_options_read(argc, argv, &cli_command_find, a, NULL));
    return cli_one_operand(argc, argv, &cli_command_find, "config", &a->config);
}

/* ---- rank 0's part */

/* What rank 0 settles before the search. */
typedef struct {
    char *folder;
    char *kept;   /* what a search in it has left, or will leave */
    bool goes_on; /* it is there */
    bool figure;  /* gnuplot is there */
    bool made;    /* the folder was not there */
    bool anew;    /* --write writes every field out */
} plan;

/* Before the search: what could not be written after it. */
static gyre_status prepare(const arguments *a, const gyre_settings *s, const char *stem, plan *p) {
    char gnuplot[4096];
    GYRE_TRY(cli_find_folder_choose(a->out, stem, &p->folder));
    GYRE_TRY(cli_find_folder_check(p->folder, &p->kept));
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): find() frees the plan */
    GYRE_TRY(gyre_fail_in("--out", gyre_dir_try(p->folder, &p->made)));
    if (a->write != NULL) {
        GYRE_TRY(cli_find_folder_check_name(a->write, p->folder));
        GYRE_TRY(cli_bounds_check(a->config, &a->sets, s, a->write, &p->anew));
    }
    p->figure = cli_machine_program("gnuplot", gnuplot, sizeof gnuplot);
    if (p->figure) return GYRE_OK;
    char word[512];
    gyre_warn(
        "gnuplot was not found, so there will be no figure: apt-get install gnuplot-nox, then "
        "`gyre plot %s` draws it",
        gyre_text_word(p->folder, "FOLDER", word, sizeof word));
    return GYRE_OK;
}

/* The figure comes last: another program draws it. */
static gyre_status conclude(const arguments *a, gyre_settings *s, const gyre_find *f,
                            const char *stem, const plan *p) {
    gyre_status written = GYRE_OK, status = GYRE_OK;
    char *data = NULL;
    gyre_find_print(f, stdout);
    GYRE_GOTO(cli_find_folder_write(f, p->folder, &data));
    bool reliable = gyre_find_answer_of(f).reliable;
    if (a->write != NULL && reliable) {
        written = cli_bounds_write(a->config, p->anew, s, f, a->write);
        if (written == GYRE_OK) cli_print_path(a->write);
    }
    if (p->figure) GYRE_GOTO(cli_find_folder_draw(f, data, stem));
    GYRE_GOTO(written);
    if (a->write != NULL && !reliable) {
        GYRE_GOTO(gyre_fail(GYRE_EUSAGE,
                            "--write: '%s' is not written, since there is no reliable "
                            "suggestion",
                            a->write));
    }
    status = cli_flush();
out:
    free(data);
    return status;
}

/* gyre_find_keeper's `save`, with the plan. */
static gyre_status save(void *context, const gyre_find *f) {
    const plan *p = context;
    GYRE_TRY(gyre_dir_make(p->folder)); /* somebody may have removed it */
    return gyre_find_write(f, p->kept);
}

/* After a signal: what is done is kept. */
static gyre_status say_kept(const gyre_find *f, const plan *p) {
    return gyre_fail(GYRE_EPREEMPTED,
                     "stopped by a signal with %d of %d sweep%s and %zu trial%s done, which are "
                     "kept in '%s': the same command goes on from there",
                     f->whole, f->asked, f->asked == 1 ? "" : "s", f->cycle_count,
                     f->cycle_count == 1 ? "" : "s", p->kept);
}

/* All ranks read what is kept. */
static gyre_status share_kept(plan *p, gyre_comm *comm) {
    bool first = gyre_comm_rank(comm) == 0;
    int32_t size = first && gyre_file_exists(p->kept) ? (int32_t)strlen(p->kept) + 1 : 0;
    GYRE_TRY(gyre_comm_broadcast(comm, &size, sizeof size, 0));
    if (size == 0) return GYRE_OK;
    if (!first) p->kept = malloc((size_t)size);
    gyre_status status = p->kept == NULL ? gyre_no_memory("the folder's name") : GYRE_OK;
    GYRE_TRY(gyre_comm_agree(comm, status));
    GYRE_TRY(gyre_comm_broadcast(comm, p->kept, (size_t)size, 0));
    p->goes_on = true;
    return GYRE_OK;
}

static gyre_status find(int argc, char **argv, gyre_comm *comm) {
    arguments a = {0};
    gyre_settings *settings = NULL;
    gyre_find f = {0};
    plan p = {0};
    gyre_find_keeper keeper;
    char *stem = NULL;
    bool first = gyre_comm_rank(comm) == 0;
    gyre_status status = gyre_comm_agree(comm, parse(argc, argv, &a));
    if (status != GYRE_OK) goto out;
    status = gyre_config_open(a.config, a.sets.items, a.sets.count, &settings);
    GYRE_GOTO(gyre_comm_agree(comm, cli_other_kind(status, a.config, CLI_HOLDS_CONFIG)));
    stem = cli_find_folder_stem(a.config);
    if (stem == NULL) status = gyre_no_memory("the config's name");
    if (status == GYRE_OK && first) status = prepare(&a, settings, stem, &p);
    GYRE_GOTO(gyre_comm_agree(comm, status));
    status = share_kept(&p, comm);
    keeper = (gyre_find_keeper){save, &p, p.goes_on ? p.kept : NULL};
    if (status == GYRE_OK) status = gyre_find_run(settings, &a.options, &keeper, comm, &f);
    if (status == GYRE_EPREEMPTED && f.row_count > 0) status = say_kept(&f, &p);
    GYRE_GOTO(status);
    if (first) status = conclude(&a, settings, &f, stem, &p);
    if (first && status == GYRE_OK) cli_find_folder_end(p.folder, p.kept);
    status = gyre_comm_agree(comm, status);
out:
    if (status != GYRE_OK && p.made) rmdir(p.folder); /* fails where something was written */
    gyre_find_close(&f);
    gyre_config_close(settings);
    free(p.folder);
    free(p.kept);
    free(stem);
    free(a.sets.items);
    return status;
}

static int run(int argc, char **argv) {
    return cli_on_ranks(argc, argv, find, true);
}

#define STEPS_LEAST GYRE_STRING(GYRE_FIND_STEPS_LEAST)

static const cli_form forms[] = {{"CONFIG", NULL}, {0}};

static const cli_option options[] = {
    {.name = "CONFIG", .help = "a config; the rates of its schedule do not matter"},
    {.id = 'o',
     .name = "out",
     .kind = CLI_TEXT,
     .at = offsetof(arguments, out),
     .letter = 'o',
     .value = "DIR",
     .help = "a new or empty folder for find.h5 and find.svg; default CONFIG-find"},
    {.id = 'f',
     .name = "from",
     .kind = CLI_RATE,
     .at = offsetof(arguments, options.from),
     .value = "RATE",
     .help = "the first rate; default " GYRE_STRING(GYRE_FIND_FROM)},
    {.id = 't',
     .name = "to",
     .kind = CLI_RATE,
     .at = offsetof(arguments, options.to),
     .value = "RATE",
     .help = "the last rate, at least twice the first; default " GYRE_STRING(GYRE_FIND_TO)},
    {.id = 'n',
     .name = "steps",
     .kind = CLI_WHOLE,
     .at = offsetof(arguments, options.steps),
     .least = 1,
     .value = "N",
     .help = "steps of a sweep; default two epochs, at least " STEPS_LEAST
             ". Compare only sweeps of equal length"},
    {.id = 'l',
     .name = "linear",
     .at = offsetof(arguments, options.linear),
     .help = "equal differences between rates, not equal ratios"},
    {.id = 'c',
     .name = "scale",
     .kind = CLI_OWN,
     .read = read_scale,
     .value = "exponential|linear",
     .help = "exponential (the default) or linear"},
    {.id = 'r',
     .name = "repeats",
     .kind = CLI_INTEGER,
     .at = offsetof(arguments, options.repeats),
     .least = 1,
     .value = "R",
     .help = "sweeps; default 1, with --quick " GYRE_STRING(GYRE_FIND_REPEATS)},
    {.id = 'k',
     .name = "every",
     .kind = CLI_WHOLE,
     .at = offsetof(arguments, options.every),
     .least = 1,
     .value = "K",
     .help = "steps from one validation to the next; default a 50th of the steps"},
    {.id = 'u',
     .name = "subset",
     .kind = CLI_WHOLE,
     .at = offsetof(arguments, options.subset),
     .least = 1,
     .value = "N",
     .help = "validation samples, at most; default " GYRE_STRING(
         GYRE_FIND_SUBSET) " along a sweep, 5000 after a trial"},
    {.id = 'b',
     .name = "budget",
     .kind = CLI_WHOLE,
     .at = offsetof(arguments, options.budget),
     .least = 1,
     .value = "N",
     .help = "steps of all sweeps and trials, at most; default those of " GYRE_STRING(
         GYRE_FIND_BUDGET) " sweeps"},
    {.id = 'p',
     .name = "for-length",
     .kind = CLI_OWN,
     .read = read_length,
     .value = "LENGTH",
     .help = "the length of the run that the range is for, as '4000 steps' or '20 epochs'; default "
             "the config's. No trial is longer than one of its cycles"},
    {.id = 'i',
     .name = "quick",
     .at = offsetof(arguments, options.quick),
     .help = "the sweeps alone: no trials"},
    {.id = 'v',
     .name = "verify",
     .at = offsetof(arguments, options.verify),
     .help = "--quick, and then trains at constant rates around the bounds"},
    {.id = 'w',
     .name = "write",
     .kind = CLI_TEXT,
     .at = offsetof(arguments, write),
     .value = "NEW.json",
     .help = "writes the config with the bounds in it into a new file"},
    {.id = 's',
     .name = "set",
     .kind = CLI_SETS,
     .at = offsetof(arguments, sets),
     .value = "KEY=VALUE",
     .repeats = true,
     .help = "overrides a key of the config"},
    {.id = 'q',
     .name = "quiet",
     .at = offsetof(arguments, options.quiet),
     .letter = 'q',
     .help = "no progress on stderr"},
    {0}};

const cli_command cli_command_find = {
    .name = "find",
    .summary = "learning-rate range test and trials: finds base_lr, max_lr and a stepsize",
    .forms = forms,
    .options = options,
    .notes = "On any number of ranks under mpirun. The figure needs gnuplot. docs/find.md says how "
             "the bounds are read and what they are worth.",
    .exits = cli_exits_training,
    .run = run,
};
