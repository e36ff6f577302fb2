/* gyre plot: curves of one or several runs in one figure. */
#include "cli.h"

#include "arguments.h"
#include "gyre/file.h"
#include "gyre/plot.h"
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

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
    return gyre_cli_fail(plot(argc, argv));
}

const gyre_command gyre_command_plot = {
    "plot",
    "plot RUN [RUN]... [-o FILE.svg|FILE.png]",
    "rate, loss and accuracy curves of one or several runs (RUN/plots/curves.svg without -o)",
    run,
};
