/* gyre plot: curves of one or several runs in one figure. */
#include "cli.h"

#include "follow.h"
#include "gyre/file.h"
#include "gyre/plot.h"
#include "gyre/run_folder.h"
#include "holds.h"
#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* RUN/plots/curves.svg, the folder made. free() it. `begins`: a run that has no rows yet will do.
 */
static gyre_status own_place(const char *run_dir, bool begins, char **out) {
    gyre_status status = GYRE_OK;
    char *metrics = NULL, *dir = gyre_path_join(run_dir, "plots");
    if (dir != NULL) *out = gyre_path_join(dir, "curves.svg");
    if (dir == NULL || *out == NULL) {
        status = gyre_no_memory("plotting '%s'", run_dir);
        goto out;
    }
    begins = begins && gyre_run_folder_at_work(run_dir);
    if (!begins) GYRE_GOTO(cli_metrics_of(run_dir, &metrics));
    status = gyre_dir_make(dir);
out:
    free(metrics);
    free(dir);
    return status;
}

/* A range test, find.h5, beside which the figure goes without -o. */
static gyre_status plot_find(const char *path, const char *output) {
    gyre_find f;
    char *own = NULL;
    GYRE_TRY(gyre_find_read(path, &f));
    gyre_status status = GYRE_OK;
    if (output == NULL) {
        char *dir = gyre_path_dir(path);
        own = dir == NULL ? NULL : gyre_path_join(dir, "find.svg");
        free(dir);
        if (own == NULL) GYRE_GOTO(gyre_no_memory("plotting '%s'", path));
        output = own;
    }
    GYRE_GOTO(gyre_plot_find(&f, path, output));
    cli_print_path(output);
out:
    free(own);
    gyre_find_close(&f);
    return status;
}

/* FIND/find.h5 of FIND; a file of another name is the result itself. */
static gyre_status plot_one_find(const char *path, int kind, const char *output) {
    if (kind != CLI_HOLDS_FIND_FOLDER) return plot_find(path, output);
    char *file = gyre_path_join(path, GYRE_FIND_FILE);
    if (file == NULL) return gyre_no_memory("plotting '%s'", path);
    gyre_status status = plot_find(file, output);
    free(file);
    return status;
}

static bool is_file(const char *path) {
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static gyre_status plot_runs(char **runs, int count, const char *output) {
    gyre_status status = gyre_plot_runs(runs, count, output);
    for (int i = 0; i < count && status != GYRE_OK; i++) {
        status = cli_other_kind(status, runs[i], CLI_HOLDS_RUN);
    }
    return status;
}

enum { FOLLOW_SECONDS = 10 };

typedef struct {
    const char *output;
    int follow; /* seconds between two drawings; 0: it is drawn once */
} arguments;

static gyre_status read_follow(const char *value, void *to) {
    int *seconds = &((arguments *)to)->follow, end = 0;
    *seconds = FOLLOW_SECONDS;
    if (value == NULL) return GYRE_OK;
    bool number = sscanf(value, "%6d%n", seconds, &end) == 1 && value[end] == '\0';
    if (number && *seconds > 0) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE, "--follow=%s: a whole number of seconds above 0 was expected",
                     value);
}

/* "--follow 2" names a run. */
static gyre_status check_seconds(char **runs, int count) {
    for (int i = 0; i < count; i++) {
        const bool number = runs[i][strspn(runs[i], "0123456789")] == '\0';
        if (!number || gyre_file_exists(runs[i])) continue;
        return gyre_fail(GYRE_EUSAGE,
                         "there is no run '%s'; seconds stand behind an equals sign, as "
                         "--follow=%s",
                         runs[i], runs[i]);
    }
    return GYRE_OK;
}

static gyre_status draw_runs(char **runs, int count, const arguments *a) {
    gyre_status status = GYRE_OK;
    char *own = NULL;
    if (a->follow > 0) GYRE_GOTO(cli_follow_await(runs, count));
    if (a->output == NULL) {
        GYRE_GOTO(cli_other_kind(own_place(runs[0], a->follow > 0, &own), runs[0], CLI_HOLDS_RUN));
    }
    const char *output = a->output == NULL ? own : a->output;
    if (a->follow > 0) {
        status = cli_follow(runs, count, output, a->follow);
    } else {
        status = plot_runs(runs, count, output);
        if (status == GYRE_OK) cli_print_path(output);
    }
out:
    free(own);
    return status;
}

static gyre_status plot(int argc, char **argv) {
    arguments a = {0};
    GYRE_TRY(cli_options_read(argc, argv, &cli_command_plot, &a, NULL));
    int count = argc - optind;
    if (a.follow > 0) GYRE_TRY(check_seconds(argv + optind, count));
    if (count < 1 || (a.output == NULL && count > 1)) {
        return cli_usage_fail(&cli_command_plot, count < 1 ? "a run folder was expected"
                                                           : "several runs need -o FILE");
    }
    int kind = count == 1 ? cli_holds(argv[optind]) : CLI_HOLDS_RUN;
    /* a file that is nothing known can only have been meant as a result: reading it says why not */
    bool strange = kind == CLI_HOLDS_OTHER && is_file(argv[optind]);
    if (!strange && kind != CLI_HOLDS_FIND && kind != CLI_HOLDS_FIND_FOLDER) {
        return draw_runs(argv + optind, count, &a);
    }
    if (a.follow > 0) {
        return gyre_fail(GYRE_EUSAGE, "--follow is for runs, and '%s' is none", argv[optind]);
    }
    return plot_one_find(argv[optind], kind, a.output);
}

static int run(int argc, char **argv) {
    gyre_status status = plot(argc, argv);
    return cli_fail(status == GYRE_OK ? cli_flush() : status);
}

static const cli_form forms[] = {{"RUN...", NULL}, {"FIND", "o"}, {0}};

static const cli_option options[] = {
    {.name = "RUN", .help = "a run's folder, or up to 28 of them"},
    {.name = "FIND", .help = "the folder of a range test, or its find.h5"},
    {.id = 'o',
     .name = "output",
     .kind = CLI_TEXT,
     .at = offsetof(arguments, output),
     .letter = 'o',
     .value = "FILE",
     .help = "the figure, FILE.svg or FILE.png; needed for several runs, else "
             "RUN/plots/curves.svg or find.svg beside find.h5"},
    {.id = 'f',
     .name = "follow",
     .kind = CLI_OWN,
     .read = read_follow,
     .value = "SECONDS",
     .optional = true,
     .help = "draws the figure again every 10 (or SECONDS) seconds while the runs grow, until they "
             "have ended or Ctrl-C comes; a run that is not there yet is waited for"},
    {0}};

const cli_command cli_command_plot = {
    .name = "plot",
    .summary = "rate, loss and metric curves of one or several runs, or of a range test",
    .forms = forms,
    .options = options,
    .notes = "Needs gnuplot, whose data and script (.dat, .gp) are left beside the figure.",
    .exits = cli_exits_importing,
    .run = run,
};
