/* gyre find: the LR range test of a config. Rank 0 prints and writes. */
#include "cli.h"

#include "bounds.h"
#include "gyre/comm.h"
#include "gyre/config.h"
#include "gyre/file.h"
#include "gyre/find.h"
#include "gyre/log.h"
#include "gyre/plot.h"
#include "gyre/run_folder.h"
#include "gyre/text.h"
#include "holds.h"
#include "machine.h"
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

static gyre_status parse(int argc, char **argv, arguments *a) {
    GYRE_TRY(cli_options_read(argc, argv, &cli_command_find, a, NULL));
    return cli_one_operand(argc, argv, &cli_command_find, "config", &a->config);
}

/* ---- the folder of the result */

/* "fashion" of "configs/fashion.json"; free() it. */
static char *stem_of(const char *config) {
    const char *slash = strrchr(config, '/');
    char *stem = strdup(slash == NULL ? config : slash + 1);
    char *dot = stem == NULL ? NULL : strrchr(stem, '.');
    if (dot != NULL && dot != stem) *dot = '\0';
    return stem;
}

/* --out, or STEM-find here; free() it. */
static gyre_status choose_folder(const arguments *a, const char *stem, char **out) {
    if (a->out != NULL) {
        *out = strdup(a->out);
    } else if (asprintf(out, "%s-find", stem) < 0) {
        *out = NULL;
    }
    if (*out == NULL) return gyre_no_memory("the folder's name");
    for (size_t end = strlen(*out); end > 1 && (*out)[end - 1] == '/'; end--) (*out)[end - 1] = 0;
    return GYRE_OK;
}

static gyre_status check_folder(const char *path) {
    bool unused = false;
    GYRE_TRY(gyre_fail_in("--out", gyre_folder_is_free(path, NULL, &unused)));
    if (unused) return GYRE_OK;
    return gyre_fail(GYRE_EIO,
                     "--out: '%s' is not empty; choose another folder, its files are "
                     "left alone",
                     path);
}

/* NEW.json in the folder must not have the name of what else is written there. */
static gyre_status check_name(const char *write, const char *folder) {
    static const char *const taken[] = {GYRE_FIND_FILE, "find.svg", "find.gp", "find.dat"};
    const char *slash = strrchr(write, '/'), *name = slash == NULL ? write : slash + 1;
    char *dir = gyre_path_dir(write), *a = dir == NULL ? NULL : realpath(dir, NULL);
    char *b = realpath(folder, NULL);
    bool inside = a != NULL && b != NULL && strcmp(a, b) == 0, clash = false;
    for (int i = 0; i < 4; i++) clash = clash || (inside && strcmp(name, taken[i]) == 0);
    free(dir);
    free(a);
    free(b);
    if (!clash) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE, "--write: '%s' is the name of a result in --out; choose another",
                     write);
}

/* FOLDER/find.h5, or the first of find-2.h5, ... that is free: another range test may have been
 * begun in the same empty folder, and ended first. */
static gyre_status free_name(const char *folder, char **out) {
    for (int i = 1;; i++) {
        int n = i == 1 ? asprintf(out, "%s/" GYRE_FIND_FILE, folder)
                       : asprintf(out, "%s/find-%d.h5", folder, i);
        if (n < 0) {
            *out = NULL;
            return gyre_no_memory("the result's names");
        }
        if (!gyre_file_taken(*out)) return GYRE_OK;
        free(*out);
    }
}

static gyre_status write_data(const gyre_find *f, const char *folder, char **out) {
    char *data = NULL;
    GYRE_TRY(free_name(folder, &data));
    gyre_status status = gyre_dir_make(folder); /* somebody may have removed it */
    if (status == GYRE_OK) status = gyre_find_write(f, data);
    if (status == GYRE_OK) cli_print_path(data);
    *out = data;
    return status;
}

/* Beside the data, and of the same name. */
static gyre_status write_figure(const gyre_find *f, const char *data, const char *stem) {
    gyre_status status = GYRE_OK;
    char *title = NULL, *figure = NULL;
    if (asprintf(&figure, "%.*s.svg", (int)(strlen(data) - strlen(".h5")), data) < 0) figure = NULL;
    if (asprintf(&title, "learning-rate range test: %s", stem) < 0) title = NULL;
    if (figure == NULL || title == NULL) {
        GYRE_GOTO(gyre_no_memory("the result's names"));
    }
    GYRE_GOTO(gyre_plot_find(f, title, figure));
    cli_print_path(figure);
out:
    free(title);
    free(figure);
    return status;
}

