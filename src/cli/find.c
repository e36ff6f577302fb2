/* gyre find: the LR range test of a config. Rank 0 prints and writes. */
#include "cli.h"

#include "arguments.h"
#include "bounds.h"
#include "gyre/comm.h"
#include "gyre/config.h"
#include "gyre/file.h"
#include "gyre/find.h"
#include "gyre/log.h"
#include "gyre/plot.h"
#include "gyre/text.h"
#include "holds.h"
#include "machine.h"
#include <dirent.h>
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct {
    const char *config, *out, *write;
    gyre_cli_sets sets;
    gyre_find_options options;
} arguments;

static gyre_status rate(const char *option, const char *text, double *out) {
    char *end = NULL;
    double x = strtod(text, &end);
    if (end == text || *end != '\0' || !(x > 0) || !isfinite(x)) {
        return gyre_fail(GYRE_EUSAGE, "%s: expected a rate above 0, found '%s'", option, text);
    }
    *out = x;
    return GYRE_OK;
}

static gyre_status scale(const char *text, bool *linear) {
    *linear = strcmp(text, "linear") == 0;
    if (*linear || strcmp(text, "exponential") == 0) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE, "--scale: expected exponential or linear, found '%s'", text);
}

static gyre_status take(void *to, int id, char *value) {
    arguments *a = to;
    int64_t repeats = 0;
    switch (id) {
    case 'f': return rate("--from", value, &a->options.from);
    case 't': return rate("--to", value, &a->options.to);
    case 'n': return gyre_cli_whole("--steps", value, 1, &a->options.steps);
    case 'l': a->options.linear = true; break;
    case 'c': return scale(value, &a->options.linear);
    case 'r':
        GYRE_TRY(gyre_cli_whole("--repeats", value, 1, &repeats));
        a->options.repeats = repeats < INT32_MAX ? (int)repeats : INT32_MAX;
        break;
    case 'k': return gyre_cli_whole("--every", value, 1, &a->options.every);
    case 'u': return gyre_cli_whole("--subset", value, 1, &a->options.subset);
    case 'o': a->out = value; break;
    case 'w': a->write = value; break;
    case 'v': a->options.verify = true; break;
    case 's': a->sets.items[a->sets.count++] = value; break;
    case 'q': a->options.quiet = true; break;
    default: break;
    }
    return GYRE_OK;
}

static gyre_status parse(int argc, char **argv, arguments *a) {
    GYRE_TRY(gyre_cli_sets_open(argc, &a->sets));
    GYRE_TRY(gyre_cli_options_read(argc, argv, &gyre_command_find, take, a));
    GYRE_TRY(gyre_cli_one_operand(argc, &gyre_command_find, "config"));
    a->config = argv[optind];
    return GYRE_OK;
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
    int files = 0;
    DIR *d = opendir(path);
    if (d == NULL && errno == ENOENT) return GYRE_OK;
    if (d == NULL) return gyre_fail(GYRE_EIO, "--out: cannot use '%s': %s", path, strerror(errno));
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        files += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    }
    closedir(d);
    if (files == 0) return GYRE_OK;
    return gyre_fail(GYRE_EIO,
                     "--out: '%s' is not empty; choose another folder, its files are "
                     "left alone",
                     path);
}

/* NEW.json in the folder must not have the name of what else is written there. */
static gyre_status check_name(const char *write, const char *folder) {
    static const char *const taken[] = {"find.h5", "find.svg", "find.gp", "find.dat"};
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
        int n = i == 1 ? asprintf(out, "%s/find.h5", folder)
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
    if (status == GYRE_OK) gyre_cli_print_path(data);
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
    gyre_cli_print_path(figure);
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
        GYRE_TRY(gyre_cli_bounds_check(a->config, &a->sets, s, a->write, &p->anew));
    }
    p->figure = machine_program("gnuplot", gnuplot, sizeof gnuplot);
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
        written = gyre_cli_bounds_write(a->config, p->anew, s, f, a->write);
        if (written == GYRE_OK) gyre_cli_print_path(a->write);
    }
    if (p->figure) GYRE_GOTO(write_figure(f, data, stem));
    GYRE_GOTO(written);
    if (a->write != NULL && !f->verdict.reliable) {
        GYRE_GOTO(gyre_fail(GYRE_EUSAGE,
                            "--write: '%s' is not written, since there is no reliable "
                            "suggestion",
                            a->write));
    }
    status = gyre_cli_flush();
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
    GYRE_TRY(gyre_cli_flush());
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
    GYRE_GOTO(gyre_comm_agree(comm, gyre_cli_other_kind(status, a.config, HOLDS_CONFIG)));
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
    return gyre_cli_on_ranks(argc, argv, find, true);
}

static const gyre_cli_form forms[] = {{"CONFIG", NULL}, {0}};

static const gyre_cli_option options[] = {
    {.name = "CONFIG", .words = "a config; its schedule and length do not matter"},
    {.id = 'o',
     .name = "out",
     .letter = 'o',
     .value = "DIR",
     .words = "a new or empty folder for find.h5 and find.svg; default CONFIG-find"},
    {.id = 'f', .name = "from", .value = "RATE", .words = "the first rate; default 1e-7"},
    {.id = 't',
     .name = "to",
     .value = "RATE",
     .words = "the last rate, at least twice the first; default 10"},
    {.id = 'n',
     .name = "steps",
     .value = "N",
     .words = "steps of a sweep; default two epochs, at least 200. Compare only sweeps of equal "
              "length"},
    {.id = 'l', .name = "linear", .words = "equal differences between rates, not equal ratios"},
    {.id = 'c', .name = "scale", .value = "SCALE", .words = "exponential (the default) or linear"},
    {.id = 'r', .name = "repeats", .value = "R", .words = "sweeps; default 3"},
    {.id = 'k',
     .name = "every",
     .value = "K",
     .words = "steps from one validation to the next; default a 50th of the steps"},
    {.id = 'u',
     .name = "subset",
     .value = "N",
     .words = "validation samples, at most; default 1000"},
    {.id = 'v', .name = "verify", .words = "also trains at constant rates around the bounds"},
    {.id = 'w',
     .name = "write",
     .value = "NEW.json",
     .words = "writes the config with the bounds in it into a new file"},
    {.id = 's',
     .name = "set",
     .value = "KEY=VALUE",
     .repeats = true,
     .words = "overrides a key of the config"},
    {.id = 'q', .name = "quiet", .letter = 'q', .words = "no progress on stderr"},
    {0}};

const gyre_command gyre_command_find = {
    .name = "find",
    .words = "learning-rate range test: suggests base_lr, max_lr and a stepsize, with a figure",
    .forms = forms,
    .options = options,
    .more = "On any number of ranks under mpirun. The figure needs gnuplot. docs/find.md says how "
            "the bounds are read and what they are worth.",
    .exits = gyre_cli_exits_training,
    .run = run,
};
