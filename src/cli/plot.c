/* gyre plot: curves of one or several runs in one figure. */
#include "cli.h"

#include "arguments.h"
#include "gyre/file.h"
#include "gyre/plot.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* RUN/plots/curves.svg, the folder made. free() it. */
static gyre_status own_place(const char *run_dir, char **out) {
    gyre_status status = GYRE_OK;
    char *metrics = NULL, *dir = gyre_path_join(run_dir, "plots");
    if (dir != NULL) *out = gyre_path_join(dir, "curves.svg");
    if (dir == NULL || *out == NULL) {
        status = gyre_fail(GYRE_EDEVICE, "no memory to plot '%s'", run_dir);
        goto out;
    }
    GYRE_GOTO(gyre_cli_metrics_of(run_dir, &metrics));
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
        if (own == NULL) GYRE_GOTO(gyre_fail(GYRE_EDEVICE, "no memory to plot '%s'", path));
        output = own;
    }
    GYRE_GOTO(gyre_plot_find(&f, path, output));
    printf("%s\n", output);
out:
    free(own);
    gyre_find_close(&f);
    return status;
}

static bool is_find(const char *path) {
    const char *slash = strrchr(path, '/');
    return strcmp(slash == NULL ? path : slash + 1, "find.h5") == 0;
}

static gyre_status plot(int argc, char **argv) {
    static const struct option options[] = {{"output", required_argument, NULL, 'o'}, {0}};
    char *given = NULL, *own = NULL;
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, ":o:", options, NULL)) != -1;) {
        if (c != 'o') return gyre_cli_bad_option(c, argv, &gyre_command_plot);
        given = optarg;
    }
    int count = argc - optind;
    if (count < 1 || (given == NULL && count > 1)) {
        return gyre_fail(GYRE_EUSAGE, "%s; usage: gyre %s",
                         count < 1 ? "a run folder was expected" : "several runs need -o FILE",
                         gyre_command_plot.usage);
    }
    if (count == 1 && is_find(argv[optind])) return plot_find(argv[optind], given);
    const char *output = given;
    gyre_status status = GYRE_OK;
    if (given == NULL) {
        GYRE_GOTO(own_place(argv[optind], &own));
        output = own;
    }
    status = gyre_plot_runs(argv + optind, count, output);
    if (status == GYRE_OK) printf("%s\n", output);
out:
    free(own);
    return status;
}

static int run(int argc, char **argv) {
    gyre_status status = plot(argc, argv);
    return gyre_cli_fail(status == GYRE_OK ? gyre_cli_flush() : status);
}

const gyre_command gyre_command_plot = {
    "plot",
    "plot RUN [RUN]... | FIND/find.h5 [-o FILE.svg|FILE.png]",
    "rate, loss and accuracy curves of one or several runs (RUN/plots/curves.svg without -o)",
    run,
};