/* ---- rank 0's part */

/* What rank 0 settles before the search. */
typedef struct {
    char *folder;
    bool figure; /* gnuplot is there */
    bool made;   /* the folder was not there */
    bool anew;   /* --write writes every field out */
} plan;

/* Before the search: what could not be written after it. */
static gyre_status prepare(const arguments *a, const gyre_settings *s, const char *stem, plan *p) {
    char gnuplot[4096];
    GYRE_TRY(choose_folder(a, stem, &p->folder));
    GYRE_TRY(check_folder(p->folder));
    /* NOLINTNEXTLINE(clang-analyzer-unix.Malloc): find() frees the plan */
    GYRE_TRY(gyre_fail_in("--out", gyre_dir_try(p->folder, &p->made)));
    if (a->write != NULL) {
        GYRE_TRY(check_name(a->write, p->folder));
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
    GYRE_GOTO(write_data(f, p->folder, &data));
    if (a->write != NULL && f->verdict.reliable) {
        written = cli_bounds_write(a->config, p->anew, s, f, a->write);
        if (written == GYRE_OK) cli_print_path(a->write);
    }
    if (p->figure) GYRE_GOTO(write_figure(f, data, stem));
    GYRE_GOTO(written);
    if (a->write != NULL && !f->verdict.reliable) {
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

/* After a signal: the repeats that are whole are kept, and that is all there is time for. */
static gyre_status keep_whole(const gyre_find *f, const plan *p) {
    char *data = NULL;
    gyre_find_print(f, stdout);
    gyre_status status = write_data(f, p->folder, &data);
    free(data);
    GYRE_TRY(status);
    GYRE_TRY(cli_flush());
    return gyre_fail(
        GYRE_EPREEMPTED,
        "stopped by a signal with %d of %d repeats done, which are kept in '%s'; a new "
        "range test takes another --out",
        f->options.repeats, f->asked, p->folder);
}

static gyre_status find(int argc, char **argv, gyre_comm *comm) {
    arguments a = {0};
    gyre_settings *settings = NULL;
    gyre_find f = {0};
    plan p = {0};
    char *stem = NULL;
    bool first = gyre_comm_rank(comm) == 0;
    gyre_status status = gyre_comm_agree(comm, parse(argc, argv, &a));
    if (status != GYRE_OK) goto out;
    status = gyre_config_open(a.config, a.sets.items, a.sets.count, &settings);
    GYRE_GOTO(gyre_comm_agree(comm, cli_other_kind(status, a.config, CLI_HOLDS_CONFIG)));
    stem = stem_of(a.config);
    if (stem == NULL) status = gyre_no_memory("the config's name");
    if (status == GYRE_OK && first) status = prepare(&a, settings, stem, &p);
    GYRE_GOTO(gyre_comm_agree(comm, status));
    status = gyre_find_run(settings, &a.options, comm, &f);
    if (status == GYRE_EPREEMPTED && f.row_count > 0) {
        GYRE_GOTO(gyre_comm_agree(comm, first ? keep_whole(&f, &p) : GYRE_OK));
    }
    GYRE_GOTO(status);
    if (first) status = conclude(&a, settings, &f, stem, &p);
    status = gyre_comm_agree(comm, status);
out:
    if (status != GYRE_OK && p.made) rmdir(p.folder); /* fails where something was written */
    gyre_find_close(&f);
    gyre_config_close(settings);
    free(p.folder);
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
    {.name = "CONFIG", .help = "a config; its schedule and length do not matter"},
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
     .help = "sweeps; default " GYRE_STRING(GYRE_FIND_REPEATS)},
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
     .help = "validation samples, at most; default " GYRE_STRING(GYRE_FIND_SUBSET)},
    {.id = 'v',
     .name = "verify",
     .at = offsetof(arguments, options.verify),
     .help = "also trains at constant rates around the bounds"},
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
    .summary = "learning-rate range test: suggests base_lr, max_lr and a stepsize, with a figure",
    .forms = forms,
    .options = options,
    .notes = "On any number of ranks under mpirun. The figure needs gnuplot. docs/find.md says how "
             "the bounds are read and what they are worth.",
    .exits = cli_exits_training,
    .run = run,
};
