/* gyre report: what a study or a run shows, as a page and CSV files. */
#include "cli.h"

#include "arguments.h"
#include "gyre/report.h"
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static gyre_status percent(const char *text, double *out) {
    char *end = NULL;
    errno = 0;
    *out = strtod(text, &end);
    if (errno == 0 && end != text && *end == '\0' && *out >= 0 && *out <= 100) return GYRE_OK;
    return gyre_fail(GYRE_EUSAGE, "--target: expected an accuracy of 0 to 100 %%, found '%s'",
                     text);
}

static gyre_status report(int argc, char **argv) {
    static const struct option options[] = {
        {"out", required_argument, NULL, 'o'}, {"target", required_argument, NULL, 't'}, {0}};
    const char *out = NULL;
    double target = NAN;
    opterr = 0;
    for (int c; (c = getopt_long(argc, argv, ":o:", options, NULL)) != -1;) {
        switch (c) {
        case 'o': out = optarg; break;
        case 't': GYRE_TRY(percent(optarg, &target)); break;
        default: return gyre_cli_bad_option(c, argv, &gyre_command_report);
        }
    }
    if (argc - optind != 1) {
        return gyre_fail(GYRE_EUSAGE, "one folder was expected; usage: gyre %s",
                         gyre_command_report.usage);
    }
    GYRE_TRY(gyre_report_write(argv[optind], out, target));
    if (out == NULL) {
        printf("%s/report/index.html\n", argv[optind]);
    } else {
        printf("%s/index.html\n", out);
    }
    return gyre_cli_flush();
}

static int run(int argc, char **argv) {
    return gyre_cli_fail(report(argc, argv));
}

const gyre_command gyre_command_report = {
    "report",
    "report DIR [--out DIR] [--target PERCENT]",
    "what a study, or a run, shows: a page and CSV files (in DIR/report without --out)",
    run,
};
